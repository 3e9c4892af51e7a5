//! Whose certificate names a caller: with full and with resumed sessions, and where Envoy lets
//! in what it could not verify.

use std::net::SocketAddr;
use std::process::Command;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, limit_connections, listener, route_config, static_cluster,
};
use narrows_harness::certificates::Certificates;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_harness::root;
use narrows_tests::{entry, lacks};
use serde_json::{Value, json};

use super::PATIENCE;

const EGRESS: &str = r#"{"default": "deny", "rules": [
    {"name": "payments", "action": "allow", "from": {"principals": ["spiffe://cluster.local/ns/shop/sa/checkout"]}, "to": {"hosts": ["api.example"]}},
    {"name": "by-namespace", "action": "allow", "from": {"namespaces": ["shop"]}, "to": {"hosts": ["git.example"]}},
    {"name": "open", "action": "allow", "to": {"hosts": ["open.example"]}},
    {"name": "never", "action": "deny", "from": {"workloads": ["checkout"]}, "to": {"hosts": ["exfil.example"]}},
    {"name": "others", "action": "allow", "to": {"hosts": ["exfil.example"]}} ]}"#;
const ROUTER: &str = r#"{"trust": "mesh", "rules": [{"name": "r",
    "matches": [{"source": {"principals": ["spiffe://cluster.local/ns/shop/sa/checkout"]}}],
    "requestHeaders": {"set": {"x-by-principal": "1"}}}]}"#;
const SPLIT: &str = r#"{"trust": "mesh", "splits": [{"name": "s", "key": [{"principal": true}],
    "backends": [{"name": "b", "baseline": true}, {"name": "c", "weight": 100, "to": "v2"}]}]}"#;
const TAGS: &str = r#"{"trust": "mesh", "tags": {"from": {"sourcePrincipal": true}},
    "metrics": [{"name": "calls_total", "tags": ["from"]}]}"#;

