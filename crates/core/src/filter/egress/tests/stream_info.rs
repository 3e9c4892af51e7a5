//! Of who calls, over which connection, and where Envoy's route leads.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Outbound;
use super::{CALL, Call, StreamInfo, compile, decide, outcome};
use crate::action::edit::Edit;
use crate::policy::Policy;

#[test]
fn a_missing_identity_matches_no_from() {
    let rule = |from: &str| {
        compile(&format!(r#"{{"rules": [{{"name": "r", "action": "allow", "from": {from}}}]}}"#)).unwrap()
    };
    let sidecar = Call {
        stream_info: StreamInfo { namespace: Some(b"shop"), workload: Some(b"web"), ..StreamInfo::default() },
        ..CALL
    };
    let gateway = Call { principal: "spiffe://cluster.local/ns/shop/sa/web", ..CALL };
    for from in [
        r#"{"namespaces": ["shop"]}"#,
        r#"{"workloads": ["web"]}"#,
        r#"{"namespaces": ["shop"], "workloads": ["web"]}"#,
    ] {
        let policy = rule(from);
        assert_eq!(outcome(&policy, &CALL), "deny default", "{from}");
        assert_eq!(outcome(&policy, &sidecar), "allow r", "{from}");
        assert_eq!(outcome(&policy, &gateway), "allow r", "{from}");
        // Headers say nothing about who calls.
        let forged: &[(&str, &str)] = &[
            ("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/web"),
            ("principal", "spiffe://cluster.local/ns/shop/sa/web"),
            ("namespace", "shop"),
            ("workload", "web"),
            ("x-narrows-egress", "allowed"),
        ];
        assert_eq!(outcome(&policy, &Call { headers: forged, ..CALL }), "deny default", "{from}");
    }
    let policy = rule(r#"{"principals": ["cluster.local/ns/shop/*"]}"#);
    assert_eq!(outcome(&policy, &gateway), "allow r");
    assert_eq!(outcome(&policy, &sidecar), "deny default");
    assert_eq!(outcome(&policy, &Call { principal: "spiffe://evil/ns/shop/sa/web", ..CALL }), "deny default");
    // The certificate says who calls, whatever the proxy stands beside.
    let both = Call { principal: "spiffe://cluster.local/ns/bank/sa/x", ..sidecar };
    assert_eq!(outcome(&rule(r#"{"namespaces": ["shop"]}"#), &both), "deny default");
}

#[test]
fn the_host_must_be_one() {
    let policy = compile(r#"{"default": "allow", "denyPrivateAddresses": true}"#).unwrap();
    assert_eq!(outcome(&policy, &CALL), "allow default");
    let two = Call { headers: &[("host", "evil.example")], ..CALL };
    assert_eq!(outcome(&policy, &two), "deny ambiguous-host");
    assert_eq!(outcome(&policy, &Call { authority: "", ..CALL }), "deny ambiguous-host");
    let opened = |name: &'static [u8]| Call {
        stream_info: StreamInfo { server_name: Some(name), ..StreamInfo::default() },
        ..CALL
    };
    assert_eq!(outcome(&policy, &opened(b"API.example.com")), "allow default");
    assert_eq!(outcome(&policy, &opened(b"front.example.com")), "deny sni-mismatch");
    assert_eq!(outcome(&policy, &opened(b"\xff")), "deny sni-mismatch");
    assert_eq!(
        outcome(&policy, &opened(b"outbound_.443_._.istio-egressgateway.istio-system.svc.cluster.local")),
        "allow default"
    );
}

#[test]
fn what_stays_in_the_cluster_is_left_alone() {
    let policy = compile(
        r#"{"denyPrivateAddresses": true, "rules": [
            {"name": "exfil", "action": "deny", "to": {"hosts": ["exfil.shop", "exfil.shop.svc.cluster.local"]}},
            {"name": "trial", "action": "deny", "mode": "report", "to": {"hosts": ["stock"]}} ]}"#,
    )
    .unwrap();
    let beside = |cluster: &'static [u8]| StreamInfo { cluster: Some(cluster), ..StreamInfo::default() };
    let headers: &[(&str, &str)] = &[("x-envoy-retry-on", "5xx"), ("x-internal-user", "1")];
    let inside = Call {
        authority: "stock:8080",
        stream_info: beside(b"outbound|8080||stock.books.svc.cluster.local"),
        headers,
        ..CALL
    };
    assert_eq!(outcome(&policy, &inside), "allow in-cluster");
    let (decision, _) = decide(&policy, &inside);
    assert_eq!(decision.request, []);
    assert!(decision.state.contains(&("narrows_egress", b"allowed; rule=in-cluster".as_slice().into())));
    let counted: Vec<_> =
        decision.count.iter().map(|series| &*policy.common().series[*series].name).collect();
    assert_eq!(
        counted,
        [
            "rule=.=in-cluster;.;action=.=allow;.;narrows_egress_requests_total",
            "destination=.=in-cluster;.;action=.=allow;.;narrows_egress_destinations_total",
            "rule=.=trial;.;action=.=would-deny;.;narrows_egress_requests_total"
        ]
    );
    // An ExternalName looks like any other Service: what is denied is denied here too.
    let service = Call {
        authority: "exfil.shop",
        stream_info: beside(b"outbound|443||exfil.shop.svc.cluster.local"),
        ..CALL
    };
    assert_eq!(outcome(&policy, &service), "deny exfil");
    // The Service's own address is private, and inside.
    let by_address = StreamInfo {
        virtual_host: Some(b"stock.books.svc.cluster.local:8080"),
        ..beside(b"outbound|8080||stock.books.svc.cluster.local")
    };
    let by_address = Call { authority: "10.96.0.7:8080", stream_info: by_address, ..inside };
    assert_eq!(outcome(&policy, &by_address), "allow in-cluster");
    assert_eq!(
        outcome(
            &policy,
            &Call { authority: "10.96.0.7", stream_info: beside(b"PassthroughCluster"), ..CALL }
        ),
        "deny private-address"
    );
    let outside = Call {
        authority: "stock.books.svc.cluster.local",
        stream_info: beside(b"PassthroughCluster"),
        ..CALL
    };
    assert_eq!(outcome(&policy, &outside), "deny default");
}

#[test]
fn beside_a_workload_the_route_says_the_port() {
    let policy = compile(
        r#"{"rules": [
            {"name": "tls", "action": "allow", "to": {"hosts": ["a.example"], "ports": [443]}},
            {"name": "both", "action": "allow", "to": {"hosts": ["b.example"], "ports": [80, 443]}},
            {"name": "no-ssh", "action": "deny", "to": {"ports": [22]}} ]}"#,
    )
    .unwrap();
    let ask = |authority: &'static str, cluster: &'static str| {
        let stream_info = StreamInfo { cluster: Some(cluster.as_bytes()), ..StreamInfo::default() };
        outcome(&policy, &Call { authority, stream_info, ..CALL })
    };
    // The scheme is http: without a route the port would be 80.
    assert_eq!(ask("a.example", "outbound|443||a.example"), "allow tls");
    assert_eq!(ask("a.example:443", "outbound|443||a.example"), "allow tls");
    assert_eq!(ask("a.example:443", "outbound|8443||a.example"), "deny default");
    assert_eq!(ask("a.example:80", "outbound|443||a.example"), "deny default");
    assert_eq!(ask("b.example:80", "outbound|443||b.example"), "allow both");
    assert_eq!(ask("b.example:443", "outbound|22||b.example"), "deny no-ssh");
    assert_eq!(ask("b.example:22", "outbound|443||b.example"), "deny no-ssh");
    // Where the route says nothing, the caller's word is all there is.
    assert_eq!(ask("a.example:443", "PassthroughCluster"), "allow tls");
    assert_eq!(ask("a.example", "PassthroughCluster"), "deny default");
}

#[test]
fn what_is_taken_off_may_move_the_route() {
    let written = r#"{"explain": {"when": {}}, "rules": [
            {"name": "api", "action": "allow", "to": {"hosts": ["api.example"], "ports": [443]}},
            {"name": "open", "action": "allow", "to": {"hosts": ["open.example"]}},
            {"name": "no8080", "action": "deny", "to": {"hosts": ["api.example"], "ports": [8080]}} ]}"#;
    let policy = compile(written).unwrap();
    let reports = compile(&written.replacen('{', r#"{"mode": "report", "#, 1)).unwrap();
    let said = |header: &'static str| match header {
        "" => &[][..],
        "x-internal-user" => &[("x-internal-user", "1")],
        "x-envoy-peer-metadata" => &[("x-envoy-peer-metadata", "1")],
        _ => &[("x-narrows-route", "v2")],
    };
    let ask = |authority: &'static str, cluster: &'static str, header: &'static str, is_only_route: bool| {
        let stream_info =
            StreamInfo { cluster: Some(cluster.as_bytes()), is_only_route, ..StreamInfo::default() };
        Call { authority, stream_info, headers: said(header), ..CALL }
    };
    let api = "outbound|443||api.example";
    let stock = "outbound|8080||stock.books.svc.cluster.local";
    for (authority, cluster, header, only, expected) in [
        ("api.example", api, "", false, "allow api"),
        ("api.example", api, "x-envoy-peer-metadata", false, "allow api"),
        ("api.example", api, "x-internal-user", true, "allow api"),
        ("api.example", api, "x-internal-user", false, "deny no8080"),
        ("api.example", api, "x-narrows-route", false, "deny default"),
        ("open.example", api, "x-internal-user", false, "allow open"),
        ("stock:8080", stock, "x-internal-user", false, "allow in-cluster"),
        ("stock:8080", stock, "x-narrows-route", true, "allow in-cluster"),
        ("stock:8080", stock, "x-narrows-route", false, "deny default"),
    ] {
        let ask = ask(authority, cluster, header, only);
        assert_eq!(outcome(&policy, &ask), expected, "{authority} {header}");
        // A trial says what would be done, and does nothing.
        assert_eq!(outcome(&reports, &ask), expected, "{authority} {header}");
        let (decision, verdict) = decide(&reports, &ask);
        assert_eq!((decision.stripped, decision.request, decision.reply), (vec![], vec![], None));
        assert!(!said(header).iter().any(|(name, _)| reports.drops_trailer(&verdict, name.as_bytes())));
        // No more is asked of the route than matters.
        let asks = policy.asks(&ask.request());
        assert_eq!(asks.is_only, !["", "x-envoy-peer-metadata"].contains(&header), "{authority} {header}");
        assert!(!asks.virtual_host, "{authority}: it is the Service's own name, or no Service");
    }
    let (decision, _) = decide(&policy, &ask("api.example", api, "x-internal-user", false));
    let [Edit::Add(_, record)] = &decision.response[..] else { panic!("{:?}", decision.response) };
    assert!(record.ends_with(b"; route=unknown"), "{:?}", record.escape_ascii().to_string());
    // At a gateway there is no such route.
    let at_a_gateway = Call { authority: "api.example:443", headers: said("x-internal-user"), ..CALL };
    assert_eq!(outcome(&policy, &at_a_gateway), "allow api");
}

