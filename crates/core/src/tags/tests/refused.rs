//! Policies that cannot be meant, and what is said of them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::refusal;

#[test]
fn each_fault_has_a_place_and_a_remedy() {
    let tag =
        |tag: &str| format!(r#"{{"tags": {{"t": {tag}}}, "metrics": [{{"name": "m", "tags": ["t"]}}]}}"#);
    for (policy, expected) in [
        (tag("{}"), "error[NRW103]: tags.t: nothing is said here"),
        (tag(r#"{"header": "a", "cookie": "b"}"#), "error[NRW110]: tags.t: \"header\" and \"cookie\" exclude each other"),
        (tag(r#"{"header": "a b"}"#), "error[NRW503]: tags.t.header: "),
        (tag(r#"{"fixed": "a;b"}"#), "error[NRW108]: tags.t.fixed: ';' cannot stand in a label's value"),
        (tag(r#"{"fixed": "a", "maxValues": 5}"#), "error[NRW110]: tags.t.maxValues: "),
        (tag(r#"{"header": "a", "maxValues": 100000}"#), "error[NRW107]: tags.t.maxValues: "),
        (tag(r#"{"header": "a", "allow": "\n"}"#), "error[NRW108]: tags.t.allow: "),
        (tag(r#"{"pathTemplates": ["/a/{b}", "/a/{c}"]}"#), "error[NRW301]: tags.t.pathTemplates[1]: "),
        (tag(r#"{"pathTemplates": ["a"]}"#), "error[NRW505]: tags.t.pathTemplates[0]: "),
        (tag(r#"{"hostMap": {"*": "x"}}"#), "error[NRW502]: tags.t.hostMap[\"*\"]: \"*\" is every host; write its value as \"other\""),
        (tag(r#"{"durationClass": [5, 5]}"#), "error[NRW108]: tags.t.durationClass: these bounds make no classes"),
        (tag(r#"{"statusClass": false}"#), "error[NRW108]: tags.t.statusClass: only true has a meaning"),
        (tag(r#"{"statusClass": true, "stockLabel": "tag"}"#), "error[NRW110]: tags.t.stockLabel: "),
        (tag(r#"{"statusClass": true, "values": ["2xx"]}"#), "error[NRW110]: tags.t.values: "),
        (tag(r#"{"host": true, "map": {"a": "b"}}"#), "error[NRW110]: tags.t.map: "),
        (tag(r#"{"property": "a..b"}"#), "error[NRW108]: tags.t.property: "),
        (r#"{"tags": {"my_rule": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.my_rule: \"my_rule\" ends in \"rule\""),
        (r#"{"tags": {"a-b": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags[\"a-b\"]: \"a-b\" cannot be a label"),
        (r#"{"tags": {"overflow": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.overflow: "),
        (r#"{"metrics": [{"name": "m", "tags": ["x"]}]}"#.to_owned(), "error[NRW111]: metrics[0].tags[0]: there is no tag \"x\""),
        (r#"{"metrics": [{"name": "m-x"}]}"#.to_owned(), "error[NRW302]: metrics[0].name: "),
        (r#"{"metrics": [{"name": "narrows_x"}]}"#.to_owned(), "error[NRW302]: metrics[0].name: "),
        (r#"{"metrics": [{"name": "m"}, {"name": "m"}]}"#.to_owned(), "error[NRW105]: metrics[1].name: "),
        (r#"{"metrics": [{"name": "m", "type": "histogram"}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m", "type": "gauge", "value": 1}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m", "value": "time"}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m"}], "limits": {"maxSeries": 1}}"#.to_owned(), "error[NRW107]: limits.maxSeries: "),
        (r#"{"limits": {"maxSeries": 20000}}"#.to_owned(), "error[NRW107]: limits.maxSeries: "),
        (r#"{"publish": ["x"]}"#.to_owned(), "error[NRW111]: publish[0]: there is no tag \"x\""),
        (r#"{"tag": {}}"#.to_owned(), "error[NRW101]: tag: unknown field \"tag\"; did you mean \"tags\"?"),
        (r#"{"filter": "header-router"}"#.to_owned(), "error[NRW109]: filter: "),
        (
            r#"{"labels": "stock", "tags": {"t": {"fixed": "a"}}, "metrics": [{"name": "m", "tags": ["t"]}]}"#.to_owned(),
            "error[NRW303]: metrics[0].tags[0]: tag \"t\" has no stock label",
        ),
        (
            r#"{"labels": "stock", "tags": {"t": {"fixed": "a", "stockLabel": "tag"}, "u": {"fixed": "a", "stockLabel": "tag"}},
                "metrics": [{"name": "m", "tags": ["t", "u"]}]}"#
                .to_owned(),
            "error[NRW303]: metrics[0].tags[1]: the stock label of tag \"u\" is taken",
        ),
    ] {
        let message = refusal(&policy);
        assert!(message.starts_with(expected), "{policy}\n{message}");
    }
}
