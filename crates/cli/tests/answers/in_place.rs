//! What changes a file in place changes what it says, and nothing else.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

/// Runs `set-weight` on a text, with this name after the file.
fn set(here: &Path, text: &str, name: &str, backend: &str) -> (Option<i32>, String, String) {
    fs::write(here.join("p.yaml"), text).unwrap();
    let file = format!("p.yaml{name}");
    let (code, output, errors) =
        narrows(here, &["set-weight", &file, "--backend", backend, "10", "--allow-back"]);
    (code, format!("{output}{errors}"), fs::read_to_string(here.join("p.yaml")).unwrap())
}

/// A plugin with a split in this namespace.
fn plugin(name: &str, namespace: &str, weight: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name}, namespace: {namespace} }}\n\
         spec:\n  url: oci://r.example/narrows/canary-split:0.1.0\n  pluginConfig:\n    filter: canary-split\n    \
         splits:\n    - name: s\n      key: [{{ header: x }}]\n      backends:\n      - {{ name: a, baseline: true }}\n      \
         - {{ name: b, to: b, weight: {weight} }}\n"
    )
}

/// Envoy's configuration with two filters, as YAML in a `ConfigMap`.
fn configured(one: &str, two: &str) -> String {
    let filter = |value: &str| {
        format!(
            "    - name: narrows.canary-split\n      typed_config:\n        \
             \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n        config:\n          \
             name: narrows.canary-split\n          configuration:\n            \
             \"@type\": type.googleapis.com/google.protobuf.StringValue\n            value: {value}\n"
        )
    };
    let filters = filter(one) + &filter(two);
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: e }}\ndata:\n  envoy.yaml: |\n    http_filters:\n{filters}"
    )
}

/// The same policy as JSON in a text of YAML.
fn json(weight: &str) -> String {
    format!(
        r#"'{{"filter": "canary-split", "splits": [{{"name": "s", "key": [{{"header": "x"}}], "backends":
                [{{"name": "a", "baseline": true}}, {{"name": "b", "to": "b", "weight": {weight}}}]}}]}}'"#
    )
    .replace('\n', "")
}

const SPLIT: &str = "filter: canary-split\nsplits:\n- name: s\n  key: [{ header: x }]\n  backends:\n  - { name: a, baseline: true }\n";

#[test]
fn what_an_alias_would_change_too_is_named() {
    let here = directory("in-place-alias");
    let element = |text: &str| text.replace('\n', "\n  ").trim_end().replacen("apiV", "- apiV", 1);
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}\n{}\n",
        element(&plugin("one", "a", "&w 20")),
        element(&plugin("two", "a", "*w"))
    );
    for (text, name, told) in [
        (
            list.as_str(),
            "#one",
            "items[0].spec.pluginConfig.splits[0].backends[1].weight and \
             items[1].spec.pluginConfig.splits[0].backends[1].weight are one value by an alias",
        ),
        (
            &format!("{SPLIT}  - {{ name: b, to: b, weight: &w 5 }}\n  - {{ name: c, to: c, weight: *w }}\n"),
            "",
            "splits[0].backends[1].weight and splits[0].backends[2].weight are one value by an alias",
        ),
        (
            &format!("{}  priority: *w\n", plugin("one", "a", "&w 20")),
            "",
            "weight and spec.priority are one value by an alias",
        ),
        (
            &configured(&format!("&w {}", json("20")), "*w"),
            "#1",
            "policy 1: splits[0].backends[1].weight and policy 2: splits[0].backends[1].weight are one value",
        ),
    ] {
        let (code, said, written) = set(&here, text, name, "b");
        assert!(code == Some(2) && said.contains(told), "{told}: {said}");
        assert!(said.contains("write the weight out in each place"), "{said}");
        assert_eq!(written, text);
    }
    // The alias itself is one place, and so is what nobody repeats.
    for (text, name, old, new) in
        [(list.as_str(), "#two", "*w", "10"), (&plugin("one", "a", "&w 20"), "", "&w 20", "&w 10")]
    {
        let (code, said, written) = set(&here, text, name, "b");
        assert_eq!((code, written), (Some(0), text.replace(old, new)), "{said}");
    }
}

