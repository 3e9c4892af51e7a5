//! The table of header-router's README about a header that comes several times, row by row.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::router::Router;
use narrows_core::{Policy, PolicyValue, Request};

const README: &str = include_str!("../../../filters/header-router/README.md");
/// The columns, as a policy writes them.
const COLUMNS: [&str; 3] = [
    r#"{ "headers": { "x-role": { "exact": "admin" } } }"#,
    r#"{ "headers": { "x-role": { "exact": "admin", "invert": true } } }"#,
    r#"{ "withoutHeaders": { "x-role": { "exact": "admin" } } }"#,
];

#[test]
fn the_table_is_what_the_filter_does() {
    let (_, table) = README.split_once("| lines of `x-role` |").expect("the table is there");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 6, "{rows:?}");
    let routers = COLUMNS.map(|one| {
        let policy = format!(r#"{{ "rules": [{{ "name": "r", "matches": [{one}] }}] }}"#);
        Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap()
    });
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let lines: Vec<&str> = cells[1].split('`').skip(1).step_by(2).collect();
        assert_eq!(lines.is_empty(), cells[1] == "none", "{row}");
        let headers = lines.iter().map(|line| (b"x-role".as_slice(), line.as_bytes()));
        for (router, cell) in routers.iter().zip(&cells[2..]) {
            let holds = router.decide(Request::new(headers.clone())).1.rule.is_some();
            assert_eq!(holds, cell.trim_matches('*') == "yes", "{row}");
        }
    }
}
