//! The host that a policy moves a request to: is it known where the policy runs?

use narrows::lint::{self, Options};
use narrows::source::SourceFile;

use super::{APP, CLIENT, INGRESS, MOVES, SERVER, codes, plugin};

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
        let checked = lint::check(SourceFile { path: String::new(), text }, &Options::default());
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
