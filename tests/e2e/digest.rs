//! The gauge `narrows_policy_digest` on a real Envoy: the number that `narrows digest` prints.

use narrows_core::{PolicyValue, policy_digest};
use narrows_harness::form::Form;
use narrows_tests::{Bench, is_merged, shipped};

/// The gauge's values, by name.
fn shown(bench: &Bench) -> Vec<(String, u64)> {
    let stats = bench.envoy.stats().unwrap().into_iter();
    stats.filter(|(name, _)| name.contains("narrows_policy_digest")).collect()
}

#[test]
fn a_proxy_shows_the_number_of_each_shipped_policy() {
    if Form::chosen() != Form::Modules {
        return;
    }
    for policy in shipped::policies().iter().filter(|policy| policy.filter != "narrows") {
        let bench = Bench::of(&[(&policy.filter, &policy.delivered)]).workers(2).start().unwrap();
        let shown = shown(&bench);
        let values: Vec<u64> = shown.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [policy.digest], "{}: {shown:?}", policy.file.display());
        // Prometheus keeps a double.
        let page = bench.envoy.admin_get("/stats/prometheus").unwrap();
        let line =
            page.lines().find(|line| line.contains("policy_digest") && !line.starts_with('#')).unwrap();
        assert!(line.ends_with(&format!(" {}", policy.digest)), "{line}");
    }
}

#[test]
fn a_push_moves_it_and_a_refused_one_does_not() {
    if is_merged() {
        return;
    }
    let filter = "header-router";
    let policy = |to: &str| format!(r#"{{ "rules": [ {{ "name": "r", "route": {{ "to": "{to}" }} }} ] }}"#);
    let number = |text: &str| policy_digest(&PolicyValue::parse(text.as_bytes()).unwrap());
    let bench = Bench::discovered(filter, &policy("one"), None).unwrap();
    let name = shown(&bench).first().map(|(name, _)| name.clone()).unwrap();
    assert!(name.contains("plugin=.=narrows.header-router;.;"), "{name}");
    bench.envoy.wait_for_stat(&name, |value| value == number(&policy("one"))).unwrap();
    assert!(bench.push(filter, &policy("two"), None).unwrap());
    bench.envoy.wait_for_stat(&name, |value| value == number(&policy("two"))).unwrap();
    assert!(!bench.push(filter, r#"{ "rulez": 1 }"#, None).unwrap());
    assert_eq!(bench.envoy.stat(&name).unwrap(), number(&policy("two")));
    assert_eq!(shown(&bench).len(), 1);
}
