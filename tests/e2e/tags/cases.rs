//! The case files, against everything that `/stats/prometheus` shows: with Istio's bootstrap and
//! the `extraStatTags` that are rendered for each policy, and with its `stats_tags`.

use std::collections::BTreeMap;
use std::time::Duration;

use narrows_cases::File;
use narrows_harness::wait;
use narrows_runners::{files, series};
use narrows_tests::module;
use serde_json::Value;

use super::{istio, line, stats_tags};

/// What every plugin shows of itself.
const OF_PLUGINS: [&str; 2] = ["narrows_up", "narrows_policy_digest"];

#[test]
fn with_istios_bootstrap() -> anyhow::Result<()> {
    all(istio)
}

#[test]
fn with_stats_tags() -> anyhow::Result<()> {
    all(stats_tags)
}

fn all(stats: fn(&str) -> Value) -> anyhow::Result<()> {
    let files = files(Some("filters/metric-tags/"))?;
    let mut counted = 0;
    for file in files.iter().filter(|file| !file.cases.is_empty()) {
        let policy = if file.policy.is_empty() { "{}" } else { &file.policy };
        let envoy = series::serve(file, &module("metric-tags"), &stats(policy))?;
        let expected = expected(file, policy);
        counted += expected.len();
        // What is counted in the log phase comes a moment after the answer.
        let mut shown = Vec::new();
        let settled = wait::until("the series", Duration::from_secs(5), || {
            let samples = envoy.prometheus()?;
            let own =
                samples.iter().filter(|s| !s.name.starts_with("envoy_") && !OF_PLUGINS.contains(&&*s.name));
            shown = own.filter(|s| s.value != 0.0).map(line).collect();
            shown.sort();
            Ok((shown == expected).then_some(()))
        });
        assert!(settled.is_ok(), "{}\nshown    {shown:#?}\nexpected {expected:#?}", file.label());
    }
    assert!(counted > 40, "only {counted} series");
    Ok(())
}

/// The lines that the cases of a file leave, and the gauge of how many series there are: those,
/// and the overflow series of each metric.
fn expected(file: &File, policy: &str) -> Vec<String> {
    let counts = series::expected(file);
    let mut lines: Vec<String> = counts.iter().map(|(name, count)| labelled(name, *count)).collect();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let metrics = policy["metrics"].as_array().map_or(0, Vec::len);
    let own = counts.keys().filter(|name| !name.contains("narrows_tags_") && !name.contains("overflow"));
    let all = own.count() + metrics;
    if all > 0 {
        lines.push(format!("narrows_tags_series{{}} {all}"));
    }
    lines.sort();
    lines
}

/// A name as a case says it, the way Prometheus shows the series.
fn labelled(name: &str, count: i64) -> String {
    let mut labels = BTreeMap::new();
    let mut rest = name;
    while let Some((label, after)) = rest.split_once("=.=") {
        let (value, after) = after.split_once(";.;").unwrap();
        labels.insert(label.to_owned(), value.to_owned());
        rest = after;
    }
    // The labels of Istio's bootstrap end at a dot, that of `tag` at `;.`.
    while let Some((label, end)) = [("wasm_filter", "."), ("component", "."), ("cache", "."), ("tag", ";.")]
        .into_iter()
        .find(|(label, _)| rest.strip_prefix(label).is_some_and(|rest| rest.starts_with('.')))
    {
        let (value, after) = rest[label.len() + 1..].split_once(end).unwrap();
        labels.insert(label.to_owned(), value.to_owned());
        rest = after;
    }
    let mut name = rest.to_owned();
    if let Some((before, code)) = rest.rsplit_once("_rq_") {
        let label = if code.ends_with("xx") { "response_code_class" } else { "response_code" };
        labels.insert(label.to_owned(), code.to_owned());
        name = format!("{before}_rq");
    }
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{name}{{{}}} {count}", labels.join(","))
}
