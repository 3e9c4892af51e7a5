//! What documents say of costs is what `make bench` has measured: `docs/costs.md`. `UPDATE=1` writes it anew.

use std::collections::BTreeMap;

use narrows_harness::root;
use narrows_harness::session::updates;

/// A figure: its document, what stands before and behind it on its line, and where it was measured:
/// the section, the row and the column.
type Figure = (&'static str, &'static str, &'static str, [&'static str; 2], usize);

const ROUTER: &str = "filters/header-router/README.md";
const ARCHITECTURE: &str = "ARCHITECTURE.md";
const SIZING: &str = "docs/sizing.md";
const HTTP1: &str = "HTTP/1.1, answered by Envoy";
const CALL: &str = "What a host call costs";

const FIGURES: [Figure; 28] = [
    (ARCHITECTURE, "one header costs ", " µs", [CALL, "one header"], 1),
    (ARCHITECTURE, "the whole map ", " µs", [CALL, "all headers"], 1),
    (ARCHITECTURE, "in four modules add ", " MiB", ["Memory", "four modules"], 2),
    (ARCHITECTURE, "one filter adds ", " MiB", ["Memory", "header-router"], 2),
    ("README.md", "routes by a rule takes ", " µs", [HTTP1, "header-router"], 1),
    ("README.md", "an empty Wasm filter takes ", " µs", [HTTP1, "empty Wasm filter"], 1),
    ("README.md", "all four filters take ", " µs", [HTTP1, "four filters, four modules"], 1),
    (ROUTER, "| 10 | ", " µs |", [HTTP1, "header-router"], 1),
    (ROUTER, "| 1,000 | ", " µs |", [HTTP1, "header-router, 1000 rules"], 1),
    (ROUTER, "| 10,000 | ", " µs |", [HTTP1, "header-router, 10000 rules"], 1),
    (ROUTER, "for 1,000 rules ", " µs", [HTTP1, "Envoy's routes, 1000 in one virtual host"], 1),
    (ROUTER, "for 10,000 rules ", " µs", [HTTP1, "Envoy's routes, 10000 in one virtual host"], 1),
    (SIZING, "| one filter | ", " MiB |", ["Memory", "header-router"], 2),
    (SIZING, "| four filters, a module each | ", " MiB |", ["Memory", "four modules"], 2),
    (SIZING, "| four filters, one module | ", " MiB |", ["Memory", "four on one module"], 2),
    (SIZING, "| four filters, one plugin | ", " MiB |", ["Memory", "one plugin"], 2),
    (SIZING, "| an empty Wasm filter | ", " µs |", [HTTP1, "empty Wasm filter"], 1),
    (SIZING, "| header-router | ", " µs |", [HTTP1, "header-router"], 1),
    (SIZING, "| canary-split | ", " µs |", [HTTP1, "canary-split, by header"], 1),
    (SIZING, "| metric-tags | ", " µs |", [HTTP1, "metric-tags"], 1),
    (SIZING, "| egress-policy | ", " µs |", [HTTP1, "egress-policy"], 1),
    (SIZING, "| all four, a module each | ", " µs |", [HTTP1, "four filters, four modules"], 1),
    (SIZING, "| all four, one plugin | ", " µs |", [HTTP1, "four filters, one plugin"], 1),
    (SIZING, "1,000 rules of header-router takes ", " MiB more", ["Memory", "1000"], 1),
    (SIZING, "one of 10,000 rules ", " MiB", ["Memory", "10000"], 1),
    (SIZING, "process starts with ten rules, ", " with 10,000", ["Memory", "10000"], 2),
    (SIZING, "header-router is ready ", " after its process", ["Memory", "10"], 2),
    (SIZING, "which holds ", " MiB there", ["Memory", "(without a filter it holds)"], 1),
];

#[test]
fn every_cost_in_a_document_was_measured() {
    let measured = std::fs::read_to_string(root().join("docs/costs.md")).expect("make bench writes it");
    let mut texts = BTreeMap::new();
    let mut wrong = Vec::new();
    for (document, before, after, place, column) in FIGURES {
        let text = texts
            .entry(document)
            .or_insert_with(|| std::fs::read_to_string(root().join(document)).expect("a document"));
        let figure =
            cell(&measured, place, column).unwrap_or_else(|| panic!("docs/costs.md has no {place:?}"));
        let Some((start, shown)) = shown(text, before, after) else {
            wrong.push(format!("{document} has no {before:?} before {after:?} on one line"));
            continue;
        };
        if shown != figure {
            wrong.push(format!("{document}: {before}{shown}{after}, but {figure} was measured"));
            let end = start + shown.len();
            text.replace_range(start..end, figure);
        }
    }
    if updates() {
        texts
            .iter()
            .for_each(|(document, text)| std::fs::write(root().join(document), text).expect("written"));
        wrong.retain(|what| what.contains(" has no "));
    }
    assert!(wrong.is_empty(), "{}\nrun with UPDATE=1", wrong.join("\n"));
}

/// A cell of a table, without the sign of what is added.
fn cell<'d>(document: &'d str, [section, row]: [&str; 2], column: usize) -> Option<&'d str> {
    let section = document.split("\n## ").find(|part| part.lines().next() == Some(section))?;
    let line = section.lines().find(|line| line.starts_with(&format!("| {row} |")))?;
    Some(line.split('|').nth(column + 1)?.trim().trim_start_matches('+'))
}

/// Where a figure stands, and what it says.
fn shown(text: &str, before: &str, after: &str) -> Option<(usize, String)> {
    let start = text.find(before)? + before.len();
    let line = text.get(start..)?.lines().next()?;
    Some((start, line.split_once(after)?.0.to_owned()))
}
