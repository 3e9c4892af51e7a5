//! The worst policies: small as written, heavy as compiled.

use serde_json::{Value, json};

/// A kind of policy that is small as written, by how much of it there is.
pub(super) struct Worst {
    pub(super) filter: &'static str,
    pub(super) name: &'static str,
    /// The most of it that the other limits allow.
    pub(super) most: usize,
    pub(super) policy: fn(usize) -> Value,
}

fn rules(count: usize, rule: impl Fn(usize) -> Value) -> Value {
    json!({ "rules": (0..count).map(|n| {
        let mut rule = rule(n);
        rule["name"] = json!(format!("r{n}"));
        rule
    }).collect::<Vec<_>>() })
}

fn list(count: usize, of: impl Fn(usize) -> String) -> Value {
    (0..count).map(of).collect()
}

fn matching(one: Value) -> Value {
    [("matches".to_owned(), Value::Array(vec![one]))].into_iter().collect()
}

fn allow(to: Value) -> Value {
    [("action".to_owned(), json!("allow")), ("to".to_owned(), to)].into_iter().collect()
}

fn split(n: usize) -> Value {
    json!({ "name": format!("s{n}"), "hosts": [format!("h{n}.example")],
            "backends": [{ "name": "b", "baseline": true }, { "name": "c", "to": "v2" }] })
}

fn splits(count: usize, with: impl Fn(usize, &mut Value)) -> Value {
    json!({ "splits": (0..count).map(|n| { let mut split = split(n); with(n, &mut split); split }).collect::<Vec<_>>() })
}

