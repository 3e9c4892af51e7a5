//! What a filter does after the request's headers: trailers, the response, the log.

use narrows_vm::{Exchange, Response};
use serde_json::{Value, json};

use super::{Priced, priced};

pub(super) fn all() -> Vec<Priced> {
    let mut all = vec![
        trailers("x-checksum"),
        trailers("x-internal-user"),
        response("x-internal-a"),
        response("x-internal-*"),
    ];
    all.extend(failed());
    all.extend([outbound(), inbound(), explained("s3cret"), explained("nothing")]);
    all
}

fn trailers(name: &str) -> Priced {
    let mut exchange = Exchange::post("shop", "/books", "body");
    exchange.trailers.add(name.as_bytes(), b"1");
    priced("header-router", &format!("a trailer {name}"), &json!({ "strip": ["x-internal-*"] }), exchange)
}

fn response(remove: &str) -> Priced {
    let policy = json!({ "rules": [{ "name": "r", "responseHeaders": { "remove": [remove], "set": { "x-served-by": "narrows" } } }] });
    let mut priced = priced(
        "header-router",
        &format!("the response without {remove}"),
        &policy,
        Exchange::get("shop", "/"),
    );
    priced.answer = priced.answer.header("x-internal-a", "1");
    priced
}

/// The log phase of requests that nobody served.
fn failed() -> [Priced; 2] {
    let split = json!({ "trust": "mesh", "splits": [{ "name": "stock", "service": "stock.books", "key": [{ "header": "x-user" }],
        "backends": [{ "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 100 }] }] });
    let tags = json!({ "tags": { "code": { "statusClass": true }, "flags": { "responseFlags": true }, "cluster": { "upstreamCluster": true } },
        "metrics": [{ "name": "failures_total", "tags": ["code", "flags", "cluster"] }] });
    let of = |filter, policy: &Value| {
        let exchange = Exchange::get("stock.books", "/books/42").header("x-user", "user-7");
        Priced { answer: Response::no_healthy_host(), ..priced(filter, "no healthy host", policy, exchange) }
    };
    [of("canary-split", &split), of("metric-tags", &tags)]
}

fn sidecar(name: &str, direction: i64, cluster: &str) -> Priced {
    let policy = json!({ "default": "deny", "rules": [{ "name": "api", "action": "allow", "to": { "hosts": ["api.example"], "ports": [443] } }] });
    let exchange = Exchange::get("api.example", "/")
        .property(&["xds", "node", "id"], "sidecar~10.0.0.2~web-0.shop~shop.svc.cluster.local")
        .property(&["xds", "listener_direction"], direction)
        .property(&["xds", "cluster_name"], cluster);
    priced("egress-policy", name, &policy, exchange)
}

fn outbound() -> Priced {
    sidecar("out of a sidecar", 2, "outbound|443||api.example")
}

fn inbound() -> Priced {
    sidecar("into a sidecar", 1, "inbound|8080||")
}

fn explained(secret: &str) -> Priced {
    let policy = json!({ "trust": "mesh", "explain": { "when": { "headers": { "x-debug": { "exact": "s3cret" } } } },
        "splits": [{ "name": "stock", "service": "stock.books", "key": [{ "header": "x-user" }],
            "backends": [{ "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 5 }] }] });
    let exchange = Exchange::get("stock.books", "/").header("x-user", "user-7").header("x-debug", secret);
    priced("canary-split", &format!("explained to {secret}"), &policy, exchange)
}
