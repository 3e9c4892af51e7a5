//! Which places `lint` warns about around authorization, and which it leaves alone.

use std::process::Command;

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
         spec:\n{place}  url: oci://registry.example/{filter}:1\n  failStrategy: FAIL_RELOAD\n  pluginConfig: {{ {policy} }}\n"
    )
}

/// The codes of these plugins and resources in one run, those alone that are asked about.
fn codes(text: &str) -> Vec<&'static str> {
    let checked = lint::check(SourceFile { path: String::new(), text: text.to_owned() }, Options::default());
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
            let checked = lint::check(SourceFile { path: String::new(), text }, Options::default());
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

const GATEWAY: &str = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: istio-system }\n\
    spec:\n  selector: { app: edge }\n  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [\"shop/*.example.com\"] }]\n";

fn virtual_service(host: &str, gateways: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: v, namespace: shop }}\nspec:\n  \
         hosts: [{host:?}]\n{gateways}  http: [{{ route: [{{ destination: {{ host: b }} }}] }}]\n"
    )
}

fn http_route(parent: &str, hostnames: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: r }}\nspec:\n  \
         parentRefs: [{{ name: {parent} }}]\n{hostnames}  rules: [{{ backendRefs: [{{ name: b, port: 80 }}] }}]\n"
    )
}

#[test]
fn a_host_that_is_routed_at_the_gateway_is_known() {
    let policy = format!("trust: mesh, {MOVES}");
    let behind = ["phase: STATS", "priority: 300"];
    let edge = "selector: { matchLabels: { app: edge } }";
    let target = "targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: shop }]";
    let (at_edge, at_shop) = ("  gateways: [istio-system/edge]\n", "  gateways: [mesh, shop]\n");
    for (place, around, is_known) in [
        (INGRESS, String::new(), false),
        // By its label alone this is a sidecar's outbound side, by its Gateway it is not.
        (edge, GATEWAY.to_owned(), false),
        (edge, GATEWAY.to_owned() + &virtual_service("b.example.com", at_edge), true),
        (edge, GATEWAY.to_owned() + &virtual_service("*.example.com", at_edge), true),
        (edge, GATEWAY.to_owned() + &virtual_service("a.example.com", at_edge), false),
        (edge, GATEWAY.to_owned() + &virtual_service("b.example.com", ""), false),
        (edge, GATEWAY.to_owned() + &virtual_service("b.example.com", "  gateways: [mesh]\n"), false),
        (
            edge,
            GATEWAY.replace("*.example.com", "*.example.org") + &virtual_service("b.example.com", at_edge),
            false,
        ),
        (
            edge,
            GATEWAY.replace("shop/*.example.com", "*/*") + &virtual_service("b.example.com", at_edge),
            true,
        ),
        // Pods may have the labels of both.
        (INGRESS, GATEWAY.to_owned() + &virtual_service("b.example.com", at_edge), true),
        (
            INGRESS,
            GATEWAY.replace("app: edge", "istio: egressgateway") + &virtual_service("b.example.com", at_edge),
            false,
        ),
        // A gateway that the run does not show may be this one.
        (INGRESS, virtual_service("b.example.com", at_shop), true),
        (INGRESS, virtual_service("c.example.com", at_shop), false),
        (target, http_route("shop", "  hostnames: [b.example.com]\n"), true),
        (target, http_route("shop", "  hostnames: [a.example.com]\n"), false),
        (target, http_route("shop", ""), true),
        (target, http_route("other", "  hostnames: [b.example.com]\n"), false),
    ] {
        let plugin = plugin("p", &[place, CLIENT, behind[0], behind[1]], &policy);
        let expected: &[&str] = if is_known { &[] } else { &["NRW623"] };
        assert_eq!(codes(&(plugin + &around)), expected, "{place} {around}");
    }
}

#[test]
fn a_waypoint_is_told_by_its_targets_and_by_its_class() {
    let target = "targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: shop }]";
    let place = [target, "phase: STATS", "priority: 300"];
    let shown = |class: &str| {
        format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{ name: shop }}\nspec: {{ gatewayClassName: {class} }}\n"
        )
    };
    let message = |place: &[&str], policy: &str, around: &str| {
        let text = plugin("p", place, policy) + around;
        let checked = lint::check(SourceFile { path: String::new(), text }, Options::default());
        checked.findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
    };
    let policy = &format!("trust: mesh, {MOVES}");
    assert!(message(&place, policy, &shown("istio")).contains("404"));
    assert!(
        message(&place, policy, &shown("istio-waypoint"))
            .contains("a waypoint has routes only to its own service")
    );
    let server: Vec<&str> = place.into_iter().chain([SERVER]).collect();
    assert!(message(&server, policy, "").contains("a waypoint has routes only to its own service"));
    // To change the host that the service sees is what a rewrite is for.
    let rewrites = "trust: mesh, rules: [{ name: r, rewrite: { authority: b.example.com } }]";
    assert_eq!(message(&place, rewrites, &shown("istio-waypoint")), "");
    assert!(
        message(&[APP, SERVER, place[1], place[2]], policy, "").contains("an inbound side has one route")
    );
    assert_eq!(message(&[APP, SERVER, place[1], place[2]], rewrites, ""), "");
    // Out of a sidecar every service is known.
    assert_eq!(message(&[APP, place[1], place[2]], policy, ""), "");
}

