//! Policies of one plugin, and of two that were one.

use super::*;

#[test]
fn a_merged_policy_that_loses_its_splits_sends_users_back() {
    let split = SPLIT.split_once("splits:").unwrap().1.replace('\n', "\n  ");
    let old = format!("filter: narrows\ntrust: mesh\nsplit:\n  splits:{}\n", split.trim_end());
    let (code, output) = diff("merged", &old, (&old, "filter: narrows\ntrust: mesh\n"), &[]);
    assert!(code == Some(1) && output.contains("someone may be sent back\n"), "{output}");
}

#[test]
fn two_plugins_of_one_policy_are_one() {
    let plugin = |name: &str, rest: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name} }}\nspec:
  url: oci://r/narrows/header-router:0.1.0\n  pluginConfig:\n    filter: header-router
    strip: [x-internal-user]\n    rules: {rest}\n"
        )
    };
    let rule = "[{ name: api, matches: [{ path: { pathPrefix: /api } }], route: { to: v2 } }]";
    let two = format!("{}---\n{}", plugin("strip", "[]"), plugin("routes", rule));
    assert_eq!(
        diff("plugins", &two, ("name: api", "name: api"), &[]),
        (Some(0), "no difference\n".to_owned())
    );
    let (_, output) = diff("plugins", &two, ("v2", "v3"), &[]);
    assert!(output.contains("rule api differs in route\n"), "{output}");
    // Two of another filter are two.
    let two = format!("{}---\n{}", plugin("a", &rule.replace("v2", "v3")), plugin("b", rule));
    let (code, output) = diff("plugins", &two, ("name: api", "name: api"), &[]);
    assert_eq!(code, Some(2));
    assert!(output.contains("there are several policies in \"old.yaml\"\n"), "{output}");
    assert!(output.contains("choose one: old.yaml#a, old.yaml#b\n"), "{output}");
}

#[test]
fn a_rollout_of_a_merged_policy_is_no_other_decision() {
    let split =
        "split:\n  splits:\n    - name: stock\n      service: stock.shop\n      key: [{ header: x-user-id }]
      backends: [{ name: stable, baseline: true }, { name: canary, authority: stock-canary, weight: 0 }]\n";
    let rules = "router:\n  rules: [{ name: beta, matches: [{ headers: { x-beta: { exact: '1' } } }], requestHeaders: { set: { x-a: b } } }]\n";
    let old = format!("filter: narrows\n{rules}{split}");
    let options = ["--requests", "requests.yaml"];
    let (code, output) = diff("rollout", &old, ("weight: 0", "weight: 100"), &options);
    assert!(code == Some(0) && output.contains("2 of 3 requests are decided otherwise\n"), "{output}");
    // Everything else is another decision: of another rule, of a header that no rule sees, of what may leave.
    let strips = "      override: { header: x-beta }\n      backends";
    let may_leave = format!(
        "{old}egress:\n  default: deny\n  rules: [{{ name: own, action: allow, to: {{ hosts: [stock.shop] }} }}]\n"
    );
    for (old, replace, with) in [
        (&old, "x-a: b", "x-a: c"),
        (&old, "router:", "router:\n  mode: report"),
        (&old, "      backends", strips),
        (&may_leave, "weight: 0", "weight: 100"),
    ] {
        let (code, output) = diff("rollout", old, (replace, with), &options);
        assert!(code == Some(1) && !output.contains("0 of 3 requests"), "{with}{output}");
        assert!(output.contains("nobody is sent back\n"), "{with}{output}");
        assert_eq!(
            diff("rollout", old, (replace, with), &[&options[..], &["--allow-changes"]].concat()).0,
            Some(0)
        );
    }
}
