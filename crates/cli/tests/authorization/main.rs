//! Which places `lint` warns about around authorization, and which it leaves alone.

mod chain;
mod hosts;
mod rendered;

use narrows::lint::{self, Options};
use narrows::source::SourceFile;

const REWRITES: &str = "rules: [{ name: r, rewrite: { path: { replaceFull: /x } } }]";
const STRIPS: &str = "strip: [x-user], rules: [{ name: r, route: { to: v2 } }]";
const MOVES: &str = "rules: [{ name: r, route: { authority: b.example.com } }]";
const SPLITS: &str = "splits: [{ name: s, hosts: [a.example.com], key: [{ cookie: u }], override: { header: x-canary }, \
                      backends: [{ name: a, baseline: true }, { name: b, to: b, weight: 5 }] }]";
const RESTORES: &str = "trust: mesh, restoreHost: true, splits: [{ name: s, service: a.shop, key: [{ cookie: u }], \
                        backends: [{ name: a, baseline: true }, { name: b, authority: b, weight: 5 }] }]";

const INGRESS: &str = "selector: { matchLabels: { istio: ingressgateway } }";
const APP: &str = "selector: { matchLabels: { app: shop } }";
const CLIENT: &str = "match: [{ mode: CLIENT }]";
const SERVER: &str = "match: [{ mode: SERVER }]";

/// A plugin of a name, where it attaches, and its policy.
fn plugin(name: &str, place: &[&str], policy: &str) -> String {
    let filter = if policy.contains("splits:") { "canary-split" } else { "header-router" };
    let place: String = place.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name}, namespace: istio-system }}\n\
         spec:\n{place}  url: oci://registry.example/{filter}:0.1.0\n  failStrategy: FAIL_RELOAD\n  pluginConfig: {{ {policy} }}\n"
    )
}

/// The codes of these plugins and resources in one run, those alone that are asked about.
fn codes(text: &str) -> Vec<&'static str> {
    let checked = lint::check(SourceFile { path: String::new(), text: text.to_owned() }, &Options::default());
    let errors: Vec<_> = checked.findings.iter().filter(|f| f.message.contains("cannot be read")).collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    let asked = ["NRW621", "NRW622", "NRW623"];
    checked.findings.iter().map(|finding| finding.code.id).filter(|code| asked.contains(code)).collect()
}

fn slot(phase: &str) -> [String; 2] {
    [format!("phase: {phase}"), "priority: 200".to_owned()]
}

#[test]
fn each_place_of_each_policy() {
    let target =
        |kind: &str, group: &str| format!("targetRefs: [{{ group: {group:?}, kind: {kind}, name: shop }}]");
    let gateway = target("Gateway", "gateway.networking.k8s.io");
    let service = target("Service", "");
    let class =
        "targetRefs: [{ group: gateway.networking.k8s.io, kind: GatewayClass, name: istio-waypoint }]";
    // Where authorization runs: what is wrong before it, and what behind it.
    let there: [&[&str]; 8] = [
        &[INGRESS],
        &[INGRESS, CLIENT],
        &[APP],
        &[APP, SERVER],
        &[gateway.as_str()],
        &[service.as_str()],
        &[class],
        // In the root namespace that is every proxy, and so the gateways too.
        &[CLIENT],
    ];
    for place in there {
        for (policy, before, behind) in [
            (REWRITES, &["NRW621"][..], &["NRW622"][..]),
            (STRIPS, &[], &["NRW622"]),
            (SPLITS, &[], &["NRW622"]),
            (RESTORES, &[], &["NRW622"]),
            (&format!("trust: mesh, {REWRITES}"), &["NRW621"], &[]),
            (&format!("mode: report, {REWRITES}"), &[], &[]),
            (&format!("mode: \"off\", {REWRITES}"), &[], &[]),
            (
                "trust: mesh, rules: [{ name: r, mode: report, rewrite: { authority: b.example.com } }]",
                &[],
                &[],
            ),
            (
                "trust: mesh, rules: [{ name: r, mode: \"off\", rewrite: { path: { replaceFull: /x } } }]",
                &[],
                &[],
            ),
            ("", &[], &[]),
        ] {
            for (phase, expected) in
                [("AUTHN", before), ("AUTHZ", before), ("STATS", behind), ("UNSPECIFIED_PHASE", behind)]
            {
                let slot = slot(phase);
                let place: Vec<&str> = place.iter().copied().chain(slot.iter().map(String::as_str)).collect();
                assert_eq!(codes(&plugin("p", &place, policy)), expected, "{place:?} {policy}");
            }
        }
    }
    for phase in ["AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE"] {
        for policy in [REWRITES, STRIPS, SPLITS, RESTORES, MOVES] {
            let slot = slot(phase);
            let place = [APP, CLIENT, &slot[0], &slot[1]];
            assert_eq!(codes(&plugin("p", &place, policy)), [""; 0], "{policy} in {phase}");
        }
    }
}

/// Without a mode it runs inbound too: perhaps nobody meant that.
#[test]
fn where_no_side_is_said_the_other_remedy_is() {
    for (place, said) in
        [(&[APP][..], true), (&[APP, SERVER], false), (&[INGRESS], false), (&[CLIENT], false)]
    {
        for (policy, phase) in [(REWRITES, "phase: AUTHZ"), (STRIPS, "phase: STATS")] {
            let text = plugin("p", &[place, &[phase, "priority: 300"]].concat(), policy);
            let checked = lint::check(SourceFile { path: String::new(), text }, &Options::default());
            let helps: Vec<_> =
                checked.findings.iter().filter(|finding| finding.code.id.starts_with("NRW62")).collect();
            assert_eq!(helps.len(), 1, "{place:?} {policy}");
            assert_eq!(helps[0].help.contains("mode CLIENT"), said, "{place:?} {policy}");
        }
    }
}

#[test]
fn one_that_strips_before_it_is_enough() {
    let behind = |policy: &str| plugin("late", &[INGRESS, "phase: STATS", "priority: 200"], policy);
    let before = |place: &[&str], policy: &str| {
        plugin("early", &[place, &["phase: AUTHN", "priority: 200"][..]].concat(), policy)
    };
    for (place, policy, is_enough) in [
        (&[INGRESS][..], "strip: [x-user], rules: []", true),
        (&[INGRESS, CLIENT], "strip: [x-user], rules: []", false),
        (&[], "strip: [x-*], rules: []", true),
        (&[INGRESS], "strip: [x_user], rules: []", true),
        (&[INGRESS], "strip: [x-other], rules: []", false),
        (&[INGRESS], "mode: report, strip: [x-user], rules: []", false),
        (&[INGRESS], "trust: mesh, strip: [x-user], rules: []", false),
        (&["selector: { matchLabels: { istio: egressgateway } }"], "strip: [x-user], rules: []", false),
    ] {
        let late = behind("strip: [x-user], rules: [{ name: r, rewrite: { path: { replaceFull: /x } } }]");
        let expected: &[&str] = if is_enough { &[] } else { &["NRW622"] };
        assert_eq!(codes(&(before(place, policy) + &late)), expected, "{place:?} {policy}");
    }
}
