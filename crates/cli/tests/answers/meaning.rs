//! What a rule of lint spares, and why.

use std::fs;

use super::{directory, narrows};

const ROUTES: &str = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: shop, namespace: shop }\nspec:\n  \
    hosts: [shop]\n  http:\n  - match: [{ headers: { x-narrows-route: { TEST } } }]\n    route: [{ destination: { host: shop-v2 } }]\n  \
    - route: [{ destination: { host: shop } }]\n";

fn router(to: &str) -> String {
    format!(
        "filter: header-router\nrules:\n- name: beta\n  matches: [{{ headers: {{ x-group: {{ regex: '(.*)' }} }} }}]\n  route: {{ to: {to} }}\n"
    )
}

/// A split that takes the requests which a rule has marked.
fn split(mark: &str) -> String {
    format!(
        "---\nfilter: canary-split\nsplits:\n- name: gold\n  service: shop.shop\n  key: [{{ header: x-user }}]\n  \
         matches: [{{ headers: {{ x-narrows-route: {{ exact: {mark} }} }} }}]\n  \
         backends: [{{ name: a, baseline: true }}, {{ name: b, to: v2, weight: 5, maxWeight: 50 }}]\n"
    )
}

#[test]
fn a_destination_that_something_else_reads_is_no_mistake() {
    let here = directory("marks");
    let exact = ROUTES.replace("TEST", "exact: v2");
    for (name, text, is_told) in [
        ("unknown", router("v-2") + &exact, true),
        ("matched", router("v2") + &exact, false),
        // A split of the run looks for it, and another one for something else.
        ("marked", router("gold") + &split("gold") + &exact, false),
        ("not-marked", router("silver") + &split("gold") + &exact, true),
        // The value is made of the request, or a route takes more than one value.
        ("made", router("\"v-%REQ(x-group)%\", toValues: [v-2]") + &exact, false),
        ("prefix", router("v-2") + &ROUTES.replace("TEST", "prefix: v"), false),
        ("regex", router("v-2") + &ROUTES.replace("TEST", "regex: 'v.*'"), false),
        // No route of the files reads the header at all: they are elsewhere.
        ("elsewhere", router("v-2") + &exact.replace("x-narrows-route", "x-lane"), false),
        ("another-header", router("v-2").replace("rules:", "routeHeader: x-lane\nrules:") + &exact, false),
    ] {
        fs::write(here.join("all.yaml"), &text).unwrap();
        let (_, output, _) = narrows(&here, &["lint", "all.yaml", "--select", "NRW639,NRW1"]);
        assert_eq!(output.contains("NRW639"), is_told, "{name}: {output}");
        assert!(!output.contains("error["), "{name}: {output}");
    }
}

/// A header that no route matches is told where the files have the routes.
#[test]
fn a_header_that_no_route_matches_is_told() {
    let here = directory("no-route");
    let other = ROUTES.replace("TEST", "exact: v2").replace("x-narrows-route", "x-lane");
    let near = ROUTES.replace("TEST", "exact: v2").replace("x-narrows-route", "x-narrows-rout");
    let shop = "rules:\n- name: beta\n  matches: [{ hosts: [shop.shop.svc.cluster.local] }]";
    let hosted = |host: &str| {
        let text = format!("filter: header-router\n{shop}\n  route: {{ to: v2 }}\n");
        text.replace("shop.shop.svc.cluster.local", host)
    };
    let service = split("gold");
    let route = |hosts: &str| {
        format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: r }}\nspec:\n  \
             hostnames: [{hosts}]\n  rules: [{{ backendRefs: [{{ name: a, port: 80 }}] }}]\n"
        )
    };
    let envoy = "---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: e }\n\
                 spec: { configPatches: [{ patch: { value: { headers: [{ name: x-narrows-route }] } } }] }\n";
    let without = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: w, namespace: shop }\n\
                   spec: { hosts: [w], http: [{ match: [{ withoutHeaders: { x-narrows-route: {} } }], \
                   route: [{ destination: { host: w } }] }] }\n";
    let misspelt = "did you mean \"x-narrows-route\" there?";
    let same = "and some are of the same host";
    for (name, text, told) in [
        ("near", router("v2") + &near, Some(misspelt)),
        ("same host", hosted("shop.shop.svc.cluster.local") + &other, Some(same)),
        ("written alike", hosted("shop") + &other, Some(same)),
        ("a service", service.trim_start_matches("---\n").to_owned() + &other, Some(same)),
        ("gateway api", hosted("a.example.com") + &route("a.example.com"), Some(same)),
        ("another host", hosted("b.example.com") + &route("a.example.com"), None),
        ("another namespace", hosted("shop.other.svc.cluster.local") + &other, None),
        ("envoy's own", hosted("shop") + &other + envoy, None),
        ("without it", hosted("shop") + &other + without, None),
        (
            "delegated",
            hosted("shop")
                + &other.replace("route: [{ destination: { host: shop } }]", "delegate: { name: d }"),
            None,
        ),
        ("no routes", hosted("shop"), None),
    ] {
        fs::write(here.join("all.yaml"), &text).unwrap();
        let (_, output, _) = narrows(&here, &["lint", "all.yaml", "--select", "NRW639,NRW1"]);
        assert_eq!(output.contains("NRW639"), told.is_some(), "{name}: {output}\n{text}");
        assert!(told.is_none_or(|told| output.contains(told)), "{name}: {output}");
        assert!(!output.contains("error["), "{name}: {output}");
    }
}
