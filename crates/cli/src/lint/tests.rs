use std::fmt::Write as _;

use super::check;
use super::options::Options;
use super::run::{File, Run};
use crate::source::SourceFile;

/// Plugins of a cluster: each workload has its own, every tenth has two, and one is for all.
fn cluster(plugins: usize) -> SourceFile {
    let mut text = String::new();
    for i in 0..plugins {
        let (namespace, app) = (i % 50, i - usize::from(i % 10 == 1));
        let selector = if i == 7 {
            String::new()
        } else {
            format!("selector: {{ matchLabels: {{ app: a{app}, tier: web }} }}, ")
        };
        let filter = if i % 2 == 0 { "header-router" } else { "canary-split" };
        write!(
            text,
            "---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: p{i}, namespace: n{namespace} }}\n\
             spec: {{ {selector}url: \"oci://r.example/n/{filter}:0.1.0\", pluginConfig: {{ trust: mesh }} }}\n"
        )
        .unwrap();
    }
    SourceFile { path: String::new(), text }
}

#[test]
fn work_grows_with_the_plugins_and_not_with_their_pairs() {
    let options = Options::default();
    let compared = |plugins| {
        let files = [File::read(&cluster(plugins), &options)];
        let run = Run::new(&files, &options);
        assert_eq!(run.attached.len(), plugins);
        run.meetings.compared
    };
    let (one, four) = (compared(1_000), compared(4_000));
    assert!(four <= one * 5, "{one} comparisons for 1,000 plugins, {four} for 4,000");
    assert!(one < 20_000, "{one}");
}

#[test]
fn the_index_finds_what_comparing_every_pair_finds() {
    let options = Options::default();
    let mut text = cluster(60).text;
    for (name, more) in [("root", "namespace: istio-system"), ("none", ""), ("one", "namespace: n1")] {
        for (i, choice) in [
            "",
            "selector: { matchLabels: { tier: web } }, ",
            "selector: { matchLabels: { app: a1, tier: web } }, ",
            "targetRefs: [{ kind: Gateway, group: gateway.networking.k8s.io, name: g }], ",
        ]
        .iter()
        .enumerate()
        {
            let filter = if i % 2 == 0 { "metric-tags" } else { "header-router" };
            write!(
                text,
                "---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name}{i}, {more} }}\n\
                 spec: {{ {choice}url: \"oci://r.example/n/{filter}:0.1.0\", pluginConfig: {{ trust: mesh }} }}\n"
            )
            .unwrap();
        }
    }
    let files = [File::read(&SourceFile { path: String::new(), text }, &options)];
    let run = Run::new(&files, &options);
    let mut met = 0;
    for (i, later) in run.attached.iter().enumerate() {
        let name = |one: &super::attached::Attached<'_>| format!("{:?}", one.name());
        let expected: Vec<_> = run.attached.iter().take(i).filter(|one| one.meets(later)).map(name).collect();
        let found: Vec<_> = run.meetings.before(i, &run.attached).map(name).collect();
        met += expected.len();
        assert_eq!(found, expected, "{:?}", later.name());
        let expected: Vec<_> = run.attached.iter().filter(|one| one.covers(later)).map(name).collect();
        let found: Vec<_> = run.meetings.covering(i, &run.attached).map(name).collect();
        assert_eq!(found, expected, "{:?}", later.name());
    }
    assert!(met > 100, "{met}");
}

/// A number of a resource is read by others as well; a policy has its own findings.
#[test]
fn disputed_numbers_of_a_resource_are_found() {
    let plugin = |priority: &str, port: &str, weight: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: s, namespace: a }}\nspec:\n  \
             url: oci://r.example/narrows/canary-split:1\n  phase: STATS\n  priority: {priority}\n  \
             match: [{{ mode: CLIENT, ports: [{{ number: {port} }}] }}]\n  selector: {{ matchLabels: {{ app: web }} }}\n  \
             pluginConfig: {{ splits: [{{ name: s, key: [{{ header: x }}], backends: [{{ name: a, baseline: true }}, \
             {{ name: b, to: b, weight: {weight} }}] }}] }}\n"
        )
    };
    let service = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: s }\nspec:\n  hosts: [a.example]\n  \
                   ports: [{ name: http, number: 0120, protocol: HTTP }]\n";
    for (text, places) in [
        (plugin("200", "8080", "10"), &[][..]),
        (plugin("0310", "8080", "10"), &["spec.priority"]),
        (plugin("200", "08080", "10"), &["spec.match[0].ports[0].number"]),
        (plugin("0310", "8080", "010"), &["spec.priority", ""]),
        (service.to_owned(), &["spec.ports[0].number"]),
        // It is refused as no string.
        (plugin("200", "8080", "10").replace("app: web", "app: 010"), &[]),
        (service.replace("0120", "80").replace("http,", "\"010\","), &[]),
    ] {
        let source = SourceFile { path: "p.yaml".to_owned(), text };
        let checked = check(source, &Options::default());
        let disputed = checked.findings.iter().filter(|finding| finding.code.id == "NRW630");
        let found: Vec<_> = disputed.map(|finding| finding.place.as_str()).collect();
        assert_eq!(found, places, "{}", checked.source.text);
    }
}
