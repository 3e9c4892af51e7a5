//! Pages of metrics, filter state and headers; and that the tables miss nothing that the code shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use narrows::documents;
use narrows::filter::Filter;
use narrows::source::SourceFile;
use narrows_core::Kind;
use narrows_core::signals::{HEADERS, METRICS, Metric, Named, STATES};

use super::{MADE, Pages, cell, files, root};

pub(super) fn add(pages: &mut Pages) {
    let mut page = format!(
        "# Metrics\n\n{MADE}\n\nThe series that the filters have by themselves. A policy of metric-tags defines more, under names of its own. How a \
         proxy is told of the labels: [labels](../../filters/header-router/README.md#metrics).\n\n\
         | metric | kind | labels | filter | counts |\n|---|---|---|---|---|\n"
    );
    for Metric { name, kind, filter, labels, text } in METRICS {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = word(*kind);
        page.push_str(&format!(
            "| `{name}` | {kind} | {} | {} | {} |\n",
            labels.join(", "),
            of(filter),
            cell(text)
        ));
    }
    pages.insert("metrics.md".to_owned(), page);
    let intro = "What the filters decide, for access logs, for Istio's Telemetry and for later filters. Envoy puts `wasm.` before each name: \
                 `%FILTER_STATE(wasm.narrows_rule:PLAIN)%`. With `\"filterState\": false` a policy writes none but the last.";
    pages.insert("filter-state.md".to_owned(), table("Filter state", intro, "name", STATES));
    let intro = "Headers that mean something to the filters without being named in a policy. Under `trust: edge` a client's headers that begin with \
                 `x-narrows-` are removed: [SECURITY.md](../../SECURITY.md).";
    pages.insert("headers.md".to_owned(), table("Headers", intro, "header", HEADERS));
}

fn table(title: &str, intro: &str, column: &str, rows: &[Named]) -> String {
    let mut page =
        format!("# {title}\n\n{MADE}\n\n{intro}\n\n| {column} | | filter | says |\n|---|---|---|---|\n");
    for Named { name, filter, place, text } in rows {
        page.push_str(&format!("| `{name}` | {place} | {} | {} |\n", of(filter), cell(text)));
    }
    page
}

/// A filter, with the way to its document.
fn of(filter: &str) -> String {
    match filter {
        "*" => "all".to_owned(),
        name => format!("[{name}](../../filters/{name}/README.md)"),
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

/// Every series of the policies of this project is in the table, with its kind and labels.
#[test]
fn series_of_policies_are_in_the_table() {
    let known: BTreeMap<_, _> = METRICS.iter().map(|metric| (metric.name, metric)).collect();
    assert_eq!(known.len(), METRICS.len(), "a metric is there once");
    let mut seen = BTreeSet::new();
    for folder in ["filters", "examples", "envoy-configs"] {
        let folder = root().join(folder);
        for name in files(&folder, &folder) {
            let path = folder.join(&name);
            if [".yaml", ".json"].iter().any(|end| name.ends_with(end)) {
                series_of(&path, &known, &mut seen);
            }
        }
    }
    let unseen: Vec<_> = known.keys().filter(|name| !seen.contains(**name) && !is_in_code(name)).collect();
    assert!(unseen.is_empty(), "nothing counts {unseen:?}");
    assert!(seen.len() >= 12, "only {seen:?} are in a policy");
}

fn series_of(path: &Path, known: &BTreeMap<&str, &Metric>, seen: &mut BTreeSet<String>) {
    let source = SourceFile::read(path).unwrap();
    let Ok(written) = source.documents() else { return };
    for resource in written.iter().flat_map(documents::resources) {
        let whole = documents::policies(&source, resource, &mut Vec::new());
        let of_cases = resource.get("policy").into_iter().filter_map(|policy| {
            let folder = path.parent()?.parent()?.file_name()?.to_str()?;
            Some((Filter::of_policy(policy).or_else(|| Filter::named(folder))?, policy.tree()))
        });
        let whole = whole.into_iter().filter_map(|found| Some((found.filter?, found.policy.tree())));
        for (filter, tree) in whole.chain(of_cases) {
            let Ok(policy) = filter.compile(&tree) else { continue };
            for series in policy.series() {
                let (labels, name) = parts(&series.name);
                // Operators name the series of metric-tags, and stock labels leave no names.
                if !name.starts_with("narrows_")
                    || name.contains("_rq_")
                    || labels.is_empty() && name.contains('.')
                {
                    continue;
                }
                let metric = known.get(name).unwrap_or_else(|| panic!("{name} is not in signals.rs"));
                assert_eq!(word(metric.kind), word(series.kind), "{name}");
                if series.name.contains("=.=") || metric.labels.is_empty() {
                    assert_eq!(metric.labels, labels, "{name}");
                }
                assert!([filter.name(), "*"].contains(&metric.filter) || filter == Filter::Narrows, "{name}");
                seen.insert(name.to_owned());
            }
        }
    }
}

/// The labels of a series that is written with `stat-tags`, and its name.
fn parts(series: &str) -> (Vec<&str>, &str) {
    let mut parts: Vec<_> = series.split(";.;").collect();
    let name = parts.pop().unwrap_or_default();
    (parts.iter().filter_map(|part| Some(part.split_once("=.=")?.0)).collect(), name)
}

/// Whether a name stands as a text in what is compiled into a filter.
fn is_in_code(name: &str) -> bool {
    sources().iter().any(|(_, text)| text.contains(&format!("{name:?}")))
}

/// The sources of core and host without their tests and without the tables of this page.
fn sources() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["crates/core/src", "crates/host/src"] {
        let folder = root().join(folder);
        for name in files(&folder, &folder) {
            let is_test = name.contains("tests") || name == "policy/signals.rs" || name == "lib.rs";
            if Path::new(&name).extension().is_some_and(|end| end == "rs") && !is_test {
                let text = fs::read_to_string(folder.join(&name)).unwrap();
                all.push((name, text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()));
            }
        }
    }
    all
}

/// Every text in the code that is a name of ours, or of a header, is in one of the tables.
#[test]
fn names_in_the_code_are_in_the_tables() {
    let named = |rows: &'static [Named]| rows.iter().map(|row| row.name);
    let known: BTreeSet<_> = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain(named(STATES))
        .chain(named(HEADERS))
        .chain(["narrows_", "x-narrows-"])
        .collect();
    let mut missing = BTreeSet::new();
    let mut found = 0;
    for (file, text) in sources() {
        // Lists of what Envoy and Istio call their own.
        if ["inline_headers.rs", "outbound_headers.rs"].iter().any(|list| file.ends_with(list)) {
            continue;
        }
        for text in text.split('"').filter(|text| is_name(text)) {
            found += 1;
            if !known.contains(text) {
                missing.insert(format!("{file}: {text}"));
            }
        }
    }
    assert!(missing.is_empty(), "not in crates/core/src/policy/signals.rs: {missing:?}");
    assert!(found >= 25, "only {found} names were found");
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    ["narrows_", "x-"].iter().any(|start| text.starts_with(start)) && text.bytes().all(plain) && text != "x-"
}