pub(super) const WORST: &[Worst] = &[
    Worst {
        filter: "header-router",
        name: "hosts × paths",
        most: 60,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "hosts": list(256, |h| format!("h{h}x{n}")), "path": { "in": list(1024, |p| format!("/{p}")) } }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "few hosts × paths, none shared",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "hosts": list(8, |h| format!("h{h}x{n}")), "path": { "in": list(8, |p| format!("/{p}")) } }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "empty matches",
        most: 10_000,
        policy: |count| rules(count, |_| json!({ "matches": vec![json!({}); 64] })),
    },
    Worst {
        filter: "header-router",
        name: "conditions",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "headers": (0..16).map(|h| (format!("h{h}"), json!({ "exact": format!("{n}") }))).collect::<serde_json::Map<_, _>>() }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "inverted conditions",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "headers": (0..16).map(|h| (format!("h{h}"), json!({ "exact": format!("{n}"), "invert": true }))).collect::<serde_json::Map<_, _>>() }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "ranges",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "headers": (0..16).map(|h| (format!("h{h}"), json!({ "range": { "from": n + 1, "to": 4_000_000_001u64 + n as u64 } }))).collect::<serde_json::Map<_, _>>() }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "lists of values",
        most: 700,
        policy: |count| {
            rules(count, |n| {
                matching(json!({ "headers": { "x": { "in": list(1024, |v| format!("{n}x{v}")) } } }))
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "lists of values × paths",
        most: 200,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "path": { "in": list(64, |p| format!("/{p}")) }, "headers": { "x": { "in": list(256, |v| format!("{n}x{v}")) } } }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "texts within values",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                matching(json!({ "headers": { "x": { "contains": format!("{n:08x}").repeat(20) } } }))
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "expressions",
        most: 256,
        policy: |count| {
            rules(count, |n| {
                matching(
                    json!({ "headers": { "x": { "regex": format!("a{n}{}", "[a-z]{40}".repeat(12)) } } }),
                )
            })
        },
    },
    Worst {
        filter: "header-router",
        name: "paths within each other",
        most: 2_500,
        policy: |count| {
            rules(count, |n| matching(json!({ "path": { "prefix": format!("/{}", "a".repeat(n)) } })))
        },
    },
    Worst {
        filter: "header-router",
        name: "edits that quote",
        most: 10_000,
        policy: |count| {
            let edits = || {
                (0..16)
                    .map(|e| (format!("e{e}"), json!("%HOST%a%PATH%b%HOST%c")))
                    .collect::<serde_json::Map<_, _>>()
            };
            rules(
                count,
                |_| json!({ "requestHeaders": { "set": edits(), "add": edits() }, "responseHeaders": { "set": edits(), "add": edits() } }),
            )
        },
    },
    Worst {
        filter: "canary-split",
        name: "hosts × matches of a split",
        most: 1_000,
        policy: |count| {
            splits(count, |n, split| {
                split["hosts"] = list(128, |h| format!("h{h}x{n}"));
                split["matches"] = (0..64).map(|m| json!({ "path": { "exact": format!("/{m}") } })).collect();
            })
        },
    },
    Worst {
        filter: "canary-split",
        name: "backends",
        most: 1_000,
        policy: |count| {
            splits(count, |_, split| {
                split["backends"] = (0..16)
                    .map(|b| {
                        if b == 0 {
                            json!({ "name": "baseline", "baseline": true })
                        } else {
                            json!({ "name": format!("b{b}"), "to": "v" })
                        }
                    })
                    .collect();
            })
        },
    },
    Worst {
        filter: "canary-split",
        name: "include",
        most: 10_000,
        policy: |count| {
            splits(1, |_, split| {
                split["include"] = (0..count).map(|i| json!({ "backend": "c", "matches": vec![json!({ "queryParams": { "q": { "exact": format!("{i}") } } }); 8] })).collect();
            })
        },
    },
    Worst {
        filter: "egress-policy",
        name: "hosts × lists of paths",
        most: 60,
        policy: |count| {
            rules(count, |n| {
                allow(
                    json!({ "hosts": list(256, |h| format!("h{h}x{n}")), "paths": vec![json!({ "in": list(1024, |p| format!("/{p}")) })] }),
                )
            })
        },
    },
    Worst {
        filter: "egress-policy",
        name: "hosts × paths",
        most: 1_000,
        policy: |count| {
            rules(
                count,
                |n| json!({ "action": "deny", "to": { "hosts": list(256, |h| format!("h{h}x{n}")), "paths": (0..64).map(|p| json!({ "exact": format!("/{p}") })).collect::<Vec<_>>() } }),
            )
        },
    },
    Worst {
        filter: "egress-policy",
        name: "callers × ports × methods",
        most: 10_000,
        policy: |count| {
            rules(count, |n| {
                json!({ "action": "allow", "from": { "namespaces": list(64, |s| format!("n{s}x{n}")), "workloads": list(64, |s| format!("w{s}x{n}")) },
                                      "to": { "hosts": ["*"], "ports": (1..=64).collect::<Vec<_>>(), "methods": list(20, |m| "M".repeat(m + 1)) } })
            })
        },
    },
    Worst {
        filter: "metric-tags",
        name: "templates",
        most: 32,
        policy: |count| {
            let templates = |t: usize| {
                (0..1000)
                    .map(|n| json!({ "template": format!("/{t}a{n}/b/c/d/e/f/g/h/i/j/k/l"), "value": "x" }))
                    .collect::<Vec<_>>()
            };
            json!({ "tags": (0..count).map(|t| (format!("t{t}"), json!({ "pathTemplates": templates(t) }))).collect::<serde_json::Map<_, _>>() })
        },
    },
    Worst {
        filter: "metric-tags",
        name: "host maps",
        most: 32,
        policy: |count| {
            let map = || {
                (0..1000)
                    .map(|n| (format!("h{n}*"), json!(format!("component{n}"))))
                    .collect::<serde_json::Map<_, _>>()
            };
            json!({ "tags": (0..count).map(|t| (format!("t{t}"), json!({ "hostMap": map() }))).collect::<serde_json::Map<_, _>>() })
        },
    },
    Worst {
        filter: "header-router",
        name: "hosts with a star",
        most: 10_000,
        policy: |count| {
            let rule = |n| json!({ "name": format!("r{n}"), "matches": [{ "hosts": [format!("a*.b.c.d.e.f.g.h.i.x{n}")] }] });
            json!({ "rules": (0..count).map(rule).collect::<Vec<_>>() })
        },
    },
    Worst {
        filter: "metric-tags",
        name: "host maps with stars",
        most: 32,
        policy: |count| {
            let map = || {
                (0..1000)
                    .map(|n| (format!("h{n}*x.d{n}"), json!(format!("component{n}"))))
                    .collect::<serde_json::Map<_, _>>()
            };
            json!({ "tags": (0..count).map(|t| (format!("t{t}"), json!({ "hostMap": map() }))).collect::<serde_json::Map<_, _>>() })
        },
    },
    Worst {
        filter: "metric-tags",
        name: "attributes",
        most: 1_000,
        policy: |count| {
            let alternatives = "(request.url_path == '/a' || request.url_path == '/b' || request.url_path == '/c' || request.url_path == '/d')";
            let more = alternatives.replace("url_path", "method").replace("'/", "'");
            let agents = alternatives.replace("url_path", "useragent");
            json!({ "attributes": [{ "output_attribute": "istio_operationId", "match": (0..count).map(|n| json!({
                "value": format!("v{n}"), "condition": format!("{alternatives} && {more} && {agents} && response.code == {n}") })).collect::<Vec<_>>() }] })
        },
    },
];
