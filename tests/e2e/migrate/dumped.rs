//! What a running Envoy says of itself is read by the command line.

use std::process::Command;

use narrows::filter::Filter;
use narrows::lint::{Options, check};
use narrows::source::SourceFile;
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::root;
use narrows_harness::temp::TempDir;
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

/// What a release engineer asks of a proxy that runs: what would become of the policy that it has.
#[test]
fn a_dump_is_simulated_and_compared_like_the_file_that_was_pushed() {
    if is_merged() {
        return;
    }
    let old = r#"{"filter": "canary-split", "splits": [{"name": "shop", "hosts": ["shop.test"], "key": [{"header": "x-user"}], "backends": [
        {"name": "stable", "baseline": true}, {"name": "canary", "authority": "canary.test", "weight": 10}]}]}"#;
    let bench = Bench::of(&[("canary-split", old)]).start().unwrap();
    let folder = TempDir::new("live").unwrap();
    let file = |name: &str, text: &str| folder.write(name, text).unwrap().to_str().unwrap().to_owned();
    let (dumped, pushed) = (file("dump.json", &dump(&bench.envoy).text), file("pushed.json", old));
    let new = file("new.json", &old.replace("\"weight\": 10", "\"weight\": 25"));
    let users = file("users.txt", &(0..300).map(|user| format!("user-{user}\n")).collect::<String>());
    let narrows = |arguments: &[&str]| {
        let output = Command::new(narrows_tests::narrows()).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said.replace("dump.json", "pushed.json"))
    };
    for user in ["user-1", "user-2", "user-5"] {
        let header = format!("x-user: {user}");
        let ask = |policy: &str| narrows(&["simulate", policy, "--get", "http://shop.test/", "-H", &header]);
        let (code, said) = ask(&pushed);
        assert!(code == Some(0) && said.contains("shop"), "{said}");
        assert_eq!(ask(&dumped), (code, said));
    }
    let compare = |policy: &str| narrows(&["diff", policy, &new, "--keys", &users]);
    let (code, said) = compare(&pushed);
    assert!(said.contains("canary"), "{said}");
    assert_eq!(compare(&dumped), (code, said));
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