#[test]
fn what_is_written_by_an_alias_has_no_place_of_its_own() {
    let here = directory("in-place-by-alias");
    let split = |backends: &str| {
        format!("- {{ name: S, key: [{{ header: x }}], hosts: [S.example], backends: {backends} }}\n")
    };
    let backends = "[{ name: a, baseline: true }, { name: b, to: b, weight: 5 }]";
    let two = |one: &str, two: &str| {
        format!(
            "filter: canary-split\nsplits:\n{}{}",
            split(one).replace('S', "t"),
            split(two).replace('S', "s")
        )
    };
    let merged = "[{ name: a, baseline: true }, { <<: *m, name: b, to: b }]";
    let defined = backends.replace("{ name: b", "&m { name: b");
    for (text, name) in [
        (two(&format!("&b {backends}"), "*b"), ""),
        (two(&defined, "[{ name: a, baseline: true }, *m]"), ""),
        (two(&defined, merged), ""),
        (configured(&format!("&w {}", json("20")), "*w"), "#2"),
    ] {
        fs::write(here.join("p.yaml"), &text).unwrap();
        let file = format!("p.yaml{name}");
        let (code, _, errors) =
            narrows(&here, &["set-weight", &file, "--split", "s", "--backend", "b", "10"]);
        let (before, _) = text.rsplit_once('*').unwrap();
        let place = (before.lines().count(), before.lines().last().unwrap().len() + 1);
        let told = format!(
            "error: the weight is written by an alias, at line {}, column {}\n  = help: write it out in each place\n",
            place.0, place.1
        );
        assert_eq!((code, errors), (Some(2), told), "{text}");
        assert_eq!(fs::read_to_string(here.join("p.yaml")).unwrap(), text);
    }
}

#[test]
fn a_name_in_two_namespaces_is_not_one_policy() {
    let here = directory("in-place-namespaces");
    let both = |of_b: &str| format!("{}---\n{}", plugin("stock", "a", "20"), plugin("stock", of_b, "20"));
    let text = both("b");
    for (name, told) in [
        (
            "",
            "there are several policies in \"p.yaml\"\n  = help: choose one: p.yaml#a/stock, p.yaml#b/stock",
        ),
        (
            "#stock",
            "several policies in \"p.yaml\" are called \"stock\"\n  = help: choose one: p.yaml#a/stock, p.yaml#b/stock",
        ),
        ("#c/stock", "there is no policy \"c/stock\" in \"p.yaml\"\n  = help: write one of a/stock, b/stock"),
    ] {
        let (code, said, written) = set(&here, &text, name, "b");
        assert!(code == Some(2) && said.contains(told), "{name}: {said}");
        assert_eq!(written, text);
    }
    for name in ["#b/stock", "#2"] {
        let (code, said, written) = set(&here, &text, name, "b");
        let expected = both("b").replacen("weight: 20", "weight: X", 1).replace("weight: 20", "weight: 10");
        assert_eq!((code, written), (Some(0), expected.replace("weight: X", "weight: 20")), "{said}");
    }
    // Commands that only read take no other one either.
    let (code, _, errors) = narrows(&here, &["digest", "p.yaml#stock"]);
    assert!(code == Some(2) && errors.contains("choose one: p.yaml#a/stock, p.yaml#b/stock"), "{errors}");
    // One name in one namespace: only their numbers tell them apart.
    let (code, said, _) = set(&here, &both("a").replacen("20", "30", 1), "#stock", "b");
    assert!(code == Some(2) && said.contains("choose one: p.yaml#1, p.yaml#2"), "{said}");
}

#[test]
fn a_weight_without_a_value_gets_one() {
    let here = directory("in-place-null");
    let block = format!("{SPLIT}  - name: b\n    weight: # none yet\n    to: b\n");
    let ramp = "ramp: { steps: [{ at: \"2019-06-02T07:00:00Z\", weight: 5 }] }";
    for (text, old, new) in [
        (block.clone(), "weight:", "weight: 10"),
        (block.replace("weight:", "weight: null"), "weight: null", "weight: 10"),
        (block.replace("weight:", "weight: ~"), "weight: ~", "weight: 10"),
        (block.replace("weight:", "\"weight\" :"), "\"weight\" :", "\"weight\" : 10"),
        (format!("{SPLIT}  - {{ name: b, to: b, weight: }}\n"), "weight:", "weight: 10"),
        (format!("{SPLIT}  - {{ name: b, to: b, weight }}\n"), "weight", "weight: 10"),
    ] {
        let (code, said, written) = set(&here, &text, "", "b");
        assert_eq!((code, written), (Some(0), text.replace(old, new)), "{text}: {said}");
        assert!(said.contains("backend \"b\": none -> 10"), "{said}");
    }
    // Beside a ramp it takes the ramp's place.
    let text = block.replace("    to: b\n", &format!("    to: b\n    {ramp}\n"));
    let (code, said, written) = set(&here, &text, "", "b");
    let expected = text.replace("weight: #", "weight: 10 #").replace(ramp, "ramp: null");
    assert_eq!((code, written), (Some(0), expected), "{said}");
    assert!(said.contains("backend \"b\": its ramp -> 10"), "{said}");
}

