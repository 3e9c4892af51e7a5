//! Can a stranger switch a canary off? And is one that is missing still noticed?

mod absent;
mod shop;

use std::time::{Duration, Instant};

use narrows_harness::client::{Client, Protocol};
use narrows_harness::http1::{Connection, exchange_raw};
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::{Value, json};

use shop::{By, HOST, Shop, by_header, hosts, next, route, series, split, table};

/// Routes that lead to no application, or only for a few.
fn dead_ends() -> Vec<Value> {
    let mut post = route("/only-post", "stable");
    post["match"]["headers"] = json!([{ "name": ":method", "string_match": { "exact": "POST" } }]);
    vec![
        post,
        route("/legacy", "legacy"),
        route("/no-cluster", "nosuch"),
        json!({ "match": { "prefix": "/fixed" }, "direct_response": { "status": 502 } }),
        json!({ "match": { "prefix": "/old" }, "redirect": { "path_redirect": "/api" } }),
        // For nobody: a client that writes the header is not believed.
        by_header("/", "v1", "stable"),
    ]
}

/// What a client may send, and what it is; none of it says anything about the canary.
fn attempts() -> Vec<(&'static str, Request)> {
    let get = |path: &str| Request::get(HOST, path);
    let api = || get("/api/books");
    vec![
        ("a tunnel", Request::new("CONNECT", "shop.example.com:80", "shop.example.com:80")),
        ("a tunnel elsewhere", Request::new("CONNECT", "evil.example:443", "evil.example:443")),
        ("an unknown host", Request::get("evil.example", "/api/books")),
        ("a trailing dot", Request::get("shop.example.com.", "/api/books")),
        ("the canary's own host with a dot", Request::get("canary.example.com.", "/api/books")),
        ("an address", Request::get("[::1]:8080", "/api/books")),
        ("a path without a route", get("/nosuch")),
        ("another path without a route", get("/apo/../nosuch?/api")),
        ("a method without a route", get("/only-post")),
        ("a preflight without a route", Request::new("OPTIONS", HOST, "/only-post")),
        ("an odd method without a route", Request::new("PURGE", HOST, "/nosuch")),
        ("all of the server", Request::new("OPTIONS", HOST, "*")),
        ("a cluster without hosts, for everybody", get("/legacy")),
        ("a cluster that is missing, for everybody", get("/no-cluster")),
        ("an answer of the route's own", get("/fixed")),
        ("a redirect", get("/old")),
        ("a forged route header", get("/nosuch").header("x-narrows-route", "v1")),
        (
            "another spelling of it",
            get("/nosuch").header("x_narrows_route", "v1").header("x-narrows-route", "v1"),
        ),
        ("a time limit", api().header("x-envoy-upstream-rq-timeout-ms", "1")),
        ("retries", api().header("x-envoy-retry-on", "5xx,reset").header("x-envoy-max-retries", "9")),
        ("a refusal of another filter", api().header("x-refused", "1")),
        ("a refusal without a route", get("/nosuch").header("x-refused", "1")),
        ("a fault", api().header("x-envoy-fault-abort-request", "502")),
        ("another fault", api().header("x-envoy-fault-abort-request", "503")),
        ("a fault without a route", get("/nosuch").header("x-envoy-fault-abort-request", "502")),
        (
            "another cluster in the name of the caller",
            api().header("x-envoy-original-dst-host", "127.0.0.1:1"),
        ),
    ]
}

