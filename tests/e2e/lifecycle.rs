//! What becomes of a bad policy: at the start, later, when strict, and after a removal.

use std::fs;

use narrows_harness::bootstrap::wasm_config;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use narrows_tests::{Bench, configured, is_merged, module, with_filter};
use serde_json::json;

/// A bad policy, and what its refusal must say: the place, the fault, the remedy.
const BAD: [(&str, &str, [&str; 3]); 8] = [
    ("header-router", r#"{"ruls": []}"#, ["NRW101", "unknown field \"ruls\"", "did you mean \"rules\"?"]),
    (
        "header-router",
        r#"{"rules": [{"name": "a", "matches": [{"headers": {"x": {"exacts": "b"}}}]}]}"#,
        ["rules[0].matches[0].headers.x.exacts", "unknown field", "did you mean \"exact\"?"],
    ),
    (
        "header-router",
        r#"{"rules": [{"name": "a", "respond": {"status": "404"}}]}"#,
        ["rules[0].respond.status", "expected an integer, found a string", "write an integer here"],
    ),
    (
        "header-router",
        r#"{"rules": [{"name": "a"}, {"name": "a"}]}"#,
        ["rules[1].name", "duplicate name \"a\": rules[0] has it too", "give each its own"],
    ),
    (
        "canary-split",
        r#"{"splits": [{"name": "s", "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b", "weight": 120}]}]}"#,
        ["splits[0].backends[1].weight", "120 is outside 0 to 100", "weightTotal"],
    ),
    (
        "canary-split",
        r#"{"splits": [{"name": "s", "backends": [{"name": "a", "baseline": true},
            {"name": "b", "to": "b", "weight": 60}, {"name": "c", "to": "c", "weight": 30}]}]}"#,
        ["splits[0].backends[1].weight", "60 is more than its slot of 50", "\"maxWeight\": 60"],
    ),
    (
        "canary-split",
        r#"{"splits": [{"name": "s", "backends": [{"name": "a", "baseline": true}, {"name": "a", "to": "b"}]}]}"#,
        ["splits[0].backends[1].name", "duplicate name \"a\": backends[0] has it too", "give each its own"],
    ),
    (
        "canary-split",
        r#"{"filter": "header-router"}"#,
        ["]: filter: this policy is for \"header-router\"", "this filter is \"canary-split\"", "attach it"],
    ),
];

#[test]
fn a_strict_envoy_does_not_start_with_a_bad_policy_and_says_why() {
    if is_merged() {
        return;
    }
    for (filter, policy, says) in BAD {
        let entry = narrows_tests::entry(filter, policy);
        let nowhere = "127.0.0.1:9".parse().unwrap();
        let log = Envoy::start_expecting_failure(with_filter(&entry, nowhere), EnvoyOptions::named(filter))
            .unwrap();
        for part in says {
            assert!(log.contains(part), "{filter}: {policy}: no {part:?} in\n{log}");
        }
    }
}

#[test]
fn a_later_bad_policy_is_refused_and_nothing_is_lost() {
    if is_merged() {
        return;
    }
    for (filter, policy, says) in BAD {
        // Not strict: that is what Istio runs.
        let bench = Bench::discovered(filter, good(filter), None).unwrap();
        assert_eq!(decided(&bench), Some("good".to_owned()), "{filter}");
        assert!(!bench.push(filter, policy, None).unwrap(), "{filter} took {policy}");
        assert_eq!(
            decided(&bench),
            Some("good".to_owned()),
            "{filter}: the old policy is gone after {policy}"
        );
        for part in says {
            assert!(bench.envoy.log_contains(part), "{filter}: no {part:?} in\n{}", bench.envoy.log());
        }
        rejected(&bench, filter, 1);
        // Of the same text Envoy tells nobody: it is what it has.
        let mended = format!("{} ", good(filter));
        assert!(bench.push(filter, &mended, None).unwrap());
        assert_eq!(decided(&bench), Some("good".to_owned()));
        rejected(&bench, filter, 0);
    }
}

