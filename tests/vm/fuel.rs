//! What a request costs must follow the request, not the number of rules.
//!
//! Fuel is wasmtime's count of instructions: the same on every machine, so these are tests on
//! counts and not on clocks. `cargo test --test fuel -- --nocapture` prints them.

use narrows_runners::Filter;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::{Value, json};

const FEW: usize = 10;
const MANY: usize = 10_000;
/// What loading ten thousand rules may cost: at a thousand million a second, well under 2 s.
const LOAD: u64 = 1_000_000_000;

/// What ten thousand rules may hold, in every worker.
const MEMORY: usize = 40 * 1024 * 1024;

/// Regular expressions that a policy may have.
const EXPRESSIONS: usize = narrows_core::limits::REGEXES;
/// What trying one of them may cost.
const EACH: u64 = 2_000;

/// A kind of rule: its match by number, and the request that only the rule of that number matches.
struct Shape {
    name: &'static str,
    rule: fn(usize) -> Value,
    request: fn(usize) -> Exchange,
}

const SHAPES: &[Shape] = &[
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
const TRIED: &[Shape] = &[Shape {
    name: "regex",
    rule: |n| json!({ "headers": { "x-user": { "regex": format!("user-{n}-.*") } } }),
    request: |n| get("/").header("x-user", format!("user-{n}-suffix")),
}];

fn from(principal: &str) -> Exchange {
    get("/").property(&["connection", "uri_san_peer_certificate"], principal)
}

fn get(target: &str) -> Exchange {
    Exchange::get("shop.example.com", target)
}

#[test]
fn the_last_of_ten_thousand_rules_costs_what_the_last_of_ten_does() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let few = measure(&module, shape, FEW)?;
        let many = measure(&module, shape, MANY)?;
        println!(
            "{:34} {:>8} {:>8} {:>5}%  load {:>11}  memory {:>5} KiB",
            shape.name,
            few.decide,
            many.decide,
            many.decide * 100 / few.decide,
            many.load,
            many.memory / 1024,
        );
        if many.decide * 2 >= few.decide * 3 {
            wrong.push(format!("{}: {} instead of {}", shape.name, many.decide, few.decide));
        }
        if many.memory > MEMORY {
            wrong.push(format!("{}: {} bytes of memory", shape.name, many.memory));
        }
        if many.load > LOAD {
            wrong.push(format!("{}: loading costs {}", shape.name, many.load));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_must_be_tried_is_tried_cheaply() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    for shape in TRIED {
        let many = measure(&module, shape, EXPRESSIONS)?;
        println!("{:20} {:>8} for each rule", shape.name, many.decide / EXPRESSIONS as u64);
        assert!(many.decide < EACH * EXPRESSIONS as u64, "{}: {}", shape.name, many.decide);
    }
    Ok(())
}

#[test]
fn a_host_full_of_dots_costs_its_length() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let price = |host: &str| -> anyhow::Result<u64> {
        let rules: Vec<Value> = (0..10)
            .map(|n| json!({ "name": format!("r{n}"), "matches": [{ "hosts": [format!("*.h{n}.example.com")] }] }))
            .collect();
        let mut vm = Vm::new(&module, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new("narrows", json!({ "rules": rules }).to_string()));
        anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
        let outcome = vm.request(plugin.root, Exchange::get(host, "/"), |_| Response::ok());
        Ok(outcome.work.fuel_of("proxy_on_request_headers"))
    };
    let (dots, letters) = (price(&".".repeat(58_000))?, price(&"a".repeat(58_000))?);
    println!("58,000 dots {dots}, letters {letters}");
    assert!(dots < letters * 2, "{dots} instead of {letters}");
    Ok(())
}

#[test]
fn a_long_value_costs_its_length() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    // Texts that stand within each other, in a value in which each ends at every byte.
    let rule = |n: usize| json!({ "name": format!("r{n}"), "matches": [{ "headers": { "x-user": { "contains": "a".repeat(n + 1) } }, "method": { "exact": "PUT" } }] });
    let policy = json!({ "rules": (0..1_000).map(rule).collect::<Vec<_>>() });
    let mut vm = Vm::new(&module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("narrows", policy.to_string()));
    anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
    let mut price = |length: usize| {
        let exchange = get("/").header("x-user", "a".repeat(length));
        vm.request(plugin.root, exchange, |_| Response::ok()).work.fuel_of("proxy_on_request_headers")
    };
    let (short, long) = (price(5_000), price(50_000));
    println!("a thousand texts in 5,000 bytes {short}, in 50,000 {long}");
    assert!(long < short * 11, "{long} instead of {short}");
    Ok(())
}

/// The price of a policy with a number of rules.
struct Price {
    load: u64,
    decide: u64,
    memory: usize,
}

fn measure(module: &Module, shape: &Shape, rules: usize) -> anyhow::Result<Price> {
    let last = rules - 1;
    let rule = |n: usize| {
        // The last of those that only say what must not be there has none of it.
        let matches = (shape.rule)(n);
        let matches = if n == last && matches.get("withoutHeaders").is_some() { json!({}) } else { matches };
        json!({ "name": format!("r{n}"), "matches": [matches], "route": { "to": "v2" } })
    };
    let policy = json!({ "rules": (0..rules).map(rule).collect::<Vec<_>>() });
    let mut vm = Vm::new(module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("narrows", policy.to_string()));
    anyhow::ensure!(plugin.accepted, "{}: {:?}", shape.name, plugin.work.logs);
    let mut decide = 0;
    // The first request also pays for what is made once.
    for _ in 0..2 {
        let outcome = vm.request(plugin.root, (shape.request)(last), |_| Response::ok());
        let rule = outcome.property_text("narrows_rule");
        anyhow::ensure!(rule == Some(format!("r{last}")), "{}: matched {rule:?}", shape.name);
        decide = outcome.work.fuel_of("proxy_on_request_headers");
    }
    Ok(Price { load: plugin.work.fuel(), decide, memory: vm.memory_bytes() })
}
