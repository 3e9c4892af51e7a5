//! `narrows_config_rejected`: 1 as long as any plugin's last policy is a rejected one, and no
//! longer than that plugin lives.

use super::played::{Played, policy};
use narrows_tests::signals::{bad, good};

const TWO: [&str; 2] = ["shop.tags-a", "shop.tags-b"];

/// Two plugins of one filter, in one VM and in two, whichever is first.
#[test]
fn a_good_plugin_hides_no_bad_one() {
    for modules in [[0, 0], [0, 1]] {
        for [a, b] in [[0, 1], [1, 0]] {
            let mut envoy = Played::new("header-router", 2);
            let plugin = |at: usize, text| {
                policy(text).named(TWO[at]).at(u8::try_from(at).unwrap()).module(modules[at])
            };
            // A is bad from the start.
            assert!(envoy.settle(&plugin(a, bad(1))));
            assert!(envoy.settle(&plugin(b, good(1))));
            assert!(envoy.is_rejected(), "{modules:?} {a} {b}");
            envoy.pass(60);
            assert!(envoy.settle(&plugin(b, good(2))));
            assert!(envoy.is_rejected());
            assert!(envoy.settle(&plugin(a, good(3))));
            envoy.pass(10);
            assert!(!envoy.is_rejected());
            // A is bad later.
            assert!(!envoy.settle(&plugin(a, bad(4))));
            assert!(envoy.settle(&plugin(b, good(5))));
            envoy.pass(60);
            assert!(envoy.is_rejected());
            // Both are, and one is mended.
            assert!(!envoy.settle(&plugin(b, bad(6))));
            assert!(envoy.settle(&plugin(a, good(7))));
            envoy.pass(60);
            assert!(envoy.is_rejected());
            // The other one is taken away.
            envoy.remove(TWO[b], u8::try_from(b).unwrap());
            envoy.pass(10);
            assert!(!envoy.is_rejected(), "{modules:?} {a} {b}");
        }
    }
}

/// One name in two listeners is one plugin for whoever cannot tell them apart: a bad one hides
/// behind no good one, and is answered by what is in force.
#[test]
fn one_name_in_two_listeners() {
    let mut envoy = Played::new("header-router", 2);
    assert!(envoy.settle(&policy(bad(1))));
    assert!(envoy.settle(&policy(good(1)).at(1)));
    envoy.pass(10);
    assert!(envoy.is_rejected());
    assert!(!envoy.is_open(1, 0) && !envoy.is_open(1, 1));
    envoy.remove("p", 0);
    assert!(!envoy.is_rejected());

    let mut envoy = Played::new("header-router", 2);
    assert!(envoy.settle(&policy(good(1)).at(1)));
    assert!(!envoy.settle(&policy(bad(1))));
    envoy.pass(60);
    assert!(envoy.is_rejected());
    // The same policy in both is one root context.
    assert!(envoy.settle(&policy(good(2)).at(1)));
    assert!(envoy.settle(&policy(good(2))));
    envoy.pass(10);
    assert!(!envoy.is_rejected());
    envoy.remove("p", 0);
    assert!(!envoy.settle(&policy(bad(2))), "it lives in the other listener");
}

/// Whoever is deleted is told of no more.
#[test]
fn it_ends_with_its_plugin() {
    // Nothing of the filter is left: the series goes with the last VM.
    let mut envoy = Played::new("header-router", 2);
    assert!(envoy.settle(&policy(good(1))));
    assert!(!envoy.settle(&policy(bad(1))));
    assert_eq!(envoy.gauge(), [Some(1), Some(1)]);
    envoy.remove("p", 0);
    assert_eq!(envoy.gauge(), [None, None]);

    // Another plugin of the filter lives.
    for first in [good(1), bad(9)] {
        let mut envoy = Played::new("header-router", 2);
        assert!(envoy.settle(&policy(good(2)).named("other").at(1)));
        assert!(envoy.settle(&policy(first)));
        envoy.settle(&policy(bad(1)));
        assert!(envoy.is_rejected());
        envoy.remove("p", 0);
        envoy.pass(5);
        assert!(!envoy.is_rejected());
    }
}

/// A filter that must not pass traffic has no root context after a bad first policy, and nobody
/// says when its plugin is gone: the gauge stays until the plugin loads, or the filter is gone.
#[test]
fn a_plugin_that_never_loaded_is_told_until_it_does() {
    let mut envoy = Played::new("egress-policy", 2);
    let good = |number: u64| {
        format!(
            r#"{{"default": "allow", "rules": [{{"name": "n{number}", "action": "deny", "to": {{"hosts": ["a.example"]}}}}]}}"#
        )
    };
    assert!(!envoy.settle(&policy(bad(1))));
    assert_eq!(envoy.gauge(), [None, None], "there is no VM that could say it");
    assert!(envoy.settle(&policy(good(1)).named("other").at(1)));
    assert!(!envoy.settle(&policy(bad(2))));
    envoy.pass(60);
    assert!(envoy.is_rejected());
    assert!(envoy.settle(&policy(good(2))));
    envoy.pass(60);
    assert!(!envoy.is_rejected());
}

/// A filter that has rejected nothing has one series, in the labels of its policy.
#[test]
fn it_is_told_in_both_grammars_once_a_policy_was_rejected() {
    let mut envoy = Played::new("header-router", 1);
    assert!(envoy.settle(&policy(r#"{"labels": "stock"}"#)));
    assert_eq!(envoy.gauge(), [None, Some(0)]);
    let mut envoy = Played::new("header-router", 1);
    assert!(envoy.settle(&policy("{}")));
    assert_eq!(envoy.gauge(), [Some(0), None]);
    assert!(!envoy.settle(&policy(r#"{"labels": "stock", "ruls": 1}"#)));
    assert_eq!(envoy.gauge(), [Some(1), Some(1)]);
    assert!(envoy.settle(&policy(r#"{"labels": "stock"}"#)));
    envoy.pass(5);
    assert_eq!(envoy.gauge(), [Some(0), Some(0)]);
}
