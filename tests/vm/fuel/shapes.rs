//! The kinds of rules, each with the request that only one of them matches.

use narrows_vm::Exchange;
use serde_json::{Value, json};

/// A kind of rule: its match by number, and the request that only the rule of that number matches.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) rule: fn(usize) -> Value,
    pub(super) request: fn(usize) -> Exchange,
}

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "exact host",
        rule: |n| json!({ "hosts": [format!("h{n}.example.com")] }),
        request: |n| Exchange::get(&format!("h{n}.example.com"), "/"),
    },
    Shape {
        name: "host suffix",
        rule: |n| json!({ "hosts": [format!("*.h{n}.example.com")] }),
        request: |n| Exchange::get(&format!("a.h{n}.example.com"), "/"),
    },
    Shape {
        name: "host with a star at the end of a label",
        rule: |n| json!({ "hosts": [format!("pr-{n}-*.example.com")] }),
        request: |n| Exchange::get(&format!("pr-{n}-x.example.com"), "/"),
    },
    Shape {
        name: "host with a star at the start of a label",
        rule: |n| json!({ "hosts": [format!("*-{n}.example.com")] }),
        request: |n| Exchange::get(&format!("x-{n}.example.com"), "/"),
    },
    Shape {
        name: "host with a star within a label",
        rule: |n| json!({ "hosts": [format!("preview*-{n}.example.com")] }),
        request: |n| Exchange::get(&format!("preview-x-{n}.example.com"), "/"),
    },
    Shape {
        name: "host with a star behind what differs",
        rule: |n| json!({ "hosts": [format!("h{n}.*.*-eu.example.com")] }),
        request: |n| Exchange::get(&format!("h{n}.a.b-eu.example.com"), "/"),
    },
    Shape {
        name: "host with a star before what differs",
        rule: |n| json!({ "hosts": [format!("*.a*.h{n}.example.com")] }),
        request: |n| Exchange::get(&format!("x.y.ab.h{n}.example.com"), "/"),
    },
    Shape {
        name: "service",
        rule: |n| json!({ "service": format!("s{n}.shop") }),
        request: |n| Exchange::get(&format!("s{n}.shop.svc.cluster.local:8080"), "/"),
    },
    Shape {
        name: "path prefix",
        rule: |n| json!({ "path": { "pathPrefix": format!("/service{n}") } }),
        request: |n| get(&format!("/service{n}/a/b?c=d")),
    },
    Shape {
        name: "exact path",
        rule: |n| json!({ "path": { "exact": format!("/service{n}/items") } }),
        request: |n| get(&format!("/service{n}/items")),
    },
    Shape {
        name: "path in a list",
        rule: |n| json!({ "path": { "in": [format!("/a{n}"), format!("/b{n}")] } }),
        request: |n| get(&format!("/b{n}")),
    },
    Shape {
        name: "path template",
        rule: |n| json!({ "path": { "template": format!("/service{n}/{{id}}/items") } }),
        request: |n| get(&format!("/service{n}/42/items")),
    },
    Shape {
        name: "exact header",
        rule: |n| json!({ "headers": { "x-user": { "exact": format!("user-{n}") } } }),
        request: |n| get("/").header("x-user", format!("user-{n}")),
    },
    Shape {
        name: "header in a list",
        rule: |n| json!({ "headers": { "x-user": { "in": [format!("a-{n}"), format!("b-{n}")] } } }),
        request: |n| get("/").header("x-user", format!("b-{n}")),
    },
    Shape {
        name: "header prefix",
        rule: |n| json!({ "headers": { "x-user": { "prefix": format!("user-{n}-") } } }),
        request: |n| get("/").header("x-user", format!("user-{n}-suffix")),
    },
    Shape {
        name: "header suffix",
        rule: |n| json!({ "headers": { "x-user": { "suffix": format!("@d{n}.example.com") } } }),
        request: |n| get("/").header("x-user", format!("a@d{n}.example.com")),
    },
    Shape {
        name: "a header of its own",
        rule: |n| json!({ "headers": { format!("x-user-{n}"): { "present": true } } }),
        request: |n| get("/").header(format!("x-user-{n}"), "1"),
    },
    Shape {
        name: "cookie",
        rule: |n| json!({ "cookies": { "uid": { "exact": format!("user-{n}") } } }),
        request: |n| get("/").header("cookie", format!("a=1; uid=user-{n}; b=2")),
    },
    Shape {
        name: "query parameter",
        rule: |n| json!({ "queryParams": { "tenant": { "exact": format!("t{n}") } } }),
        request: |n| get(&format!("/?a=1&tenant=t{n}")),
    },
    Shape {
        name: "method and path",
        rule: |n| {
            let method = if n % 2 == 0 { "GET" } else { "POST" };
            json!({ "method": { "exact": method }, "path": { "pathPrefix": format!("/service{}", n / 2) } })
        },
        request: |n| {
            let method = if n % 2 == 0 { "GET" } else { "POST" };
            let mut exchange = get(&format!("/service{}/x", n / 2));
            exchange.headers.set(b":method", method.as_bytes());
            exchange
        },
    },
    Shape {
        name: "host and path",
        rule: |n| {
            json!({ "hosts": [format!("h{}.example.com", n / 100)],
                    "path": { "pathPrefix": format!("/service{}", n % 100) } })
        },
        request: |n| Exchange::get(&format!("h{}.example.com", n / 100), &format!("/service{}/x", n % 100)),
    },
    Shape {
        name: "path and header",
        rule: |n| {
            json!({ "path": { "pathPrefix": "/api" },
                    "headers": { "x-user-group": { "exact": "beta" }, "x-user": { "exact": format!("user-{n}") } } })
        },
        request: |n| get("/api/x").header("x-user-group", "beta").header("x-user", format!("user-{n}")),
    },
    Shape {
        name: "two common headers",
        rule: |n| json!({ "headers": { "x-a": { "exact": format!("a{}", n / 100) }, "x-b": { "exact": format!("b{}", n % 100) } } }),
        request: |n| get("/").header("x-a", format!("a{}", n / 100)).header("x-b", format!("b{}", n % 100)),
    },
    Shape {
        name: "header contains",
        rule: |n| json!({ "headers": { "x-user": { "contains": format!("-{n}-") } } }),
        request: |n| get("/").header("x-user", format!("user-{n}-suffix")),
    },
    Shape {
        name: "cookie contains",
        rule: |n| json!({ "cookies": { "uid": { "contains": format!("-{n}-") } } }),
        request: |n| get("/").header("cookie", format!("uid=user-{n}-suffix")),
    },
    Shape {
        name: "path suffix",
        rule: |n| json!({ "path": { "suffix": format!("/item{n}.html") } }),
        request: |n| get(&format!("/a/b/item{n}.html")),
    },
    Shape {
        name: "path contains",
        rule: |n| json!({ "path": { "contains": format!("/item{n}/") } }),
        request: |n| get(&format!("/a/item{n}/b")),
    },
    Shape {
        name: "header in a range",
        rule: |n| json!({ "headers": { "x-number": { "range": { "from": n * 10, "to": n * 10 + 10 } } } }),
        request: |n| get("/").header("x-number", (n * 10 + 7).to_string()),
    },
    Shape {
        name: "below a number",
        rule: |n| json!({ "headers": { "x-number": { "range": { "from": -100, "to": n * 512 + 512 } } } }),
        request: |n| get("/").header("x-number", (n * 512).to_string()),
    },
    Shape {
        name: "principal",
        rule: |n| json!({ "source": { "principals": [format!("spiffe://a/ns/b/sa/{n}")] } }),
        request: |n| from(&format!("spiffe://a/ns/b/sa/{n}")),
    },
    Shape {
        name: "principals by prefix",
        rule: |n| json!({ "source": { "principals": [format!("a/ns/n{n}/*")] } }),
        request: |n| from(&format!("spiffe://a/ns/n{n}/sa/web")),
    },
    Shape {
        name: "block of addresses",
        rule: |n| json!({ "source": { "cidrs": [format!("10.{}.{}.0/24", n / 256, n % 256)] } }),
        request: |n| {
            let address = format!("10.{}.{}.7:4711", n / 256, n % 256);
            get("/").property(&["source", "address"], address)
        },
    },
    Shape {
        name: "blocks of every size",
        rule: |n| json!({ "source": { "cidrs": [format!("10.{}.{}.0/{}", n / 256, n % 256, 24 + n % 9)] } }),
        request: |n| {
            let address = format!("10.{}.{}.0:4711", n / 256, n % 256);
            get("/").property(&["source", "address"], address)
        },
    },
    Shape {
        name: "without one header, not that user",
        rule: |n| {
            json!({ "headers": { "x-user": { "exact": format!("user-{n}"), "invert": true } },
                    "withoutHeaders": { "x-probe": { "present": true } } })
        },
        request: |_| get("/").header("x-probe", "1"),
    },
];

/// What no index narrows: each rule is tried, at a small price. A policy has at most 256
/// expressions.
pub(super) const TRIED: &[Shape] = &[Shape {
    name: "regex",
    rule: |n| json!({ "headers": { "x-user": { "regex": format!("user-{n}-.*") } } }),
    request: |n| get("/").header("x-user", format!("user-{n}-suffix")),
}];

fn from(principal: &str) -> Exchange {
    get("/").property(&["connection", "uri_san_peer_certificate"], principal)
}

pub(super) fn get(target: &str) -> Exchange {
    Exchange::get("shop.example.com", target)
}
