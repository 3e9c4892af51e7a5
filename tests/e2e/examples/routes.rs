//! The routes that a policy counts on: does the value that it writes lead anywhere?

use std::collections::BTreeSet;

use serde_json::Value;

use super::{documents, folders, policies, yaml_in};

#[test]
fn every_route_header_has_a_route_and_every_subset_a_rule() {
    let mut written = 0;
    for example in folders() {
        let manifests: Vec<Value> =
            yaml_in(&example.join("istio")).iter().flat_map(|path| documents(path)).collect();
        let of_kind = |kind: &'static str| manifests.iter().filter(move |m| m["kind"] == kind).cloned();

        let policies: Vec<Value> = policies(&example).iter().flat_map(|path| documents(path)).collect();
        let to: BTreeSet<String> = strings(&policies, &|key, _| key == "to");
        let routes: Vec<Value> = of_kind("VirtualService").collect();
        let matched = strings(&routes, &|key, path| key == "exact" && path.contains(&"x-narrows-route"));
        assert_eq!(to, matched, "{}: what is written and what is matched", example.display());
        written += to.len();

        let subsets = strings(&routes, &|key, _| key == "subset");
        let rules: Vec<Value> =
            of_kind("DestinationRule").map(|rule| rule["spec"]["subsets"].clone()).collect();
        let ruled = strings(&rules, &|key, _| key == "name");
        assert!(subsets.is_subset(&ruled), "{}: {subsets:?} of {ruled:?}", example.display());
    }
    assert!(written >= 2, "only {written} route headers written");
}

/// The page's names: what the reference platform has made is what the example attaches to.
#[test]
fn hello_helidon_has_the_names_of_the_page() {
    let example = folders().into_iter().find(|path| path.ends_with("hello-helidon")).unwrap();
    let all: Vec<Value> = yaml_in(&example.join("istio")).iter().flat_map(|path| documents(path)).collect();
    let one = |kind: &str| all.iter().find(|manifest| manifest["kind"] == kind).unwrap();
    let (gateway, route) = (one("Gateway"), one("VirtualService"));
    assert_eq!(gateway["metadata"]["name"], "hello-helidon-hello-helidon-gw");
    assert_eq!(route["spec"]["gateways"][0], gateway["metadata"]["name"]);
    assert_eq!(route["spec"]["hosts"], gateway["spec"]["servers"][0]["hosts"]);
    for rule in route["spec"]["http"].as_array().unwrap() {
        let destination = &rule["route"][0]["destination"];
        assert_eq!(
            (&destination["host"], &destination["port"]["number"]),
            (&"hello-helidon".into(), &8080.into())
        );
    }
}

/// The strings under the fields that `wanted` chooses, by name and by the names above.
fn strings(trees: &[Value], wanted: &dyn Fn(&str, &[&str]) -> bool) -> BTreeSet<String> {
    fn walk<'v>(
        tree: &'v Value,
        path: &mut Vec<&'v str>,
        wanted: &dyn Fn(&str, &[&str]) -> bool,
        found: &mut BTreeSet<String>,
    ) {
        for (key, value) in tree.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str().filter(|_| wanted(key, path)) {
                found.insert(text.to_owned());
            }
            path.push(key);
            walk(value, path, wanted, found);
            path.pop();
        }
        tree.as_array().into_iter().flatten().for_each(|element| walk(element, path, wanted, found));
    }
    let mut found = BTreeSet::new();
    trees.iter().for_each(|tree| walk(tree, &mut Vec::new(), wanted, &mut found));
    found
}
