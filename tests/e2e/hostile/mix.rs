//! Ten thousand requests that are made to hide something, to cost much or to be counted wrong, and
//! between them good ones: none of these may be lost, and nothing may grow.

use std::net::SocketAddr;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::envoy::Envoy;
use narrows_harness::form::Form;
use narrows_harness::http1::exchange_raw;
use narrows_harness::http2;
use narrows_harness::message::Request;
use narrows_tests::{Bench, entry_in};

/// For each filter.
const HOSTILE: usize = 2_500;
/// Kilobytes by which a proxy may be larger after the second half than after the first.
const GROWTH: u64 = 6 * 1024;

/// Policies whose every part reads what a client chooses.
const FILTERS: [(&str, &str); 4] = [
    (
        "header-router",
        r#"{ "strip": ["x-internal-*", "x-a"], "explain": { "when": { "headers": { "x-explain": { "present": true } } } },
             "rules": [
               { "name": "host", "matches": [ { "hosts": ["*.internal.example.com", "admin.example.com"], "headers": { "x-token": { "exact": "s", "invert": true } } } ], "respond": { "status": 403 } },
               { "name": "role", "matches": [ { "headers": { "x-role": { "in": ["admin", "root"] } } } ], "respond": { "status": 403 } },
               { "name": "regex", "matches": [ { "headers": { "x-user": { "regex": ".*foo.{0,30}bar.*" } } } ], "route": { "to": "users" } },
               { "name": "query", "matches": [ { "queryParams": { "b": { "exact": "0001" }, "c": { "present": true } } }, { "queryParams": { "b": { "contains": "x", "ignoreCase": true } } } ], "route": { "to": "query" } },
               { "name": "cookie", "matches": [ { "cookies": { "uid": { "contains": "x" } } } ], "route": { "to": "cookies" } },
               { "name": "rewrite", "matches": [ { "path": { "prefix": "/v" } } ], "rewrite": { "path": { "regex": { "match": "/v[0-9]+(/.*/legacy)?", "replace": "/x" } } } } ] }"#,
    ),
    (
        "canary-split",
        r#"{ "splits": [
               { "name": "all", "hosts": ["*.example.com", "a"], "key": [ { "header": "x-user" }, { "cookie": "uid" }, { "queryParam": "b" } ],
                 "override": { "header": "x-canary" },
                 "exclude": [ { "matches": [ { "headers": { "x-role": { "exact": "admin" } } } ] } ],
                 "backends": [ { "name": "stable", "baseline": true },
                               { "name": "canary", "to": "canary", "weight": 50, "requestHeaders": { "set": { "x-lane": "canary" } } } ] } ] }"#,
    ),
    (
        "metric-tags",
        r#"{ "tags": { "user": { "header": "x-user", "maxValues": 20, "maxLength": 16 }, "uid": { "cookie": "uid", "maxValues": 20 },
                       "b": { "queryParam": "b", "maxValues": 20 }, "component": { "hostMap": { "admin*": "admin", "a": "a" } },
                       "operation": { "pathTemplates": ["/", "/v1/{id}/*", "/e/{a}/{b}/{c}"], "other": "unmatched" } },
             "metrics": [ { "name": "mix_total", "tags": ["user", "uid", "b", "component", "operation"] } ],
             "limits": { "maxSeries": 50 } }"#,
    ),
    (
        "egress-policy",
        r#"{ "default": "deny", "denyPrivateAddresses": true, "learn": { "maxHosts": 20, "logEvery": "5s" },
             "rules": [ { "name": "good", "action": "allow", "to": { "hosts": ["a"], "paths": [ { "prefix": "/" } ] } },
                        { "name": "never", "action": "deny", "to": { "paths": [ { "regex": ".*/admin0(/.*)?" }, { "contains": "/secret/", "ignoreCase": true } ] } } ] }"#,
    ),
];

#[test]
fn ten_thousand_of_them_lose_no_good_one_and_leave_nothing_behind() {
    for (filter, policy) in FILTERS {
        let bench = Bench::of(&[(filter, policy)]).workers(2).start().unwrap();
        let (envoy, at) = (&bench.envoy, bench.at);
        let mut good = [Protocol::Http1, Protocol::Http2].map(|p| Client::connect(p, at).unwrap());
        let mut held = Vec::new();
        for number in 0..HOSTILE {
            send(at, number);
            for client in &mut good {
                let answer = client.exchange(&Request::get("a", "/").header("x-user", "good")).unwrap();
                assert_eq!(answer.status, 200, "{filter}: after {number}: {}", answer.text());
            }
            if number == HOSTILE / 2 || number == HOSTILE - 1 {
                held.push(resident(envoy));
            }
        }
        println!("{filter}: kB resident after each half of {HOSTILE} hostile requests: {held:?}");
        assert!(held[1] < held[0] + GROWTH, "{filter}: {held:?}");
        for (name, value) in envoy.stats().unwrap() {
            assert!(!name.contains("vm_reload") || value == 0, "{filter}: {name} = {value}");
        }
        assert!(!envoy.log_contains("panicked"), "{filter}: {}", envoy.log());
    }
}