/// What goes over HTTP/1.1 alone, as bytes; the connection closes in the middle of some.
const RAW: [(&str, &str); 6] = [
    (
        "an upgrade",
        "GET /api/books HTTP/1.1\r\nhost: shop.example.com\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
    ),
    (
        "an upgrade without a route",
        "GET /nosuch HTTP/1.1\r\nhost: shop.example.com\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    ),
    ("an absolute form", "GET http://shop.example.com/nosuch HTTP/1.1\r\nhost: shop.example.com\r\n\r\n"),
    (
        "an absolute form of another host",
        "GET http://evil.example/api HTTP/1.1\r\nhost: shop.example.com\r\n\r\n",
    ),
    (
        "a client that leaves",
        "POST /api/books HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 10\r\n\r\nabc",
    ),
    (
        "a client that leaves without a route",
        "POST /nosuch HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 10\r\n\r\nabc",
    ),
];

/// One worker, so that whoever asks next asks the one that was tried.
#[test]
fn a_stranger_switches_no_canary_off() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    for by in By::ALL {
        let filters = [split(&by.policy(&json!({})))];
        let envoy = shop.gateway(&filters, &table(&dead_ends(), "canary"), 1)?;
        let address = envoy.listener("main")?;
        assert_eq!(next(&envoy)?, "canary");
        for protocol in [Protocol::Http1, Protocol::Http2] {
            for (what, request) in attempts() {
                // A codec that refuses it closes the connection: that is an answer too.
                let answer = Client::connect(protocol, address)?.exchange(&request);
                let status = answer.map(|answer| answer.status);
                assert_eq!(next(&envoy)?, "canary", "{what}: {by:?}, {protocol:?}, answered {status:?}");
            }
        }
        for (what, bytes) in RAW {
            if bytes.ends_with("abc") {
                let mut client = Connection::connect(address)?;
                client.send_raw(bytes.as_bytes())?;
                drop(client);
            } else {
                exchange_raw(address, bytes.as_bytes())?;
            }
            assert_eq!(next(&envoy)?, "canary", "{what}: {by:?}");
        }
        // The log phase of the last ones may come later.
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(next(&envoy)?, "canary", "{by:?}");
        assert_eq!(envoy.stat(&series("guard"))?, 0);
        assert_eq!(envoy.stat(&series("guarded_total"))?, 0);
    }
    Ok(())
}

/// The rest of a sidecar's route table takes every host, before the split and after it.
#[test]
fn a_route_of_everything_is_no_route() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let block = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 502 } });
    for rest in [route("/", "PassthroughCluster"), block] {
        let mut routes = table(&[], "canary");
        let all = json!({ "name": "rest", "domains": ["*"], "routes": [rest] });
        routes["virtual_hosts"].as_array_mut().expect("it is a list").push(all);
        let policy = By::Host.policy(&json!({}));
        let envoy = shop.gateway(&[split(&policy)], &routes, 1)?;
        for host in ["shop.example.com.", "evil.example", "10.0.0.1:80", "shop"] {
            // The canary's host is known, so that it is served; but not below every path.
            let request = Request::get(host, "/elsewhere");
            Client::connect(Protocol::Http2, envoy.listener("main")?)?.exchange(&request)?;
            assert_eq!(next(&envoy)?, "canary", "{host}");
        }
        // And where the canary's host is not known either, all of them end there.
        let mut policy = policy;
        policy["splits"][0]["backends"][1]["authority"] = json!("unknown.example.com");
        let envoy = shop.gateway(&[split(&policy)], &routes, 1)?;
        Client::connect(Protocol::Http1, envoy.listener("main")?)?
            .exchange(&Request::get("evil.example", "/"))?;
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(envoy.stat(&series("guard"))?, 0);
        // Whoever had a route loses one request, and finds it.
        next(&envoy)?;
        assert_eq!(next(&envoy)?, "stable");
    }
    Ok(())
}

/// Envoy gives such spellings of the split's host to the route of every host, which leads to an application.
#[test]
fn another_spelling_of_the_host_says_nothing_of_it() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let mut policy = By::Host.policy(&json!({ "matches": [{ "hosts": [HOST] }] }));
    // The host's own port, which a destination without one would take on.
    for authority in ["canary.example.com", "canary.example.com:80"] {
        policy["splits"][0]["backends"][1]["authority"] = json!(authority);
        for ignores_ports in [true, false] {
            let mut canary = vec![("canary.example.com", vec![route("/api", "canary")])];
            if !ignores_ports {
                canary.push(("canary.example.com:80", vec![route("/api", "canary")]));
            }
            let stable = (HOST, vec![route("/api", "stable")]);
            let mut routes = hosts(&[vec![stable, ("*", vec![route("/", "legacy")])], canary].concat());
            routes["ignore_port_in_host_matching"] = json!(ignores_ports);
            let envoy = shop.gateway(&[split(&policy)], &routes, 1)?;
            for suffix in [":0", ":", ":70000", ":http", ".", ".:80", ".:"] {
                let request = Request::get(&format!("{HOST}{suffix}"), "/nosuch");
                Client::connect(Protocol::Http1, envoy.listener("main")?)?.exchange(&request)?;
                assert_eq!(next(&envoy)?, "canary", "{suffix}: {authority}, {ignores_ports}");
            }
        }
    }
    Ok(())
}

