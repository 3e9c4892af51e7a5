//! The request that everybody sends, and the policies that decide on it.

use narrows_harness::message::Request;
use serde_json::{Value, json};

use crate::priced;

/// The rules that the router has, if nothing else is said.
pub(super) const FEW: usize = 10;

/// A request of ten headers to the rule of a number: it has a user, a group, a tenant and cookies.
pub(super) fn request(rule: usize) -> Request {
    Request::get(&format!("host-{rule}.example.com"), &format!("/area-{rule}/books/12?user=user-42&page=2"))
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
        .header("accept", "application/json")
        .header("accept-language", "en-GB,en;q=0.9")
        .header("accept-encoding", "gzip, br")
        .header("cookie", "theme=dark; session=0123456789abcdef; consent=1")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("x-user-id", "user-42")
        .header("x-user-group", "beta")
        .header("x-tenant", "acme")
}

/// The same to a host that no policy names.
pub(super) fn stranger() -> Request {
    Request {
        authority: Some("other.example.net".to_owned()),
        target: "/other/12".to_owned(),
        ..request(FEW - 1)
    }
}

pub(super) fn router(rules: usize) -> Value {
    priced::rules(rules)
}

/// A split that gives everybody the canary, by another authority.
pub(super) fn split(key: &Value) -> Value {
    json!({ "splits": [{ "name": "books", "hosts": [format!("host-{}.example.com", FEW - 1)], "key": [key],
        "backends": [{ "name": "stable", "baseline": true },
                     { "name": "canary", "authority": "canary.example.com", "weight": 100 }] }] })
}

/// Two metrics of three tags each.
pub(super) fn tags() -> Value {
    json!({
        "tags": {
            "operation": { "pathTemplates": [format!("/area-{}/books/{{id}}", FEW - 1), "/orders/{id}"] },
            "tenant": { "header": "x-tenant" },
            "code": { "statusClass": true },
        },
        "metrics": [
            { "name": "requests_total", "tags": ["operation", "tenant", "code"] },
            { "name": "duration_milliseconds", "type": "histogram", "value": "duration",
              "tags": ["operation", "tenant", "code"] },
        ],
    })
}

pub(super) fn egress() -> Value {
    json!({ "default": "deny", "rules": [
        { "name": "books", "action": "allow",
          "to": { "hosts": ["*.example.com"], "methods": ["GET"], "paths": [{ "contains": "/books/" }] } },
        { "name": "metadata", "action": "deny", "to": { "hosts": ["169.254.169.254"] } } ] })
}