/// Records into a file with this name, and runs it then.
fn recorded(here: &Path, name: &str, text: &str) -> String {
    fs::write(here.join(name), text).unwrap();
    let (code, output, errors) = narrows(here, &["test", name, "--record"]);
    assert_eq!(code, Some(0), "{text}: {output}{errors}");
    let (code, output, errors) = narrows(here, &["test", name]);
    let written = fs::read_to_string(here.join(name)).unwrap();
    assert_eq!(code, Some(0), "{written}: {output}{errors}");
    written
}

#[test]
fn what_is_recorded_in_json_is_json() {
    let here = directory("in-place-json");
    let file = |rule: &str, expect: &str| {
        format!(
            r#"{{"policy": {{"filter": "header-router", "rules": [{{"name": "a", {rule}}}]}},
 "cases": [{{"name": "one", "send": {{"target": "/a"}}{expect}}}]}}
"#
        )
    };
    let rewrite = r#""rewrite": {"path": {"replaceFull": "/b"}}"#;
    let respond = r#""respond": {"status": 404}"#;
    for (rule, old, new) in [
        (
            rewrite,
            r#", "expect": {"upstream": {"target": "/a"}}"#,
            r#", "expect": {"upstream": {"target": "/b"}}"#,
        ),
        (respond, r#", "expect": {"upstream": {"target": "/a"}}"#, r#", "expect": {"reply":{"status":404}}"#),
        (
            respond,
            "",
            r#", "expect": {"reply":{"status":404},"state":{"narrows_rule":"a","narrows_stripped":"x-narrows-*"}}"#,
        ),
    ] {
        assert_eq!(recorded(&here, "c.json", &file(rule, old)), file(rule, new));
    }
}

const CASES: &str = "policy:
  filter: header-router
  rules:
  - name: a
    requestHeaders: { set: { x-new: \"1\" } }
cases:
- name: one
  send: { target: /a, headers: [\"x-old: 1\"] }
";

#[test]
fn a_list_ends_before_the_fields_beside_its_key() {
    let here = directory("in-place-list");
    let text = format!(
        "{CASES}  expect:\n    upstream:\n      absent:\n      - x-new\n      # gone too\n      - x-other\n      headers:\n        \
         x-old: \"1\" # must stay\n"
    );
    let written = recorded(&here, "c.yaml", &text);
    let expected = "  expect:\n    upstream:\n      absent: [x-other]\n      headers:\n        x-old: \"1\" # must stay\n        \
                    x-new: \"1\"\n";
    assert_eq!(written, format!("{CASES}{expected}"));
}

#[test]
fn an_alias_among_expectations_is_not_recorded() {
    let here = directory("in-place-expect");
    let text = format!("{CASES}  expect: {{ upstream: {{ headers: {{ x-new: &v \"2\" }} }} }}\nabout: *v\n");
    fs::write(here.join("c.yaml"), &text).unwrap();
    let (code, _, errors) = narrows(&here, &["test", "c.yaml", "--record"]);
    assert!(code == Some(2) && errors.contains("something else than these expectations"), "{errors}");
    assert!(errors.contains("help: write out in each place what the alias *v stands for"), "{errors}");
    assert_eq!(fs::read_to_string(here.join("c.yaml")).unwrap(), text);
    // The whole of them may be one.
    let second = "- name: two\n  send: { target: /b }\n  expect: *e\n";
    let text = format!("{CASES}  expect: &e {{ upstream: {{ target: /c }} }}\n{second}");
    fs::write(here.join("c.yaml"), &text).unwrap();
    let (code, _, errors) = narrows(&here, &["test", "c.yaml", "--record"]);
    let told = "help: write out in each place what the alias *e stands for";
    assert!(code == Some(2) && errors.contains(told), "{errors}");
    assert_eq!(fs::read_to_string(here.join("c.yaml")).unwrap(), text);
}
