//! Conditions on the claims of a token that Envoy's own `jwt_authn` verified, beside the routes that Istio
//! makes of `@request.auth.claims` in a `VirtualService`.

use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_tests::{Bench, entry};
use serde_json::{Value, json};

/// HS256 with the key below; nobody trusts it.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const HEAD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ";

/// What a token claims besides its issuer, its payload and signature, and the rule that it meets.
const TOKENS: [(&str, &str, Option<&str>); 9] = [
    (
        r#""group": "beta""#,
        "eyJpc3MiOiJ0ZXN0IiwiZ3JvdXAiOiJiZXRhIn0.ikpQkSgMAxUUzPN-_o9NtuuX4b_UUFXWSkX86BQO6c4",
        Some("group"),
    ),
    (
        r#""group": ["alpha", "beta"]"#,
        "eyJpc3MiOiJ0ZXN0IiwiZ3JvdXAiOlsiYWxwaGEiLCJiZXRhIl19.HWDA17k8Cf780Rguo9VNmzzaZzUReF4PLmJs00qpq8k",
        Some("group"),
    ),
    (
        r#""level": 7"#,
        "eyJpc3MiOiJ0ZXN0IiwibGV2ZWwiOjd9.HANnIss-nuSb3gY33dxSzq3clizjm4w8Qyij-vx2rEY",
        Some("level"),
    ),
    (
        r#""admin": true"#,
        "eyJpc3MiOiJ0ZXN0IiwiYWRtaW4iOnRydWV9.usviQbHJ6TFEzhxJY0Jt1iL_GSpwNq23lg1eE95cqVQ",
        Some("admin"),
    ),
    (
        r#""plan": {"tier": "gold"}"#,
        "eyJpc3MiOiJ0ZXN0IiwicGxhbiI6eyJ0aWVyIjoiZ29sZCJ9fQ.fbkrciLZz-t6WzdQSV5bMYVtJJH-XtDkCeaiINQqyeo",
        Some("gold"),
    ),
    (
        r#""ratio": 2.5"#,
        "eyJpc3MiOiJ0ZXN0IiwicmF0aW8iOjIuNX0.YA3nheHfOaMZv8nLP4_j70egdL71gAYpm1K-80t7ZV4",
        Some("ratio"),
    ),
    (
        r#""group": "gamma""#,
        "eyJpc3MiOiJ0ZXN0IiwiZ3JvdXAiOiJnYW1tYSJ9.OYqpmHvkf7lmtrGlJ_u2KxiQe4jfGFpXliXKWLnhwxE",
        None,
    ),
    (
        r#""group": null"#,
        "eyJpc3MiOiJ0ZXN0IiwiZ3JvdXAiOm51bGx9.oweTCZ0JADQOJmTyHCBB1X6DDDprvAkLzKoIpP7Xy1A",
        None,
    ),
    (
        r#""group": [["beta"]]"#,
        "eyJpc3MiOiJ0ZXN0IiwiZ3JvdXAiOltbImJldGEiXV19.a7vxeREsnNzwXCufqxNQz58KZiuToI_ucvMZmYw6gTQ",
        None,
    ),
];

/// As Istio writes it for `RequestAuthentication`.
fn jwt_authn() -> Value {
    let keys = json!({ "keys": [{ "kty": "oct", "kid": "k", "alg": "HS256", "k": KEY }] }).to_string();
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "test": {
                "issuer": "test", "local_jwks": { "inline_string": keys }, "payload_in_metadata": "payload",
                "normalize_payload_in_metadata": { "space_delimited_claims": ["scope", "permission"] },
                "clear_route_cache": true } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "requires_any": { "requirements": [
                { "provider_name": "test" }, { "allow_missing": {} }] } } }] }
    })
}

/// The route that Istio makes of a header match named `@request.auth.claims.NAME.NAME`, or
/// `@request.auth.claims[NAME][NAME]`: a text that matches, or a list with one that does.
fn native(name: &str, names: &[&str], test: &str, value: &str) -> Value {
    let path = ["payload"].iter().chain(names).map(|name| json!({ "key": name })).collect::<Vec<_>>();
    let text = json!({ "string_match": { test: value } });
    json!({
        "match": { "prefix": "/", "dynamic_metadata": [{ "filter": "envoy.filters.http.jwt_authn", "path": path,
            "value": { "or_match": { "value_matchers": [text, { "list_match": { "one_of": text } }] } } }] },
        "route": { "cluster": "echo" },
        "response_headers_to_add": [{ "header": { "key": "x-native", "value": name } }],
    })
}

fn policy() -> String {
    let rule = |name: &str, names: &[&str], test: &str, value: Value| {
        let path = [&["envoy.filters.http.jwt_authn", "payload"], names].concat();
        let mut claim = json!({ "path": path });
        claim[test] = value;
        json!({ "name": name, "matches": [{ "metadata": [claim] }],
                "responseHeaders": { "set": { "x-rule": name } } })
    };
    json!({ "trust": "mesh", "rules": [
        rule("group", &["group"], "exact", json!("beta")),
        rule("level", &["level"], "range", json!({ "from": 5, "to": 10 })),
        rule("admin", &["admin"], "exact", json!("true")),
        rule("gold", &["plan", "tier"], "prefix", json!("go")),
        rule("ratio", &["ratio"], "exact", json!("2.5"))] })
    .to_string()
}

#[test]
fn claims_choose_rules() {
    let routes = [
        native("group", &["group"], "exact", "beta"),
        native("gold", &["plan", "tier"], "prefix", "go"),
        json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } }),
    ];
    let filters = vec![jwt_authn(), entry("header-router", &policy())];
    let bench = Bench::with(filters).named("claims").routes(&routes).start().unwrap();
    let mut connection = Connection::connect(bench.at).unwrap();
    for (claims, rest, rule) in TOKENS {
        let token = format!("Bearer {HEAD}.{rest}");
        let answer = connection.exchange(&Request::get("a", "/").header("authorization", &token)).unwrap();
        let found = answer.headers.first("x-rule").map(|name| String::from_utf8_lossy(name).into_owned());
        assert_eq!((answer.status, found.as_deref()), (200, rule), "{claims}");
        // Istio's matchers see texts alone.
        let texts = rule.filter(|rule| matches!(*rule, "group" | "gold"));
        assert_eq!(answer.headers.text("x-native").as_deref(), texts, "{claims}");
    }
    let answer = connection.exchange(&Request::get("a", "/")).unwrap();
    assert!(answer.status == 200 && !answer.headers.contains("x-rule"), "without a token");
}
