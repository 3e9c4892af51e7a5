//! Is a host condition a virtual host? On one listener stand Envoy's virtual hosts, with
//! `ignore_port_in_host_matching` as istiod sets it, and the filters with conditions on the
//! same hosts. Every spelling of a host is asked once, and whoever takes it says so.

pub(crate) mod spellings;

use std::fmt::Write as _;
use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, listener};
use narrows_harness::client::Protocol;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_tests::{entry, lacks};
use serde_json::{Value, json};
use spellings::{Spellings, raw};

/// What stands on both sides: a name for it, its domains, and whether egress-policy can have
/// it (it reads numbers as addresses). In the order in which Envoy prefers them: whole names,
/// the longest domain, any.
type Hosts = [(&'static str, &'static [&'static str], bool)];

const EVERYTHING: &Hosts = &[
    ("shop", &["shop.example.com"], true),
    ("admin", &["admin.example.com", "admin.example.org"], true),
    ("apex", &["example.com"], true),
    ("stock", &["stock.books", "stock.books.svc", "stock.books.svc.cluster.local", "stock"], true),
    ("ten", &["10.0.0.1"], true),
    ("test-net", &["192.0.2.7"], true),
    ("loopback", &["[::1]"], true),
    ("v6", &["[2001:db8::1]"], true),
    ("underscore", &["a_b.example.org"], true),
    ("punycode", &["xn--bcher-kva.example"], true),
    ("one", &["1"], false),
    ("letter", &["a"], true),
    ("longest-domain", &[LONGEST], true),
    ("mesh", &["*.svc.cluster.local"], true),
    ("internal", &["*.internal.example.com"], true),
    ("below", &["*.example.com"], true),
    ("numbers", &["*.0.0.1"], false),
    ("org", &["*.org"], true),
    ("com", &["*.com"], true),
    ("dotted", &["*.a"], true),
    ("any", &["*"], true),
];
/// What the longer ones hide above.
const WILD: &Hosts = &[
    ("example", &["*.example"], true),
    ("local", &["*.local"], true),
    ("com", &["*.com"], true),
    ("any", &["*"], true),
];
/// The longest that a policy can name.
const LONGEST: &str = "*.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
                       bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.\
                       ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.\
                       ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

const SPELLINGS: usize = 1500;

#[test]
fn a_host_condition_is_a_virtual_host() {
    if lacks(37, "`body_format`, by which each virtual host says which it is,") {
        return;
    }
    let mut listeners = Vec::new();
    for (name, hosts) in [("everything", EVERYTHING), ("wild", WILD)] {
        listeners.push(listener(name, &filters(hosts), &virtual_hosts(hosts)));
        listeners.push(listener(&format!("{name}-bare"), &[], &virtual_hosts(hosts)));
    }
    // What Envoy refuses costs a stream and not a second.
    for listener in &mut listeners {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["delayed_close_timeout"] = json!("0s");
        manager["http2_protocol_options"] = json!({ "override_stream_error_on_invalid_http_message": true });
    }
    let envoy = Envoy::start(bootstrap(&listeners, &[]), EnvoyOptions::named("hosts")).unwrap();
    let mut seen = Seen::default();
    for (name, hosts) in [("everything", EVERYTHING), ("wild", WILD)] {
        let at = |name: &str| envoy.listener(name).unwrap();
        let (filtered, bare) = (at(name), at(&format!("{name}-bare")));
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut clients = (Asker::new(protocol, filtered), Asker::new(protocol, bare));
            for spelling in Spellings::new(hosts, 0x5eed).take(SPELLINGS) {
                judge(hosts, &mut clients, &spelling, &mut seen);
            }
        }
    }
    println!("{seen:?}");
    assert!(!envoy.log_contains("panicked"), "{}", envoy.log());
    assert!(seen.pairs >= 20_000, "{seen:?}");
    assert!(seen.named * 5 >= seen.spellings, "most spellings are of no host at all: {seen:?}");
    // Each difference that header-router's README lists does occur.
    assert!(seen.trailing_dot > 50, "{seen:?}");
    assert!(seen.missing > 10, "{seen:?}");
    assert!(seen.ambiguous > 500 && seen.addresses > 5, "{seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    spellings: usize,
    /// Spellings that Envoy serves, times virtual hosts.
    pairs: usize,
    /// Those that went to another virtual host than `*`.
    named: usize,
    refused_by_envoy: usize,
    /// Only the filter ignores a trailing dot.
    trailing_dot: usize,
    /// Only the filter refuses what names no host.
    missing: usize,
    /// What has no one form passes no egress rule.
    ambiguous: usize,
    /// Another spelling of an address is that address to an egress rule.
    addresses: usize,
}

/// Asks Envoy and the filters about one spelling.
fn judge(hosts: &Hosts, (filtered, bare): &mut (Asker, Asker), spelling: &[u8], seen: &mut Seen) {
    let shown = spelling.escape_ascii();
    seen.spellings += 1;
    let Some(own) = bare.ask(spelling) else {
        assert_eq!(filtered.ask(spelling), None, "{shown}");
        seen.refused_by_envoy += 1;
        return;
    };
    let own = own.split('|').next().unwrap().to_owned();
    seen.pairs += hosts.len();
    seen.named += usize::from(own != "any");
    let answer = filtered.ask(spelling).unwrap_or_else(|| panic!("{shown}: only with the filters it is bad"));
    let Some(plain) = without_dot(spelling) else {
        assert_eq!(answer, "this request names no host\n", "{shown}");
        assert_eq!(own, "any", "{shown}: what names no host is of no virtual host with a name");
        seen.missing += 1;
        return;
    };
    // The one trailing dot that the filters ignore, Envoy does not.
    let expected = match &plain {
        Some(plain) => {
            let answer = bare.ask(plain).unwrap_or_else(|| panic!("{shown} without its dot"));
            answer.split('|').next().unwrap().to_owned()
        }
        None => own.clone(),
    };
    seen.trailing_dot += usize::from(expected != own);
    let parts: Vec<&str> = answer.split('|').collect();
    let [_, rule, split, egress] = parts[..] else { panic!("{shown}: {answer}") };
    assert_eq!(rule, expected, "{shown}: header-router");
    assert_eq!(split, expected, "{shown}: canary-split");
    // egress-policy reads addresses in all spellings, and refuses what has no one form.
    let is_address = |name: &str| ["ten", "test-net", "loopback", "v6"].contains(&name);
    let can_leave = hosts.iter().any(|(name, _, can_leave)| *name == expected && *can_leave);
    let expected = if can_leave { &*expected } else { "any" };
    let (outcome, ruling) = egress.split_once("; rule=").unwrap_or_else(|| panic!("{shown}: {egress}"));
    match (outcome, ruling) {
        ("would-deny", "ambiguous-host") => seen.ambiguous += 1,
        ("allowed", rule) if is_address(rule) && rule != expected => seen.addresses += 1,
        ("allowed", rule) => assert_eq!(rule, expected, "{shown}: egress-policy"),
        _ => panic!("{shown}: {egress}, where \"any\" is allowed"),
    }
}

/// The spelling without the one trailing dot of its name; `None` if no name is left, and
/// `Some(None)` if it has no such dot.
#[expect(clippy::option_option, reason = "three answers")]
fn without_dot(spelling: &[u8]) -> Option<Option<Vec<u8>>> {
    let colon = spelling.iter().rposition(|byte| *byte == b':');
    let end = colon.filter(|colon| !spelling[*colon..].contains(&b']')).unwrap_or(spelling.len());
    let (name, rest) = spelling.split_at(end);
    match name.strip_suffix(b".") {
        Some(b"") => None,
        Some(name) => Some(Some([name, rest].concat())),
        None => (!name.is_empty()).then_some(None),
    }
}

fn virtual_hosts(hosts: &Hosts) -> Value {
    let said = ["narrows_rule", "narrows_split", "narrows_egress"];
    let said = said.iter().fold(String::new(), |mut said, state| {
        _ = write!(said, "|%FILTER_STATE(wasm.{state}:PLAIN)%");
        said
    });
    let host = |(name, domains, _): &(&str, &[&str], bool)| {
        json!({ "name": name, "domains": domains, "routes": [ { "match": { "prefix": "/" }, "direct_response": {
            "status": 200, "body_format": { "text_format_source": { "inline_string": format!("{name}{said}") } } } } ] })
    };
    json!({ "name": "local", "ignore_port_in_host_matching": true,
            "virtual_hosts": hosts.iter().map(host).collect::<Vec<_>>() })
}

/// The filters with a rule, a split and a permission for each of these hosts. egress-policy
/// only reports, so that it says what it would do and Envoy answers.
fn filters(hosts: &Hosts) -> Vec<Value> {
    // What is one service is written as one.
    let condition = |domains: &[&str]| match domains {
        ["stock.books", ..] => json!({ "service": "stock.books" }),
        _ => json!({ "hosts": domains }),
    };
    let rules: Vec<Value> = hosts
        .iter()
        .map(|(name, domains, _)| json!({ "name": name, "matches": [condition(domains)] }))
        .collect();
    let split = |(name, domains, _): &(&str, &[&str], bool)| {
        let mut split = condition(domains);
        split["name"] = json!(name);
        split["key"] = json!([{ "header": "x-user" }]);
        split["backends"] = json!([{ "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 1 }]);
        split
    };
    let splits: Vec<Value> = hosts.iter().map(split).collect();
    let permissions: Vec<Value> = hosts
        .iter()
        .filter(|(_, _, can_leave)| *can_leave)
        .map(|(name, domains, _)| json!({ "name": name, "action": "allow", "to": { "hosts": domains } }))
        .collect();
    [
        ("header-router", json!({ "trust": "mesh", "rules": rules })),
        ("canary-split", json!({ "trust": "mesh", "splits": splits })),
        ("egress-policy", json!({ "trust": "mesh", "mode": "report", "rules": permissions })),
    ]
    .map(|(filter, policy)| entry(filter, &policy.to_string()))
    .into()
}

/// One connection after another: Envoy closes one on which it refused a request.
struct Asker {
    protocol: Protocol,
    at: SocketAddr,
    connection: Option<Connection>,
}

enum Connection {
    Http1(http1::Connection),
    Http2(raw::Connection),
}

impl Asker {
    fn new(protocol: Protocol, at: SocketAddr) -> Self {
        Self { protocol, at, connection: None }
    }

    /// The body of the answer to a request for this authority; `None` if Envoy refuses it.
    fn ask(&mut self, authority: &[u8]) -> Option<String> {
        let connection = self.connection.get_or_insert_with(|| match self.protocol {
            Protocol::Http1 => Connection::Http1(http1::Connection::connect(self.at).unwrap()),
            Protocol::Http2 => Connection::Http2(raw::Connection::connect(self.at).unwrap()),
        });
        let mut is_last = false;
        let body = match connection {
            Connection::Http1(connection) => {
                let request = [b"GET / HTTP/1.1\r\nhost: ", authority, b"\r\n\r\n"].concat();
                let answer = connection.send_raw(&request).and_then(|()| connection.receive("GET")).ok();
                is_last = answer.as_ref().is_some_and(|answer| answer.headers.contains("connection"));
                answer.map(|answer| answer.text())
            }
            Connection::Http2(connection) => connection.ask(authority),
        };
        // What Envoy says itself about bad requests, or nothing at all.
        let answer = body.filter(|body| !body.is_empty() && body != "Bad Request");
        if answer.is_none() || is_last {
            self.connection = None;
        }
        answer
    }
}