/// A certificate that nobody but its holder has signed, with the name of a workload.
fn forge(certificates: &Certificates, account: &str, uri: &str) {
    let file = |extension: &str| certificates.path().join(format!("{account}.{extension}"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/O=forged", "-addext", &format!("subjectAltName=URI:{uri}")])
        .args(["-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext", "keyUsage=digitalSignature"])
        .arg("-keyout")
        .arg(file("key"))
        .arg("-out")
        .arg(file("pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A proxy that asks its callers for certificates: for each of `presented` and `verified` one
/// listener that only looks at them, and one by which they leave.
struct Site {
    proxy: Envoy,
    callers: Envoy,
    echo: Echo,
}

/// Who calls: what is presented, and whether sessions are resumed.
const CALLERS: [(&str, Option<&str>, bool); 4] = [
    ("full", Some("shop.checkout"), false),
    ("resumed", Some("shop.checkout"), true),
    ("forged", Some("forged"), false),
    ("nobody", None, false),
];

impl Site {
    fn start(change: fn(&mut Value)) -> Self {
        let certificates = Certificates::make_for(&root(), &["shop/checkout", "cases/filter"]).unwrap();
        forge(&certificates, "forged", "spiffe://cluster.local/ns/shop/sa/checkout");
        let echo = Echo::start("echo", EchoOptions::default()).unwrap();
        let mut socket = certificates.tls("Downstream", Some("cases/filter"));
        change(&mut socket["typed_config"]);
        let listeners = ["presented", "verified"].into_iter().flat_map(|callers| {
            let with = |policy: &str| policy.replacen('{', &format!(r#"{{"callers": "{callers}", "#), 1);
            let filter = |filter: &str, policy: &str| entry(filter, &with(policy));
            let looks =
                [filter("header-router", ROUTER), filter("canary-split", SPLIT), filter("metric-tags", TAGS)];
            let leaves = [filter("egress-policy", EGRESS)];
            let routes = route_config(&[cluster_route("echo")]);
            let all = [("looks", looks.to_vec()), ("leaves", leaves.to_vec())];
            all.map(|(kind, filters)| {
                let mut listener = listener(&format!("{kind}-{callers}"), &filters, &routes);
                listener["filter_chains"][0]["transport_socket"] = socket.clone();
                listener
            })
        });
        let listeners: Vec<Value> = listeners.collect();
        let start = bootstrap(&listeners, &[static_cluster("echo", echo.addr(), false)]);
        let proxy =
            Envoy::start(start, EnvoyOptions { ready_within: PATIENCE, ..EnvoyOptions::named("callers") })
                .unwrap();
        let mut sides = Vec::new();
        for at in listeners.iter().map(|listener| listener["name"].as_str().unwrap()) {
            for (caller, account, resumes) in CALLERS {
                sides.push(side(
                    &format!("{caller}-{at}"),
                    proxy.listener(at).unwrap(),
                    &certificates,
                    account,
                    resumes,
                ));
            }
        }
        let (listeners, clusters): (Vec<Value>, Vec<Value>) = sides.into_iter().unzip();
        let callers = Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("peers")).unwrap();
        Self { proxy, callers, echo }
    }

    /// One request on a connection of its own.
    fn ask(&self, caller: &str, at: &str, host: &str) -> Response {
        let address = self.callers.listener(&format!("{caller}-{at}")).unwrap();
        self.proxy.context(http1::exchange(address, &Request::get(host, "/"))).unwrap()
    }

    /// Whether the caller was known: to a condition, as a key, and to both alike.
    fn is_known(&self, caller: &str, callers: &str) -> bool {
        assert_eq!(self.ask(caller, &format!("looks-{callers}"), "shop").status, 200, "{caller} {callers}");
        let seen = self.echo.last().unwrap().headers;
        assert_eq!(seen.contains("x-by-principal"), seen.contains("x-narrows-route"), "{caller} {callers}");
        seen.contains("x-by-principal")
    }

    /// The rule that refused, or `200`.
    fn leaves(&self, caller: &str, callers: &str, host: &str) -> String {
        let answer = self.ask(caller, &format!("leaves-{callers}"), host);
        let rule = answer.headers.text("x-narrows-egress").map(|rule| rule.replace("denied; rule=", ""));
        rule.unwrap_or_else(|| answer.status.to_string())
    }

    fn stat(&self, part: &[&str]) -> u64 {
        let all = self.proxy.stats().unwrap();
        all.iter().filter(|(name, _)| part.iter().all(|part| name.contains(part))).map(|(_, n)| *n).sum()
    }
}

/// A caller's side: a new connection for each request.
fn side(
    name: &str,
    to: SocketAddr,
    certificates: &Certificates,
    account: Option<&str>,
    resumes: bool,
) -> (Value, Value) {
    let outbound = listener(name, &[], &route_config(&[cluster_route(name)]));
    let mut cluster = static_cluster(name, to, false);
    let mut socket = certificates.tls("Upstream", account);
    socket["typed_config"]["max_session_keys"] = json!(u32::from(resumes));
    socket["typed_config"]["sni"] = json!("outbound_.80_._.filter.cases.svc.cluster.local");
    cluster["transport_socket"] = socket;
    limit_connections(&mut cluster, 1);
    (outbound, cluster)
}

#[test]
fn a_resumed_session_is_presented_and_not_verified() {
    if lacks(39, "connection.peer_certificate_valid") {
        return;
    }
    let site = Site::start(|_| ());
    for round in 0..3 {
        for callers in ["presented", "verified"] {
            assert!(site.is_known("full", callers), "{callers} {round}");
            assert_eq!(site.leaves("full", callers, "api.example"), "200", "{callers} {round}");
            assert_eq!(site.leaves("full", callers, "git.example"), "200", "{callers} {round}");
            assert_eq!(site.leaves("full", callers, "exfil.example"), "never", "{callers} {round}");
            assert!(!site.is_known("nobody", callers), "{callers} {round}");
            assert_eq!(site.leaves("nobody", callers, "api.example"), "default", "{callers} {round}");
            assert_eq!(site.leaves("nobody", callers, "open.example"), "200", "{callers} {round}");
        }
    }
    assert_eq!(site.stat(&["listener.", ".ssl.session_reused"]), 0, "nobody has resumed a session yet");
    // The first connection of this caller is a full handshake; the others resume its session.
    for callers in ["presented", "verified"] {
        assert!(site.is_known("resumed", callers), "{callers}");
        site.leaves("resumed", callers, "open.example");
    }
    let before = site.stat(&["listener.", ".ssl.session_reused"]);
    assert!(site.is_known("resumed", "presented"));
    assert_eq!(site.leaves("resumed", "presented", "api.example"), "200");
    assert!(!site.is_known("resumed", "verified"));
    assert_eq!(site.leaves("resumed", "verified", "api.example"), "default");
    assert_eq!(site.leaves("resumed", "verified", "git.example"), "default");
    assert_eq!(site.leaves("resumed", "verified", "open.example"), "200", "it names no caller");
    assert_eq!(site.leaves("resumed", "verified", "exfil.example"), "never", "what denies believes it");
    assert_eq!(site.stat(&["listener.", ".ssl.session_reused"]) - before, 7);
    // Who could not be verified does not get in here at all.
    assert_eq!(site.ask("forged", "looks-presented", "shop").status, 503);
    // Of 15 requests that tags saw, those of nobody (6) and the second one of the resumed
    // session are unknown by what is verified.
    let known = "spiffe://cluster.local/ns/shop/sa/checkout";
    assert_eq!(site.stat(&["calls_total", "from=.=unknown;.;"]), 7);
    assert_eq!(site.stat(&["calls_total", &format!("from=.={known};.;")]), 9);
}

#[test]
fn without_resumption_every_connection_is_verified() {
    if lacks(39, "connection.peer_certificate_valid") {
        return;
    }
    let site = Site::start(|tls| {
        tls["disable_stateless_session_resumption"] = json!(true);
        tls["disable_stateful_session_resumption"] = json!(true);
    });
    for _ in 0..3 {
        assert!(site.is_known("resumed", "verified"));
        assert_eq!(site.leaves("resumed", "verified", "api.example"), "200");
    }
    assert_eq!(site.stat(&["listener.", ".ssl.session_reused"]), 0);
}

#[test]
fn a_forged_certificate_names_nobody_who_is_verified() {
    if lacks(39, "connection.peer_certificate_valid") {
        return;
    }
    let site = Site::start(|tls| {
        tls["common_tls_context"]["validation_context"]["trust_chain_verification"] =
            json!("ACCEPT_UNTRUSTED");
    });
    // This is what ACCEPT_UNTRUSTED means.
    assert!(site.is_known("forged", "presented"));
    assert_eq!(site.leaves("forged", "presented", "api.example"), "200");
    assert!(!site.is_known("forged", "verified"));
    assert_eq!(site.leaves("forged", "verified", "api.example"), "default");
    assert_eq!(site.leaves("forged", "verified", "git.example"), "default");
    for callers in ["presented", "verified"] {
        assert_eq!(site.leaves("forged", callers, "exfil.example"), "never", "{callers}");
        assert_eq!(site.leaves("forged", callers, "open.example"), "200", "{callers}");
        assert!(site.is_known("full", callers), "{callers}");
        assert_eq!(site.leaves("full", callers, "api.example"), "200", "{callers}");
        assert_eq!(site.leaves("full", callers, "git.example"), "200", "{callers}");
    }
}
