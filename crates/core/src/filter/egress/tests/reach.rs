//! Callers that are spared, blocks of addresses, and the name that a connection was opened to.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{CALL, Call, compile, decide, outcome};
use crate::matching::request::StreamInfo;
use crate::policy::Policy;

fn from(namespace: &str) -> String {
    format!("spiffe://cluster.local/ns/{namespace}/sa/a")
}

#[test]
fn everybody_but_some() {
    let policy = |action: &str, default: &str, from: &str| {
        compile(&format!(
            r#"{{"default": "{default}", "rules": [{{"name": "r", "action": "{action}", "from": {from}}}]}}"#
        ))
        .unwrap()
    };
    let spared = r#"{"notNamespaces": ["shop", "ops"]}"#;
    let (deny, allow) = (policy("deny", "allow", spared), policy("allow", "deny", spared));
    for (namespace, is_spared) in [("shop", true), ("ops", true), ("dev", false), ("shops", false)] {
        let principal = from(namespace);
        let call = Call { principal: &principal, ..CALL };
        let expected = if is_spared { ["allow default", "deny default"] } else { ["deny r", "allow r"] };
        assert_eq!([outcome(&deny, &call), outcome(&allow, &call)], expected, "{namespace}");
    }
    // Nobody knows who that is: a reason to deny, and none to allow.
    assert_eq!([outcome(&deny, &CALL), outcome(&allow, &CALL)], ["deny r", "deny default"]);
    let other = Call { principal: "spiffe://cluster.local/other", ..CALL };
    assert_eq!([outcome(&deny, &other), outcome(&allow, &other)], ["deny r", "deny default"]);

    let spared = r#"{"notPrincipals": ["cluster.local/ns/shop/sa/a", "cluster.local/ns/ops/*"]}"#;
    let (deny, allow) = (policy("deny", "allow", spared), policy("allow", "deny", spared));
    for (principal, is_spared) in [(from("shop"), true), (from("ops"), true), (from("dev"), false)] {
        let call = Call { principal: &principal, ..CALL };
        let expected = if is_spared { ["allow default", "deny default"] } else { ["deny r", "allow r"] };
        assert_eq!([outcome(&deny, &call), outcome(&allow, &call)], expected, "{principal}");
    }
    assert_eq!([outcome(&deny, &CALL), outcome(&allow, &CALL)], ["deny r", "deny default"]);
    // Both must hold where both are there.
    let both = policy(
        "allow",
        "deny",
        r#"{"namespaces": ["shop"], "notPrincipals": ["cluster.local/ns/shop/sa/b"]}"#,
    );
    assert_eq!(outcome(&both, &Call { principal: &from("shop"), ..CALL }), "allow r");
    let spared = Call { principal: "spiffe://cluster.local/ns/shop/sa/b", ..CALL };
    assert_eq!(outcome(&both, &spared), "deny default");
}

