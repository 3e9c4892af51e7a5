//! Tests of the egress policy.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod dead;
mod index;
mod learn;
mod paths;
mod reach;
mod signals;
mod stream_info;

use super::{Action, Egress, Ruling, Verdict};
use crate::action::edit::Edit;
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Known, Peer, Request, StreamInfo};
use crate::policy::Policy;
use crate::policy::decision::Decision;

fn compile(policy: &str) -> Result<Egress, Invalid> {
    Egress::compile(&PolicyValue::parse(policy.as_bytes())?)
}

/// A request on the way out.
#[derive(Clone, Copy)]
struct Call<'a> {
    method: &'a str,
    authority: &'a str,
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
    principal: &'a str,
    stream_info: StreamInfo<'a>,
}

const CALL: Call<'static> = Call {
    method: "GET",
    authority: "api.example.com",
    target: "/",
    headers: &[],
    principal: "",
    stream_info: StreamInfo {
        server_name: None,
        namespace: None,
        workload: None,
        cluster: None,
        virtual_host: None,
        is_only_route: false,
    },
};

impl<'a> Call<'a> {
    fn request(&self) -> Request<'a> {
        let pseudo = [
            (":method", self.method),
            (":authority", self.authority),
            (":path", self.target),
            (":scheme", "http"),
        ];
        let pseudo = pseudo.into_iter().filter(|(_, value)| !value.is_empty());
        let all = pseudo.chain(self.headers.iter().copied());
        let principal = Some(self.principal.as_bytes());
        Request::new(all.map(|(name, value)| (name.as_bytes(), value.as_bytes()))).knowing(Known {
            source: Peer { principal, ..Peer::default() },
            stream_info: self.stream_info,
            ..Known::default()
        })
    }
}

fn decide<'a>(policy: &'a Egress, ask: &Call<'a>) -> (Decision<'a>, Verdict) {
    policy.decide(ask.request())
}

/// `allow payments`, `deny default`.
fn outcome(policy: &Egress, ask: &Call<'_>) -> String {
    let (_, verdict) = decide(policy, ask);
    let action = if verdict.action == Action::Allow { "allow" } else { "deny" };
    format!("{action} {}", policy.ruling(verdict.ruling))
}

const DESIGN: &str = r#"{ "default": "deny",
  "rules": [
    { "name": "payments", "action": "allow",
      "from": { "principals": ["spiffe://cluster.local/ns/shop/sa/checkout"], "namespaces": ["shop"], "workloads": ["checkout"] },
      "to": { "hosts": ["api.stripe.com", "*.adyen.com"], "ports": [80, 443], "methods": ["GET", "POST"], "paths": [ {"pathPrefix": "/v1/"} ] } },
    { "name": "metadata", "action": "deny", "to": { "hosts": ["169.254.169.254", "metadata.google.internal"] } },
    { "name": "new-vendor", "action": "allow", "mode": "report", "to": { "hosts": ["*.vendor.example"] } } ],
  "denyPrivateAddresses": true,
  "response": { "status": 403, "body": "egress to this host is not allowed" },
  "requestHeaders": { "remove": ["x-internal-*"] },
  "learn": { "maxHosts": 500, "logEvery": "60s" } }"#;

const CHECKOUT: Call<'static> = Call {
    authority: "api.stripe.com",
    target: "/v1/charges",
    principal: "spiffe://cluster.local/ns/shop/sa/checkout",
    ..CALL
};

#[test]
fn the_policy_of_the_design() {
    let policy = compile(DESIGN).unwrap();
    assert_eq!(outcome(&policy, &CHECKOUT), "allow payments");
    assert_eq!(
        outcome(&policy, &Call { authority: "Checkout.ADYEN.com.:443", ..CHECKOUT }),
        "allow payments"
    );
    for other in [
        Call { principal: "spiffe://cluster.local/ns/shop/sa/web", ..CHECKOUT },
        Call { principal: "", ..CHECKOUT },
        Call { method: "DELETE", ..CHECKOUT },
        Call { target: "/v2/charges", ..CHECKOUT },
        Call { target: "/v1/../v2", ..CHECKOUT },
        Call { target: "/v2/../v1/charges", ..CHECKOUT },
        Call { authority: "api.stripe.com:8443", ..CHECKOUT },
        Call { authority: "adyen.com", ..CHECKOUT },
        Call { authority: "api.stripe.com.evil.net", ..CHECKOUT },
    ] {
        assert_eq!(outcome(&policy, &other), "deny default", "{}", other.authority);
    }
    assert_eq!(outcome(&policy, &Call { target: "/v1/%2e%2e%2fv2", ..CHECKOUT }), "deny ambiguous-path");
    assert_eq!(outcome(&policy, &Call { authority: "0xa9fea9fe", ..CHECKOUT }), "deny metadata");
    assert_eq!(outcome(&policy, &Call { authority: "10.1", ..CHECKOUT }), "deny private-address");
    assert_eq!(
        outcome(&policy, &Call { authority: "user@api.stripe.com", ..CHECKOUT }),
        "deny ambiguous-host"
    );
    let (_, verdict) = decide(&policy, &Call { authority: "a.vendor.example", ..CHECKOUT });
    assert_eq!(verdict, Verdict { action: Action::Deny, ruling: Ruling::Default, trial: Some(2) });
}

