//! What a policy may take, it takes at most: the worst policies within the limits, in real modules.
//!
//! Each is made as large as its filter takes it, by halving. Then the module's memory is what the
//! limits promise, nothing traps, and the next larger one is refused by its weight, with a remedy.

use narrows_core::limits;
use narrows_runners::Filter;
use narrows_vm::{Module, Plugin, Vm, VmOptions};
use serde_json::{Value, json};

/// What a VM may take for one policy, the policy as written and as read included.
const MOST: usize = 64 * 1024 * 1024;

/// A kind of policy that is small as written, by how much of it there is.
struct Worst {
    filter: &'static str,
    name: &'static str,
    /// The most of it that the other limits allow.
    most: usize,
    policy: fn(usize) -> Value,
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

const WORST: &[Worst] = &[
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

#[test]
fn the_heaviest_policies_fit_and_heavier_ones_are_refused() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for Worst { filter, name, most, policy } in WORST {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        let load = |count: usize| -> anyhow::Result<(bool, usize, String)> {
            let mut vm = Vm::new(&module, VmOptions::default())?;
            let text = policy(count).to_string();
            let plugin = vm.configure(Plugin::new("narrows", &text));
            let logs = plugin.work.logs.iter().map(|log| log.text.as_str()).collect::<Vec<_>>().join("\n");
            anyhow::ensure!(vm.trap().is_none(), "{filter}, {name}, {count}: {:?}", vm.trap());
            Ok((logs.contains("policy loaded"), vm.memory_bytes(), logs))
        };
        let (mut taken, mut refused) = (0, most + 1);
        let mut peak = 0;
        let mut said = String::new();
        // As many as there may be, or else by halving to within a tenth.
        let mut next = *most;
        loop {
            let (loaded, memory, logs) = load(next)?;
            peak = peak.max(memory);
            if loaded {
                taken = next;
            } else {
                refused = next;
                said = logs;
            }
            if refused - taken <= 1 + taken / 10 {
                break;
            }
            next = taken.midpoint(refused);
        }
        println!("{filter:14} {name:32} {taken:>6} of {most:>6}, {:>6} KiB", peak / 1024);
        if peak > MOST {
            wrong.push(format!("{filter}, {name}: {peak} bytes"));
        }
        if taken == 0 {
            wrong.push(format!("{filter}, {name}: refused in any size: {said}"));
        }
        let is_named = ["NRW112", "NRW106"].iter().any(|code| said.contains(code));
        if refused <= *most && !is_named {
            wrong.push(format!("{filter}, {name}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_no_policy_takes_little_and_is_told_shortly() -> anyhow::Result<()> {
    let long = "x".repeat(4_000_000);
    let texts = [
        ("blanks", " ".repeat(10_000_000), "bytes"),
        ("too long", format!("{{\"rules\":[],\"a\":\"{}\"}}", "x".repeat(limits::POLICY_BYTES)), "bytes"),
        ("a long field", format!("{{\"{long}\":1}}"), "bytes"),
        ("a long name", json!({ "rules": [{ "name": long }] }).to_string(), "bytes"),
        ("many fields", format!("{{{}}}", (0..300_000).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",")), "MiB"),
        ("many values", format!("{{\"rules\":[{}0]}}", "0,".repeat(2_000_000)), "MiB"),
        ("many lists", format!("{{\"rules\":[{}0]}}", "[],".repeat(1_300_000)), "MiB"),
        ("long names", json!({ "rules": (0..60).map(|_| json!({ "name": "\u{1}".repeat(10_000) })).collect::<Vec<_>>() }).to_string(), "NRW108"),
        ("long unknown fields", format!("{{{}}}", (0..60).map(|n| format!("\"{n}{}\":1", "y".repeat(60_000))).collect::<Vec<_>>().join(",")), "NRW101"),
        ("a long host", json!({ "rules": [{ "name": "a", "matches": [{ "hosts": ["!".repeat(60_000)] }] }] }).to_string(), "NRW5"),
    ];
    for filter in ["header-router", "egress-policy"] {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        for (name, text, word) in &texts {
            if filter != "header-router" && name.ends_with("host") {
                continue;
            }
            let mut vm = Vm::new(&module, VmOptions::default())?;
            let work = vm.configure(Plugin::new("narrows", text)).work;
            anyhow::ensure!(vm.trap().is_none(), "{name}: {:?}", vm.trap());
            let logs: Vec<_> = work.logs.iter().map(|log| log.text.as_str()).collect();
            let all = logs.join("\n");
            println!("{filter} {name:20} {:>6} KiB, {:>6} bytes of log", vm.memory_bytes() / 1024, all.len());
            assert!(all.contains("rejected") && all.contains(word), "{name}: {all}");
            assert!(logs.iter().all(|line| line.len() < 1_200), "{name}: {all}");
            assert!(vm.memory_bytes() <= MOST, "{name}: {} bytes", vm.memory_bytes());
        }
    }
    Ok(())
}