#[test]
fn a_certificate_that_is_not_believed_allows_nothing() {
    let policy = compile(
        r#"{"callers": "verified", "rules": [
            {"name": "mine", "action": "allow", "from": {"namespaces": ["shop"]}, "to": {"hosts": ["a.example"]}},
            {"name": "never", "action": "deny", "from": {"namespaces": ["shop"]}, "to": {"hosts": ["b.example"]}},
            {"name": "open", "action": "allow", "to": {"hosts": ["b.example", "c.example"]}} ]}"#,
    )
    .unwrap();
    // Beside a workload of that namespace: what it presents is not its own.
    let beside = StreamInfo { namespace: Some(b"shop"), workload: Some(b"web"), ..StreamInfo::default() };
    let judged = |authority: &'static str, principal: &'static str, verified: bool| {
        let ask = Call { authority, principal, stream_info: beside, ..CALL };
        let mut request = ask.request();
        request.known_mut().is_verified = verified;
        let (_, verdict) = policy.decide(request);
        policy.ruling(verdict.ruling).to_owned()
    };
    let checkout = "spiffe://cluster.local/ns/shop/sa/checkout";
    assert_eq!(judged("a.example", checkout, true), "mine");
    assert_eq!(judged("a.example", checkout, false), "default");
    assert_eq!(judged("b.example", checkout, false), "never");
    assert_eq!(judged("c.example", checkout, false), "open");
    assert_eq!(judged("a.example", "", false), "mine", "the proxy's own metadata is no certificate");
}
