//! The kinds of requests, each with the worst policy for it.

use super::*;

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "a parameter, of which the first counts",
        filter: "header-router",
        policy: || rules(RULES, |n| json!({ "queryParams": { "b": { "exact": format!("{n:04x}") } } })),
        request: |bytes| {
            get(&format!(
                "/?{}b=zz&{}",
                "a&".repeat(bytes / 4),
                pieces(bytes / 2, "&", |n| format!("b={n:04x}"))
            ))
        },
    },
    Shape {
        name: "any of a parameter, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                EACH,
                |n| json!({ "queryParams": { "b": { "exact": format!("{n:04x}"), "repeated": "any" }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("b={n:04x}")))),
    },
    Shape {
        name: "any of a parameter by its end, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                EACH,
                |n| json!({ "queryParams": { "b": { "suffix": format!("{n:04X}"), "repeated": "any", "ignoreCase": true }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("b={n:04x}")))),
    },
    Shape {
        name: "any of a parameter in a range, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                EACH,
                |n| json!({ "queryParams": { "b": { "range": { "from": n, "to": n + 2 }, "repeated": "any" }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("b={n}")))),
    },
    Shape {
        name: "none of a parameter's values but one",
        filter: "header-router",
        policy: || {
            rules(
                EACH,
                |n| json!({ "queryParams": { "b": { "exact": format!("{n:04x}") }, "d": { "prefix": "x", "invert": true }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?b=0001&{}", pieces(bytes, "&", |n| format!("d={n:04x}")))),
    },
    Shape {
        name: "parameters of their own, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "queryParams": { format!("{n:04x}"): { "present": true }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("{n:04x}")))),
    },
    Shape {
        name: "a cookie, of which the first counts",
        filter: "header-router",
        policy: || rules(RULES, |n| json!({ "cookies": { "b": { "exact": format!("{n:04x}") } } })),
        request: |bytes| {
            get("/").header("cookie", format!("b=zz; {}", pieces(bytes, "; ", |n| format!("b={n:04x}"))))
        },
    },
    Shape {
        name: "cookies of their own, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "cookies": { format!("{n:04x}"): { "present": true }, "c": { "present": true } } }),
            )
        },
        request: |bytes| get("/").header("cookie", pieces(bytes, "; ", |n| format!("{n:04x}=1"))),
    },
    Shape {
        name: "texts in a path, and a method",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "path": { "contains": format!("{n:04x}") }, "method": { "exact": "PUT" } }),
            )
        },
        request: |bytes| get(&format!("/{}", pieces(bytes, "/", |n| format!("{n:04x}")))),
    },
    Shape {
        name: "texts in a header in another letter case, and a header that is missing",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "headers": { "x-a": { "contains": format!("{n:04x}g") }, "x-b": { "present": true } } }),
            )
        },
        request: |bytes| {
            let all = pieces(bytes / 2, "", |n| format!("{n:04x}g"));
            get("/").header("x-a", all.to_uppercase() + &all)
        },
    },
    Shape {
        name: "texts in any letter case, in none of the lines of a header",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "headers": { "x-b": { "exact": "1" }, "x-a": { "contains": format!("{n:04x}G"), "ignoreCase": true, "invert": true } } }),
            )
        },
        request: |bytes| {
            let mut exchange = get("/").header("x-b", "1");
            for line in 0..8 {
                exchange = exchange
                    .header("x-a", format!("{line}{}", pieces(bytes / 8, "", |n| format!("{n:04x}g"))));
            }
            exchange
        },
    },
    Shape {
        name: "lines of a header, and a header that is missing",
        filter: "header-router",
        policy: || {
            rules(
                EACH,
                |n| json!({ "headers": { "x-a": { "exact": format!("{n:04x}") }, "x-b": { "present": true } } }),
            )
        },
        request: |bytes| {
            let mut exchange = get("/");
            for n in 0..bytes / 8 {
                exchange = exchange.header("x-a", format!("{n:04x}"));
            }
            exchange
        },
    },
    Shape {
        name: "headers of their own, and one that is missing",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "headers": { format!("{n:04x}"): { "present": true }, "x-b": { "present": true } } }),
            )
        },
        request: |bytes| {
            let mut exchange = get("/");
            for n in 0..bytes / 6 {
                exchange = exchange.header(format!("{n:04x}"), "1");
            }
            exchange
        },
    },
    Shape {
        name: "the start of a long header in any letter case",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "headers": { "x-a": { "prefix": "A".repeat(n % 60 + 1), "ignoreCase": true }, "x-b": { "present": true } } }),
            )
        },
        request: |bytes| get("/").header("x-a", "a".repeat(bytes)),
    },
    Shape {
        name: "a long number",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "headers": { "x-a": { "range": { "from": -100, "to": n + 512 } }, "x-b": { "present": true } } }),
            )
        },
        request: |bytes| get("/").header("x-a", "0".repeat(bytes) + "7"),
    },
    Shape {
        name: "templates that a long segment fits",
        filter: "header-router",
        policy: || rules(RULES, |n| json!({ "path": { "template": format!("/{{id}}/{n}") } })),
        request: |bytes| get(&format!("/{}/x", "a".repeat(bytes))),
    },
    Shape {
        name: "paths within each other, and parameters",
        filter: "header-router",
        policy: || {
            rules(EACH, |n| {
                json!({ "path": { "prefix": format!("/{}", "a/".repeat(n / 10)) },
                                     "queryParams": { "b": { "exact": format!("{n:04x}"), "repeated": "any" } }, "headers": { "x-b": { "present": true } } })
            })
        },
        request: |bytes| {
            get(&format!("/{}?{}", "a/".repeat(500), pieces(bytes, "&", |n| format!("b={n:04x}"))))
        },
    },
    Shape {
        name: "hosts within each other",
        filter: "header-router",
        policy: || {
            rules(
                RULES,
                |n| json!({ "hosts": [format!("*.{}example", "a.".repeat(n % 120))], "path": { "suffix": format!("x{n}") } }),
            )
        },
        request: |bytes| {
            let mut exchange = get(&format!("/{}", "x".repeat(bytes)));
            exchange.headers.set(b":authority", format!("{}example", "a.".repeat(122)).as_bytes());
            exchange
        },
    },
    Shape {
        name: "lists of values, and a header that is missing",
        filter: "header-router",
        policy: || {
            let values =
                |n: usize| (0..50).map(|v| format!("{:04x}", (n * 50 + v) % 10_000)).collect::<Vec<_>>();
            rules(
                EACH,
                |n| json!({ "queryParams": { "b": { "in": values(n), "repeated": "any" } }, "headers": { "x-b": { "present": true } } }),
            )
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("b={n:04x}")))),
    },
    Shape {
        name: "include, by parameters",
        filter: "canary-split",
        policy: || {
            let include = |n: usize| json!({ "backend": "c", "matches": [{ "queryParams": { format!("q{}", n % 50): { "exact": format!("{n:04x}") } } }] });
            json!({ "splits": [{ "name": "s", "backends": [{ "name": "b", "baseline": true }, { "name": "c", "to": "v2", "weight": 5 }],
                                 "key": [{ "cookie": "uid" }, { "queryParam": "zz" }], "include": (0..RULES).map(include).collect::<Vec<_>>() }] })
        },
        request: |bytes| get(&format!("/?{}", pieces(bytes, "&", |n| format!("q{}=zzzz", n % 60)))),
    },
    Shape {
        name: "exclude, by texts in a header",
        filter: "canary-split",
        policy: || {
            let exclude = |n: usize| json!({ "matches": [{ "headers": { "x-a": { "contains": format!("{n:04x}") }, "x-b": { "present": true } } }] });
            json!({ "splits": [{ "name": "s", "backends": [{ "name": "b", "baseline": true }, { "name": "c", "to": "v2", "weight": 5 }],
                                 "exclude": (0..RULES).map(exclude).collect::<Vec<_>>() }] })
        },
        request: |bytes| get("/").header("x-a", pieces(bytes, "", |n| format!("{n:04x}"))),
    },
    Shape {
        name: "attributes, by texts in a repeated header",
        filter: "metric-tags",
        policy: || {
            let rule = |n: usize| json!({ "value": format!("v{n}"), "condition": format!("request.headers['x-a'].contains('{n:04x}') && request.method == 'PUT'") });
            json!({ "attributes": [{ "output_attribute": "istio_operationId", "match": (0..1_000).map(rule).collect::<Vec<_>>() }] })
        },
        request: |bytes| {
            let half = pieces(bytes / 2, "", |n| format!("{n:04x}"));
            get("/").header("x-a", half.clone()).header("x-a", half)
        },
    },
    Shape {
        name: "denied paths, by texts in them",
        filter: "egress-policy",
        policy: || {
            let rule = |n: usize| json!({ "name": format!("r{n}"), "action": "deny", "to": { "methods": ["PUT"], "paths": [{ "contains": format!("{n:04x}") }] } });
            json!({ "default": "allow", "rules": (0..RULES).map(rule).collect::<Vec<_>>() })
        },
        request: |bytes| get(&format!("/{}", pieces(bytes, "/", |n| format!("{n:04x}")))),
    },
    Shape {
        name: "edits that quote",
        filter: "header-router",
        policy: || {
            // As many quotations as one value, and as one table, may have.
            let quoted = |e: usize| {
                if e == 0 { "%QUERY_PARAM(zz)%%COOKIE(zz)%".repeat(2) } else { "%REQ(x-a)%".repeat(8) }
            };
            let edits = |from: usize| {
                let edits = (0..16).map(|e| (format!("e{}", from + e), json!(quoted(e) + "x")));
                edits.collect::<serde_json::Map<_, _>>()
            };
            json!({ "rules": [{ "name": "r", "requestHeaders": { "set": edits(0), "add": edits(16) }, "responseHeaders": { "set": edits(0), "add": edits(16) } }] })
        },
        request: |bytes| {
            get(&format!("/?{}", "a&".repeat(bytes / 4)))
                .header("cookie", "a=1;".repeat(bytes / 8))
                .header("x-a", "a".repeat(bytes / 2))
        },
    },
];