#[test]
fn a_first_bad_policy_passes_traffic_through_until_it_is_mended() {
    if is_merged() {
        return;
    }
    for (filter, policy, says) in BAD {
        let bench = Bench::discovered(filter, policy, None).unwrap();
        assert_eq!(decided(&bench), None, "{filter}");
        rejected(&bench, filter, 1);
        for part in says {
            assert!(bench.envoy.log_contains(part), "{filter}: no {part:?} in\n{}", bench.envoy.log());
        }
        assert!(bench.push(filter, good(filter), None).unwrap());
        assert_eq!(decided(&bench), Some("good".to_owned()), "{filter}");
        rejected(&bench, filter, 0);
    }
}

/// The VMs of the older module go while those of the new one serve already: what they
/// say as they go is not of the new ones.
#[test]
fn a_bad_policy_right_after_a_new_module_is_refused() {
    for filter in ["canary-split", "header-router"] {
        let bench = Bench::discovered(filter, good(filter), None).unwrap();
        let ecds = bench.ecds.as_ref().unwrap();
        let directory = TempDir::new("narrows-module").unwrap();
        let mut bytes = fs::read(module(filter)).unwrap();
        for version in 1..=4u8 {
            // A custom section that says nothing makes it another module.
            bytes.extend_from_slice(&[0, 2, 1, b'0' + version]);
            let newer = directory.write(&format!("{version}.wasm"), &bytes).unwrap();
            let with =
                |policy| wasm_config(&format!("narrows.{filter}"), &newer, policy, None, "FAIL_RELOAD");
            assert!(ecds.push_to(&bench.envoy, &with(good(filter))).unwrap());
            let taken = ecds.push_to(&bench.envoy, &with(r#"{"ruls": []}"#)).unwrap();
            assert!(!taken, "{filter}: the older policy is gone after module {version}");
            assert_eq!(decided(&bench), Some("good".to_owned()), "{filter}");
        }
    }
}

#[test]
fn a_mistake_in_the_vm_configuration_hides_none_in_the_policy() {
    if is_merged() {
        return;
    }
    for filter in ["header-router", "canary-split", "metric-tags", "egress-policy"] {
        let vm = Some(r#"{"strct": true}"#);
        let entry = json!({ "name": filter, "typed_config": configured(filter, r#"{"tust": 1}"#, vm) });
        let nowhere = "127.0.0.1:9".parse().unwrap();
        let log = Envoy::start_expecting_failure(with_filter(&entry, nowhere), EnvoyOptions::named(filter))
            .unwrap();
        for part in [
            "VM configuration rejected: error[NRW101]: strct: unknown field \"strct\"; did you mean \"strict\"?",
            "policy rejected: error[NRW101]: tust: unknown field \"tust\"; did you mean \"trust\"?",
        ] {
            assert!(log.contains(part), "{filter}: no {part:?} in\n{log}");
        }
    }
}

#[test]
fn an_empty_policy_is_a_pass_through() {
    for filter in ["header-router", "canary-split", "metric-tags", "egress-policy"] {
        for policy in ["", "{}", " \n"] {
            let bench = Bench::fixed(filter, policy).unwrap();
            let request = Request::get("a", "/").header("x-narrows-route", "kept").header("x-user", "u");
            let seen = http1::exchange(bench.at, &request).unwrap().json().unwrap();
            assert!(seen["headers"].to_string().contains("kept"), "{filter}: {seen}");
        }
    }
}

pub(crate) fn good(filter: &str) -> &'static str {
    match filter {
        "header-router" => r#"{"rules": [{"name": "a", "requestHeaders": {"set": {"x-decided": "good"}}}]}"#,
        _ => {
            r#"{"splits": [{"name": "s", "backends": [{"name": "a", "baseline": true, "requestHeaders": {"set": {"x-decided": "good"}}}]}]}"#
        }
    }
}

/// What the filter wrote into a request, if it decided.
fn decided(bench: &Bench) -> Option<String> {
    let answer = http1::exchange(bench.at, &Request::get("a", "/")).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = bench.echo.last().expect("a request reached the application");
    seen.headers.text("x-decided")
}

/// Waits until the gauge says so, in the labels of either grammar.
fn rejected(bench: &Bench, filter: &str, value: u64) {
    for labels in [format!("filter=.={filter};.;"), format!("component.{filter}.")] {
        let name = format!("wasmcustom.{labels}narrows_config_rejected");
        bench.envoy.wait_for_stat(&name, |now| now == value).unwrap();
    }
}