/// All filters in one VM: each as its own plugin, and each as a part of a merged one.
#[test]
fn one_module_for_all_filters_serves_on_too() {
    for form in [Form::Bundle, Form::Plugin] {
        let entries = FILTERS.map(|(filter, policy)| entry_in(form, filter, policy));
        let bench = Bench::with(entries.to_vec()).workers(2).start().unwrap();
        let mut good = Client::connect(Protocol::Http1, bench.at).unwrap();
        for number in 0..HOSTILE / 5 {
            send(bench.at, number);
            let answer = good.exchange(&Request::get("a", "/").header("x-user", "good")).unwrap();
            assert_eq!(answer.status, 200, "{form:?}: after {number}: {}", answer.text());
        }
        // Four plugins and two workers: still one VM in each, and two in the main thread, as with one plugin.
        let vms = bench.envoy.stat("wasm.envoy.wasm.runtime.v8.active").unwrap();
        assert!(vms <= 4, "{form:?}: {vms} VMs");
        assert!(!bench.envoy.log_contains("panicked"), "{form:?}: {}", bench.envoy.log());
    }
}

/// Sends the hostile request of that number, however it is answered.
fn send(at: SocketAddr, number: usize) {
    let own = |request: Request| _ = http2::send(at, &request);
    let raw = |text: String| _ = exchange_raw(at, text.as_bytes());
    // Few are as long as can be: they cost what the suites of fuel bound.
    let length = if number % 160 < 16 { 50_000 } else { 300 + number % 900 };
    let n = number / 16;
    match number % 16 {
        0 => raw(format!("GET /keys HTTP/1.1\r\nhost: admin.example.com:{n}x\r\nconnection: close\r\n\r\n")),
        1 => own(Request::get(&format!("{}internal.example.com", "a.".repeat(length / 40)), "/")),
        2 => raw(format!("GET / HTTP/1.1\r\nhost: a\r\nx-role: user\r\nx-role: admin\r\nx-role: {n}\r\nconnection: close\r\n\r\n")),
        3 => own(Request::get("a", "/").header("x-role", "\t admin ").header("x-canary", " always")),
        4 => own(Request::get("a", &format!("/e%3bz/./d;y///../e%3bz/%2e%2e/b;x/%2e/../{}", "A".repeat(length)))),
        5 => own(Request::get("a", &format!("/?{}b=zz{}", "a&".repeat(length / 8), "&b=0001&b=0002".repeat(length / 20)))),
        6 => own(Request::get("a", "/").header("cookie", format!("{}uid={n}", "uid=xx; uid=x; ".repeat(length / 16)))),
        7 => own(Request::get("a", &format!("/{}!", "/v1".repeat(length / 3)))),
        8 => own(Request::get("a", "/").header("x-user", "foo".repeat(length / 3))),
        9 => own((0..90).fold(Request::get("a", "/"), |r, h| r.header(format!("x-internal-{h}-{n}"), "1").header("x_a", "1"))),
        10 => own(Request::get(&format!("junk-{number}.example"), "/").header("x-user", format!("u{number}"))),
        11 => raw(format!("CONNECT a.example.com:{} HTTP/1.1\r\nhost: a.example.com\r\n\r\n", 1 + n % 60_000)),
        12 => own(Request::get("a", "/").header("x-forwarded-host", "admin.example.com").header("x_forwarded_host", "b").header("x_lane", "canary")),
        13 => own(Request::new("POST", "a", "/").body("x").trailer("x-internal-a", "1").trailer("x_narrows_route", "v9")),
        14 => own(Request::get(&format!("10.{}.{}.7", n % 256, n % 200), "/").header("x-explain", "1")),
        _ => raw("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, x-user, x-narrows-route\r\nupgrade: websocket\r\nx-user: 1\r\n\r\n".to_owned()),
    }
}

fn resident(envoy: &Envoy) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", envoy.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kb| kb.trim().parse().ok()).unwrap()
}