#[test]
fn a_refusal_says_which_rule() {
    let policy =
        compile(r#"{"rules": [{"name": "no", "action": "deny", "to": {"hosts": ["a.example"]}}]}"#).unwrap();
    let ask = Call { authority: "a.example", ..CALL };
    let (decision, _) = decide(&policy, &ask);
    let reply = decision.reply.unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body, b"this request may not leave the mesh: egress-policy rule no\n".as_slice());
    assert_eq!(reply.headers, [("x-narrows-egress".into(), b"denied; rule=no".as_slice().into())]);
    assert!(decision.state.contains(&("narrows_egress", b"denied; rule=no".as_slice().into())));
    assert_eq!(decision.request, []);

    let policy = compile(r#"{"response": {"status": 451, "body": "see %RULE%"}}"#).unwrap();
    let (decision, _) = decide(&policy, &ask);
    assert_eq!(decision.reply.as_ref().map(|r| (r.status, &*r.body)), Some((451, b"see default".as_slice())));
    let grpc = Call { headers: &[("content-type", "application/grpc+proto")], ..ask };
    assert_eq!(decide(&policy, &grpc).0.reply.unwrap().status, 403);
    // It is no gRPC to Envoy, which answers it as it stands.
    let web = Call { headers: &[("content-type", "application/grpc-web+proto")], ..ask };
    assert_eq!(decide(&policy, &web).0.reply.unwrap().status, 451);
}

#[test]
fn nothing_said_is_a_pass_through() {
    for text in ["", "{}", r#"{"mode": "off", "rules": []}"#] {
        let policy = compile(text).unwrap();
        assert!(!policy.common().needs.headers, "{text}");
    }
    // What does not say what may leave lets everything out, and still strips.
    let forged = Call { headers: &[("x-narrows-route", "v9")], ..CALL };
    for (text, strips) in
        [(r#"{"trust": "edge"}"#, true), (r#"{"trust": "mesh"}"#, false), (r#"{"mode": "report"}"#, false)]
    {
        let policy = compile(text).unwrap();
        assert_eq!(outcome(&policy, &forged), "allow default", "{text}");
        assert_eq!(decide(&policy, &forged).0.stripped.is_empty(), !strips, "{text}");
    }
    for text in ["{}", r#"{"trust": "mesh"}"#, r#"{"mode": "report", "labels": "stock"}"#] {
        assert!(compile(text).unwrap().warnings().len() == 1, "{text}");
    }
    for text in [r#"{"mode": "off"}"#, r#"{"default": "allow"}"#, r#"{"rules": []}"#, r#"{"learn": {}}"#] {
        assert_eq!(compile(text).unwrap().warnings(), [], "{text}");
    }
    assert_eq!(outcome(&compile(r#"{"rules": []}"#).unwrap(), &CALL), "deny default");
    assert_eq!(outcome(&compile(r#"{"default": "allow"}"#).unwrap(), &CALL), "allow default");
}

#[test]
fn deny_beats_allow_in_any_order() {
    let allow = r#"{"name": "all", "action": "allow"}"#;
    let deny = r#"{"name": "none", "action": "deny", "to": {"hosts": ["*.example.com"]}}"#;
    for rules in [[allow, deny], [deny, allow]] {
        let policy = compile(&format!(r#"{{"rules": [{}]}}"#, rules.join(","))).unwrap();
        assert_eq!(outcome(&policy, &CALL), "deny none");
        assert_eq!(outcome(&policy, &Call { authority: "example.com", ..CALL }), "allow all");
    }
}

#[test]
fn internal_headers_do_not_leave() {
    let removed = |policy: &str, headers: &[(&str, &str)]| -> Vec<String> {
        let policy = compile(policy).unwrap();
        let (decision, _) = decide(&policy, &Call { headers, ..CALL });
        let strip = decision.stripped.iter().map(|name| String::from_utf8(name.to_vec()).unwrap());
        let edits = decision.request.iter().map(|edit| match edit {
            Edit::Remove(name) => name.to_string(),
            other => panic!("{other:?}"),
        });
        strip.chain(edits).collect()
    };
    let headers = [
        ("x-narrows-route", "v2"),
        ("x-internal-user", "u"),
        ("x_internal_user", "u"),
        ("x-envoy-attempt-count", "1"),
        ("x-forwarded-client-cert", "By=spiffe://x"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-request-id", "1"),
        ("x-company", "1"),
    ];
    let standard = [
        "x-narrows-route",
        "x-internal-user",
        "x_internal_user",
        "x-envoy-attempt-count",
        "x-forwarded-client-cert",
        "x-original-url",
        "x-rewrite-url",
    ];
    assert_eq!(removed(r#"{"default": "allow"}"#, &headers), standard);
    let policy = r#"{"default": "allow", "trust": "mesh", "requestHeaders": {"remove": ["x-company"], "keep": ["x-envoy-*", "x-rewrite-url"]}}"#;
    assert_eq!(
        removed(policy, &headers),
        [
            "x-narrows-route",
            "x-internal-user",
            "x_internal_user",
            "x-forwarded-client-cert",
            "x-original-url",
            "x-company"
        ]
    );
    assert_eq!(removed(r#"{"default": "allow", "mode": "report"}"#, &headers), Vec::<String>::new());
}

#[test]
fn report_changes_nothing_and_says_what_it_would() {
    let policy =
        compile(&DESIGN.replacen("{ \"default\"", "{ \"mode\": \"report\", \"default\"", 1)).unwrap();
    let (decision, verdict) = decide(&policy, &Call { authority: "evil.example", ..CHECKOUT });
    assert_eq!(verdict.action, Action::Deny);
    assert_eq!(decision.reply, None);
    assert_eq!(decision.state, [("narrows_egress", b"would-deny; rule=default".as_slice().into())]);
    let names: Vec<_> = decision.count.iter().map(|series| &*policy.common().series[*series].name).collect();
    assert_eq!(
        names,
        [
            "rule=.=default;.;action=.=would-deny;.;narrows_egress_requests_total",
            "destination=.=unlisted;.;action=.=would-deny;.;narrows_egress_destinations_total"
        ]
    );
}