#[test]
fn an_address_is_in_a_block_however_it_is_written() {
    let policy = compile(
        r#"{"denyPrivateAddresses": {"except": ["192.168.50.0/24"]}, "rules": [
            {"name": "blocks", "action": "allow", "to": {"cidrs": ["192.168.50.0/24", "2001:db8::/32"], "ports": [9000]}},
            {"name": "either", "action": "allow", "to": {"hosts": ["*.example.com"], "cidrs": ["198.51.100.7"]}},
            {"name": "never", "action": "deny", "to": {"cidrs": ["192.168.50.128/25"]}}], "learn": {}}"#,
    )
    .unwrap();
    for (authority, expected) in [
        ("192.168.50.10:9000", "allow blocks"),
        ("0xc0a8320a:9000", "allow blocks"),
        ("[::ffff:192.168.50.10]:9000", "allow blocks"),
        ("[2001:DB8::1]:9000", "allow blocks"),
        ("192.168.50.10:80", "deny default"),
        ("192.168.50.200:9000", "deny never"),
        ("192.168.51.10:9000", "deny private-address"),
        ("[2001:db9::1]:9000", "deny default"),
        ("198.51.100.7", "allow either"),
        ("a.example.com", "allow either"),
        ("198.51.100.8", "deny default"),
        // A name is not looked up, and not read.
        ("192.168.50.10.nip.io:9000", "deny default"),
    ] {
        assert_eq!(outcome(&policy, &Call { authority, ..CALL }), expected, "{authority}");
    }
    let learnt = |authority| decide(&policy, &Call { authority, ..CALL }).0.unlisted.is_some();
    assert!(!learnt("192.168.50.10:80") && learnt("198.51.100.8") && learnt("192.168.51.10"));
    let series = |authority| -> Vec<String> {
        let (decision, _) = decide(&policy, &Call { authority, ..CALL });
        let names = decision.count.iter().map(|series| policy.common.series[*series].name.to_string());
        names.filter(|name| name.contains("destinations")).collect()
    };
    for (authority, destination) in
        [("192.168.50.10:9000", "*"), ("198.51.100.7", "*"), ("a.example.com", "*.example.com")]
    {
        let expected =
            format!("destination=.={destination};.;action=.=allow;.;narrows_egress_destinations_total");
        assert_eq!(series(authority), [expected], "{authority}");
    }
    let refused = |to: &str| {
        compile(&format!(r#"{{"rules": [{{"name": "r", "action": "allow", "to": {to}}}]}}"#))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(r#"{"hosts": ["192.168.0.0/16"]}"#).contains("write a block of addresses in \"cidrs\""));
    assert!(refused(r#"{"cidrs": ["a.example"]}"#).contains("NRW506"));
    assert!(refused(r#"{"cidrs": ["::ffff:10.0.0.0/104"]}"#).contains("write it as IPv4"));
    assert!(refused(r#"{"cidrs": []}"#).contains("an empty list matches nothing"));
}

#[test]
fn a_connection_that_was_opened_to_another_name() {
    let policy = |more: &str| {
        compile(&format!(
            r#"{{"default": "deny", {more} "denyPrivateAddresses": true, "rules": [
                {{"name": "w", "action": "allow", "to": {{"hosts": ["*.corp.example"]}}}},
                {{"name": "no", "action": "deny", "to": {{"hosts": ["secret.corp.example"]}}}}]}}"#
        ))
        .unwrap()
    };
    let call = |authority, name: &'static str| Call {
        authority,
        stream_info: StreamInfo { server_name: Some(name.as_bytes()), ..StreamInfo::default() },
        ..CALL
    };
    let istio = "outbound_.443_._.istio-egressgateway.istio-system.svc.cluster.local";
    let gateway = "istio-egressgateway.istio-system.svc.cluster.local";
    let (allowed, wrong) = ("allow w", "deny sni-mismatch");
    for (host, name, same, rules, ignore) in [
        ("api.corp.example", "api.corp.example", allowed, allowed, allowed),
        ("api.corp.example", "API.corp.example.", allowed, allowed, allowed),
        ("api.corp.example", "", allowed, allowed, allowed),
        ("api.corp.example", istio, allowed, allowed, allowed),
        ("hr.corp.example", "api.corp.example", wrong, allowed, allowed),
        // The name is not one that may be asked for.
        ("hr.corp.example", "secret.corp.example", wrong, wrong, allowed),
        ("hr.corp.example", "front.example", wrong, wrong, allowed),
        ("hr.corp.example", gateway, wrong, wrong, allowed),
        ("hr.corp.example", "10.0.0.1", wrong, wrong, allowed),
        ("hr.corp.example", "\u{ff}", wrong, wrong, allowed),
        // Nor does an allowed name open the way to another.
        ("secret.corp.example", "api.corp.example", wrong, "deny no", "deny no"),
        ("front.example", "api.corp.example", wrong, "deny default", "deny default"),
    ] {
        for (word, expected) in [
            ("", same),
            (r#""sni": "same","#, same),
            (r#""sni": "rules","#, rules),
            (r#""sni": "ignore","#, ignore),
        ] {
            assert_eq!(outcome(&policy(word), &call(host, name)), expected, "{host} over {name}, {word}");
        }
    }
    let status =
        |policy: &str, call: &Call<'_>| decide(&compile(policy).unwrap(), call).0.reply.unwrap().status;
    let elsewhere = call("hr.corp.example", "api.corp.example");
    assert_eq!(status(r#"{"default": "deny"}"#, &elsewhere), 421);
    assert_eq!(status(r#"{"default": "deny", "response": {"status": 451}}"#, &elsewhere), 451);
    assert_eq!(status(r#"{"default": "deny", "response": {"body": "no"}}"#, &elsewhere), 421);
    assert_eq!(status(r#"{"default": "deny"}"#, &Call { authority: "hr.corp.example", ..CALL }), 403);
    let grpc = Call { headers: &[("content-type", "application/grpc")], ..elsewhere };
    assert_eq!(status(r#"{"default": "deny"}"#, &grpc), 403);
    assert!(compile(r#"{"sni": "any"}"#).unwrap_err().to_string().contains("NRW108"));
}

#[test]
fn a_rule_that_can_never_allow_is_a_warning() {
    let warned = |policy: &str| -> Vec<String> {
        compile(policy).unwrap().warnings().iter().map(|fault| fault.message.clone()).collect()
    };
    let private = |except: &str, to: &str| {
        warned(&format!(
            r#"{{"denyPrivateAddresses": {except}, "rules": [{{"name": "r", "action": "allow", "to": {to}}}]}}"#
        ))
    };
    let is_private = ["rule \"r\" can never allow: \"denyPrivateAddresses\" denies all of its destinations"];
    for to in [
        r#"{"hosts": ["192.168.50.10"]}"#,
        r#"{"hosts": ["10.1", "localhost", "*.localhost"]}"#,
        r#"{"cidrs": ["10.20.0.0/16"]}"#,
        r#"{"hosts": ["127.0.0.1"], "cidrs": ["169.254.0.0/16", "10.0.0.0/8"]}"#,
    ] {
        assert_eq!(private("true", to), is_private, "{to}");
        assert!(private("false", to).is_empty(), "{to}");
    }
    for to in [
        r#"{"hosts": ["192.168.50.10", "a.example"]}"#,
        r#"{"hosts": ["192.168.50.10"], "cidrs": ["198.51.100.0/24"]}"#,
        r#"{"cidrs": ["192.0.0.0/8"]}"#,
        r#"{"cidrs": ["0.0.0.0/0"]}"#,
        r#"{"hosts": ["*"]}"#,
        "{}",
    ] {
        assert!(private("true", to).is_empty(), "{to}");
    }
    let except = r#"{"except": ["192.168.50.10", "10.20.0.0/24"]}"#;
    assert!(private(except, r#"{"hosts": ["192.168.50.10"]}"#).is_empty());
    assert!(private(except, r#"{"cidrs": ["10.20.0.0/16"]}"#).is_empty());
    assert_eq!(private(except, r#"{"cidrs": ["10.21.0.0/16"]}"#), is_private);

    let shadowed = |deny: &str, to: &str| {
        warned(&format!(
            r#"{{"rules": [{{"name": "a", "action": "allow", "to": {to}}}, {{"name": "d", "action": "deny", {deny}}}]}}"#
        ))
        .len()
    };
    let hosts = r#""to": {"hosts": ["*.example.com", "b.example"]}"#;
    for (deny, to, count) in [
        (hosts, r#"{"hosts": ["a.example.com", "B.example"], "ports": [443]}"#, 1),
        (hosts, r#"{"hosts": ["*.a.example.com"]}"#, 1),
        (hosts, r#"{"hosts": ["a.example.com", "c.example"]}"#, 0),
        (hosts, r#"{"hosts": ["*.example"]}"#, 0),
        (hosts, r#"{"hosts": ["*"]}"#, 0),
        (hosts, "{}", 0),
        (r#""to": {}"#, "{}", 1),
        (r#""to": {"hosts": ["*"]}"#, r#"{"hosts": ["*"]}"#, 1),
        (r#""mode": "report", "to": {"hosts": ["b.example"]}"#, r#"{"hosts": ["b.example"]}"#, 0),
        (
            r#""from": {"notNamespaces": ["ops"]}, "to": {"hosts": ["b.example"]}"#,
            r#"{"hosts": ["b.example"]}"#,
            0,
        ),
        (r#""to": {"hosts": ["b.example"], "ports": [80]}"#, r#"{"hosts": ["b.example"]}"#, 0),
        (r#""to": {"hosts": ["b.example"], "paths": [{"exact": "/a"}]}"#, r#"{"hosts": ["b.example"]}"#, 0),
    ] {
        assert_eq!(shadowed(deny, to), count, "{deny} {to}");
    }
}
