//! What a running Envoy says of itself is read by the command line.

use narrows::filter::Filter;
use narrows::lint::{Options, check};
use narrows::source::SourceFile;
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::root;
use narrows_tests::{Bench, filters, is_merged};
use serde_json::Value;

use super::sides::{converted, json_of};

/// `/config_dump`, as a file.
fn dump(envoy: &Envoy) -> SourceFile {
    SourceFile { path: "dump.json".to_owned(), text: envoy.admin_get("/config_dump").unwrap() }
}

#[test]
fn lint_finds_every_policy_in_a_dump() {
    if is_merged() {
        return;
    }
    let policies = filters();
    let chain: Vec<(&str, &str)> =
        policies.iter().map(|(filter, policy)| (*filter, policy.as_str())).collect();
    let bench = Bench::of(&chain).start().unwrap();
    let checked = check(dump(&bench.envoy), &Options::default());
    // The bootstrap has each, and its listener has it again.
    assert_eq!(checked.policies, 2 * Filter::ALL.len(), "{:?}", checked.findings);
    // A policy that is wrong is found there too.
    let mut broken = dump(&bench.envoy);
    broken.text = broken.text.replacen("\\\"rules\\\"", "\\\"rulse\\\"", 1);
    let found = check(broken, &Options::default()).findings;
    assert!(found.iter().any(|finding| finding.message.contains("rulse")), "{found:?}");
}

#[test]
fn routes_of_a_dump_become_the_policy_of_their_file() {
    let text = std::fs::read_to_string(root().join("tests/data/migrate/envoy.yaml")).unwrap();
    let mut table: Value = serde_saphyr::from_str(&text).unwrap();
    table["name"] = "table".into();
    let clusters = ["qa", "seg", "query", "green", "blue"];
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let clusters: Vec<Value> = clusters.iter().map(|name| static_cluster(name, nowhere, false)).collect();
    let start = bootstrap(&[listener("main", &[], &table)], &clusters);
    let envoy = Envoy::start(start, EnvoyOptions::named("dumped")).unwrap();
    let (of_dump, _) = converted(&dump(&envoy).text, &[]);
    let (of_file, _) = converted(&text, &[]);
    assert_eq!(json_of(&of_dump.policy), json_of(&of_file.policy));
}