#[test]
fn a_bare_name_takes_the_form_of_the_service_that_was_asked_for() {
    let service = virtual_service("b", "  gateways: [shop]\n");
    for (conditions, is_known) in [
        ("service: a.shop", true),
        ("service: a.other", false),
        ("hosts: [a.shop.svc.cluster.local]", true),
        ("hosts: [a.example.com]", false),
        ("hosts: [a.shop]", false),
    ] {
        let policy = format!(
            "trust: mesh, rules: [{{ name: r, matches: [{{ {conditions} }}], route: {{ authority: b }} }}]"
        );
        let plugin = plugin("p", &[INGRESS, "phase: STATS", "priority: 300"], &policy);
        let expected: &[&str] = if is_known { &[] } else { &["NRW623"] };
        assert_eq!(codes(&(plugin + &service)), expected, "{conditions}");
    }
}

/// What `render` writes is one policy to the other commands, whatever it takes to attach it.
#[test]
fn what_is_rendered_is_read_again() {
    let narrows = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_narrows"))
            .args(arguments)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
            .output()
            .unwrap();
        (
            done.status.code(),
            String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
        )
    };
    let render = |policy: &str| {
        let url = "oci://registry.example/narrows/header-router:1";
        narrows(&["render", policy, "--as", "wasm-plugin", "--target", "Gateway/shop", "--url", url])
    };
    let (code, rendered) = render("api.yaml");
    assert_eq!((code, rendered.matches("kind: WasmPlugin").count()), (Some(0), 2), "{rendered}");
    let file = std::env::temp_dir().join(format!("narrows-authorization-{}.yaml", std::process::id()));
    std::fs::write(&file, &rendered).unwrap();
    let path = file.to_str().unwrap();
    let again = render(path);
    let simulated =
        ["api.yaml", path].map(|policy| narrows(&["simulate", policy, "--requests", "shop-requests.yaml"]));
    let linted = narrows(&["lint", path]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(again.1, rendered);
    assert_eq!(simulated[0], simulated[1]);
    assert_eq!(simulated[0].0, Some(0), "{}", simulated[0].1);
    assert_eq!(linted, (Some(0), "0 errors and 0 warnings in 1 file: 2 policies, 2 manifests\n".to_owned()));
}

/// In Envoy's own files the order is that of the list.
#[test]
fn a_chain_of_envoys_is_judged_by_its_order() {
    let own = |filter: &str, policy: &str| {
        format!(
            "{{ name: {filter}, typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, \
             config: {{ name: narrows.{filter}, vm_config: {{ code: {{ local: {{ filename: dist/{filter}.wasm }} }} }}, \
             configuration: {{ \"@type\": type.googleapis.com/google.protobuf.StringValue, value: '{policy}' }} }} }} }}"
        )
    };
    let rbac = |rules: &str, by: &str| {
        format!(
            "{{ name: rbac, typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, \
             {rules}: {{ action: DENY, policies: {{ p: {{ permissions: [{{ and_rules: {{ rules: [{by}] }} }}], \
             principals: [{{ any: true }}] }} }} }} }} }}"
        )
    };
    let path = rbac("rules", "{ url_path: { path: { prefix: /api } } }");
    let host = rbac("rules", "{ header: { name: \":authority\", string_match: { exact: a } } }");
    let user = rbac("rules", "{ header: { name: X-User, string_match: { exact: root } } }");
    let port = rbac("rules", "{ destination_port: 80 }");
    let shadow = rbac("shadow_rules", "{ url_path: { path: { prefix: /api } } }");
    let router = |policy: &str| own("header-router", policy);
    let rewrites = router(
        r#"{"strip": ["x-user"], "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#,
    );
    let reports =
        router(r#"{"mode": "report", "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#);
    let moves = router(r#"{"rules": [{"name": "r", "route": {"authority": "b"}}]}"#);
    let strips = router(r#"{"strip": ["x-user"], "rules": []}"#);
    let restores = own(
        "canary-split",
        r#"{"trust": "mesh", "restoreHost": true, "splits": [{"name": "s", "service": "a.b", "key": [{"header": "u"}],
            "backends": [{"name": "a", "baseline": true}, {"name": "b", "authority": "b", "weight": 5}]}]}"#,
    );
    for (chain, expected) in [
        (vec![&rewrites, &path], &["NRW621"][..]),
        (vec![&path, &rewrites], &[]),
        (vec![&rewrites, &host], &[]),
        (vec![&rewrites, &port, &shadow], &[]),
        (vec![&reports, &path], &[]),
        (vec![&moves, &host], &["NRW621"]),
        (vec![&moves, &path], &[]),
        (vec![&user, &rewrites], &["NRW622"]),
        (vec![&strips, &user, &path, &rewrites], &[]),
        (vec![&user, &strips, &rewrites], &["NRW622", "NRW622"]),
        (vec![&rewrites, &user], &[]),
        (vec![&host, &restores], &["NRW622"]),
        (vec![&restores, &host], &[]),
        (vec![&path, &restores], &[]),
    ] {
        let filters: String = chain.iter().map(|filter| format!("  - {filter}\n")).collect();
        let found = codes(&format!("http_filters:\n{filters}"));
        assert_eq!(found, expected, "{filters}");
    }
}