/// An earlier filter takes the forged header away: the split does not see that it was there.
#[test]
fn what_an_earlier_filter_removed_led_nowhere() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let router = r#"{ "trust": "edge", "strip": ["x-lane"],
        "rules": [ { "name": "mark", "requestHeaders": { "set": { "x-seen": "1" } } } ] }"#;
    let router = entry("header-router", router);
    let mut dead_ends = dead_ends();
    let mut lane = route("/", "stable");
    lane["match"]["headers"] = json!([{ "name": "x-lane", "present_match": true }]);
    dead_ends.push(lane);
    for by in By::ALL {
        for trust in ["edge", "mesh"] {
            let mut policy = by.policy(&json!({}));
            policy["trust"] = json!(trust);
            let filters = [router.clone(), split(&policy)];
            let envoy = shop.gateway(&filters, &table(&dead_ends, "canary"), 1)?;
            for (name, value) in [("x-narrows-route", "v1"), ("x-lane", "gold")] {
                let forged = Request::get(HOST, "/nosuch").header(name, value);
                Client::connect(Protocol::Http1, envoy.listener("main")?)?.exchange(&forged)?;
                assert_eq!(next(&envoy)?, "canary", "{name}: {by:?}, {trust}");
            }
        }
    }
    Ok(())
}

/// The split itself asks by `cluster_header`: then there is no route before it.
#[test]
fn a_baseline_with_a_destination_of_its_own() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let by_name = json!({ "match": { "prefix": "/api" }, "route": { "cluster_header": "x-narrows-route" } });
    let routes = hosts(&[(HOST, vec![by_name])]);
    for (canary, is_there) in [("canary", true), ("nosuch", false), ("no-hosts", false)] {
        let policy = json!({ "trust": "edge", "splits": [{ "name": "s", "onMissingKey": "canary", "backends": [
            { "name": "stable", "baseline": true, "to": "stable" }, { "name": "canary", "to": canary }] }] });
        let envoy = shop.gateway(&[split(&policy)], &routes, 1)?;
        let tunnel = Request::new("CONNECT", "shop.example.com:80", "shop.example.com:80");
        for (what, request) in [("a path", Request::get(HOST, "/nosuch")), ("a tunnel", tunnel)] {
            Client::connect(Protocol::Http1, envoy.listener("main")?)?.exchange(&request)?;
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(envoy.stat(&series("guard"))?, 0, "{what}");
        }
        assert_eq!(next(&envoy)?, if is_there { "canary" } else { "503" });
        assert_eq!(next(&envoy)?, if is_there { "canary" } else { "stable" });
    }
    Ok(())
}

/// The experiment of an attacker with patience: one tunnel for each cooldown.
#[test]
fn nobody_makes_it_flap() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    for by in By::ALL {
        let policy = by.policy(&json!({ "guard": { "cooldown": "1s" } }));
        let envoy = shop.gateway(&[split(&policy)], &table(&dead_ends(), "canary"), 2)?;
        let (mut served, mut sent) = (0, 0);
        while sent < 10 {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let tunnel = Request::new("CONNECT", "shop.example.com:80", "shop.example.com:80");
                _ = Client::connect(protocol, envoy.listener("main")?)?.exchange(&tunnel);
                sent += 1;
            }
            let round = Instant::now();
            while round.elapsed() < Duration::from_millis(900) {
                assert_eq!(next(&envoy)?, "canary", "{by:?}: user {served}, after {sent} tunnels");
                served += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        println!("{by:?}: {served} of {served} users were the canary's, among {sent} tunnels");
        assert_eq!(envoy.stat(&series("guard"))?, 0);
    }
    Ok(())
}
