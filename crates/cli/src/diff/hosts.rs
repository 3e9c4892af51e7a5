//! Hosts that a policy of egress-policy newly allows or denies.
//!
//! Both policies are asked about every host that one of them names, from every caller, on every port,
//! with every method and path that one of them names, and about a host that none names. That proves a
//! difference, and cannot prove that there is none: a path between two that are named may be one.

use std::collections::{BTreeMap, BTreeSet};

use narrows_cases::{Send, Source};
use serde_json::{Value, json};

use crate::filter::AnyPolicy;
use crate::simulate::Sent;
use crate::source::Node;

/// A host on which two policies decide otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDiff {
    /// The host as it is written; a star stands for one name.
    pub host: String,
    /// Whether it is allowed now, and was denied.
    pub allowed: bool,
    /// A request that shows it.
    pub example: String,
    /// How many of the requests that were asked about.
    pub requests: usize,
}

/// No policy names it.
const UNNAMED: &str = "host.that.no.rule.names";
/// What a star is replaced with.
const ANY: &str = "any";
/// More questions than anyone waits for.
const MOST: usize = 2_000_000;

/// What a policy names.
#[derive(Default)]
struct Named {
    hosts: BTreeSet<String>,
    callers: BTreeSet<(String, String)>,
    ports: BTreeSet<String>,
    methods: BTreeSet<String>,
    paths: BTreeSet<String>,
}

/// Compares two policies of egress-policy. The flag says whether all questions were asked.
pub fn hosts(old: (&AnyPolicy, &Node), new: (&AnyPolicy, &Node)) -> (Vec<HostDiff>, bool) {
    let mut named = Named::default();
    for written in [old.1, new.1] {
        named.read(written.get("egress").unwrap_or(written));
    }
    named.hosts.insert(UNNAMED.to_owned());
    let mut found: BTreeMap<(String, bool), HostDiff> = BTreeMap::new();
    let mut asked = 0;
    for host in &named.hosts {
        for send in named.requests(host) {
            asked += 1;
            if asked > MOST {
                return (found.into_values().collect(), false);
            }
            let sent = Sent::new(send, 0);
            let allows = |policy: &AnyPolicy| policy.decide(&sent).reply.is_none();
            let allowed = allows(new.0);
            if allows(old.0) == allowed {
                continue;
            }
            let entry = found.entry((host.clone(), allowed)).or_insert_with(|| HostDiff {
                host: if host == UNNAMED { "a host that no rule names".to_owned() } else { host.clone() },
                allowed,
                example: named.told(&sent),
                requests: 0,
            });
            entry.requests += 1;
        }
    }
    (found.into_values().collect(), true)
}

impl Named {
    fn read(&mut self, policy: &Node) {
        let texts = |node: &Node, path: &str| -> Vec<String> {
            let list = node.get(path).map(Node::elements).unwrap_or_default();
            list.iter().filter_map(|one| one.text().map(str::to_owned)).collect()
        };
        for rule in policy.get("rules").map(Node::elements).unwrap_or_default() {
            self.hosts.extend(texts(rule, "to.hosts"));
            self.methods.extend(texts(rule, "to.methods"));
            let blocks = texts(rule, "to.cidrs");
            self.hosts.extend(blocks.iter().map(|block| address_in(block)));
            for port in rule.get("to.ports").map(Node::elements).unwrap_or_default() {
                if let crate::source::Value::Scalar(narrows_core::PolicyValue::Integer(port)) = &port.value {
                    self.ports.insert(port.to_string());
                }
            }
            for path in rule.get("to.paths").map(Node::elements).unwrap_or_default() {
                let text = path.fields().iter().find_map(|(_, value)| value.text());
                self.paths.extend(text.filter(|text| text.starts_with('/')).map(str::to_owned));
            }
            for field in ["principals", "notPrincipals"] {
                let names = texts(rule, &format!("from.{field}"));
                self.callers.extend(names.iter().map(|name| caller(&name.replace('*', ANY))));
            }
            for field in ["namespaces", "notNamespaces"] {
                let names = texts(rule, &format!("from.{field}"));
                let of = |name: &String| caller(&format!("spiffe://cluster.local/ns/{name}/sa/{ANY}"));
                self.callers.extend(names.iter().map(of));
            }
        }
        if policy.get("denyPrivateAddresses").is_some() {
            self.hosts.extend(["10.1.2.3", "169.254.169.254", "127.0.0.1"].map(str::to_owned));
        }
    }

    fn requests<'n>(&'n self, host: &'n str) -> impl Iterator<Item = Send> + 'n {
        let name = host.replace('*', ANY);
        let one = |first: &str, rest: &BTreeSet<String>| -> Vec<String> {
            std::iter::once(first.to_owned()).chain(rest.iter().filter(|r| *r != first).cloned()).collect()
        };
        let nobody = std::iter::once(None);
        let callers: Vec<Option<&(String, String)>> = nobody.chain(self.callers.iter().map(Some)).collect();
        let (ports, methods, paths) =
            (one("443", &self.ports), one("GET", &self.methods), one("/", &self.paths));
        callers.into_iter().flat_map(move |caller| {
            let (ports, methods, paths, name) = (ports.clone(), methods.clone(), paths.clone(), name.clone());
            ports.into_iter().flat_map(move |port| {
                let (methods, paths, name) = (methods.clone(), paths.clone(), name.clone());
                methods.into_iter().flat_map(move |method| {
                    let (port, name) = (port.clone(), name.clone());
                    paths.clone().into_iter().map(move |path| request(caller, &name, &port, &method, path))
                })
            })
        })
    }

    fn told(&self, sent: &Sent) -> String {
        let by = sent.request().source().principal.map(crate::escape::printable);
        match by.filter(|_| !self.callers.is_empty()) {
            Some(by) => format!("{} by {by}", sent.title()),
            None => sent.title(),
        }
    }
}

fn request(caller: Option<&(String, String)>, host: &str, port: &str, method: &str, target: String) -> Send {
    let scheme = if port == "443" { "https" } else { "http" };
    let source = caller.map_or_else(Source::default, |(principal, namespace)| Source {
        principal: Some(principal.clone()),
        namespace: Some(namespace.clone()),
        ..Source::default()
    });
    Send {
        method: method.to_owned(),
        scheme: scheme.to_owned(),
        authority: format!("{host}:{port}"),
        target,
        source,
        ..Send::default()
    }
}

/// A principal with its namespace.
fn caller(principal: &str) -> (String, String) {
    let namespace = principal.split("/ns/").nth(1).and_then(|rest| rest.split('/').next());
    (principal.to_owned(), namespace.unwrap_or_default().to_owned())
}

/// An address of a block.
fn address_in(block: &str) -> String {
    let address = block.split('/').next().unwrap_or_default();
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

impl HostDiff {
    /// The same as data.
    pub fn json(&self) -> Value {
        json!({
            "host": self.host,
            "now": if self.allowed { "allowed" } else { "denied" },
            "example": self.example,
            "requests": self.requests,
        })
    }
}
