//! What policies of egress-policy name: hosts, callers, ports, methods and paths.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use narrows_cases::Source;
use narrows_core::PolicyValue;

use crate::source::{Node, Value};

/// What a star is replaced with, and the name of what no policy names.
pub(super) const ANY: &str = "any";
/// The trust domain of callers of whom a policy names no domain.
const DOMAIN: &str = "cluster.local";
/// More callers than are kept in memory. With so many, the hosts that they ask for make too many questions.
const MOST_CALLERS: usize = 50_000;

/// Everything that policies name.
#[derive(Default)]
pub(super) struct Named {
    pub(super) hosts: BTreeSet<String>,
    /// The callers that one rule names, or spares.
    callers: BTreeSet<Caller>,
    /// The names of all rules: two rules may decide on one caller, each by another name.
    from: From,
    ports: BTreeSet<String>,
    methods: BTreeSet<String>,
    paths: BTreeSet<String>,
    /// Whether some rule names more callers than are kept.
    is_cut: bool,
}

/// Who asks: by a certificate, or as the workload of the sidecar that decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    principal: Option<String>,
    namespace: String,
    workload: String,
}

/// The names of callers.
#[derive(Default)]
struct From {
    principals: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    workloads: BTreeSet<String>,
}

/// What is asked about every host.
pub(super) struct Questions {
    pub(super) callers: Vec<Option<Caller>>,
    pub(super) ports: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) paths: Vec<String>,
    /// Whether callers were left out for the memory that they take.
    pub(super) is_cut: bool,
}

impl Named {
    /// Adds what a policy names.
    pub(super) fn read(&mut self, policy: &Node) {
        for rule in policy.get("rules").map(Node::elements).unwrap_or_default() {
            self.hosts.extend(texts(rule, "to.hosts"));
            self.hosts.extend(texts(rule, "to.cidrs").iter().flat_map(|block| ends(block)));
            self.methods.extend(texts(rule, "to.methods"));
            for port in rule.get("to.ports").map(Node::elements).unwrap_or_default() {
                if let Value::Scalar(PolicyValue::Integer(port)) = &port.value {
                    self.ports.insert(port.to_string());
                }
            }
            for path in rule.get("to.paths").map(Node::elements).unwrap_or_default() {
                let written = path.fields().iter().find_map(|(_, value)| value.text());
                self.paths.extend(written.filter(|path| path.starts_with('/')).map(filled));
            }
            let from = From::of(rule);
            if self.callers.len().saturating_add(from.count()) <= MOST_CALLERS {
                self.callers.extend(from.callers());
            } else {
                self.is_cut = true;
            }
            self.from.principals.extend(from.principals);
            self.from.namespaces.extend(from.namespaces);
            self.from.workloads.extend(from.workloads);
        }
        if policy.get("denyPrivateAddresses").is_some() {
            self.hosts.extend(["10.1.2.3", "169.254.169.254", "127.0.0.1"].map(str::to_owned));
            let except = texts(policy, "denyPrivateAddresses.except");
            self.hosts.extend(except.iter().flat_map(|block| ends(block)));
        }
    }

    /// What is asked about every host: what is named, and one of each kind that is not. If that makes
    /// more than `most` questions, callers that only two rules together name are left out.
    pub(super) fn questions(&mut self, most: usize) -> Questions {
        let another = |n: usize| format!("UNNAMED-{}", "X".repeat(n));
        let methods = ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
        let mut questions = Questions {
            callers: Vec::new(),
            ports: named_and_one(&self.ports, "443", &["8443"], |n| (8443 + n).to_string()),
            methods: named_and_one(&self.methods, "GET", &methods, another),
            paths: named_and_one(&self.paths, "/", &["/a/path/that/no/rule/names"], |n| format!("/{n}")),
            is_cut: false,
        };
        let each = [&questions.ports, &questions.methods, &questions.paths].map(Vec::len);
        let of_hosts = each.iter().fold(self.hosts.len(), |sum, count| sum.saturating_mul(*count));
        // They are counted before they are made: they may be far more than memory has room for.
        let all = self.from.count();
        let is_little = of_hosts.saturating_mul(all) <= most;
        let is_asked = is_little && all <= MOST_CALLERS;
        let callers = if is_asked { self.from.callers() } else { std::mem::take(&mut self.callers) };
        questions.callers = with_nobody(callers);
        questions.is_cut = !is_asked && (is_little || self.is_cut);
        questions
    }
}

impl From {
    fn of(rule: &Node) -> Self {
        let names = |fields: &[&str]| {
            fields.iter().flat_map(|field| texts(rule, &format!("from.{field}"))).collect::<BTreeSet<_>>()
        };
        Self {
            principals: names(&["principals", "notPrincipals"]),
            namespaces: names(&["namespaces", "notNamespaces"]),
            workloads: names(&["workloads"]),
        }
    }

    /// How many callers that makes, or a few more.
    fn count(&self) -> usize {
        let prefixes = self.principals.iter().filter(|one| one.ends_with('*')).count();
        let pairs =
            (self.namespaces.len().saturating_add(1)).saturating_mul(self.workloads.len().saturating_add(1));
        pairs
            .saturating_mul(prefixes.saturating_add(2))
            .saturating_add(self.principals.len())
            .saturating_add(1)
    }

    /// Everybody who has one of these names, or one of each kind; and somebody who has none.
    fn callers(&self) -> BTreeSet<Caller> {
        let mut callers = BTreeSet::new();
        if self.principals.is_empty() && self.namespaces.is_empty() && self.workloads.is_empty() {
            return callers;
        }
        let any = ANY.to_owned();
        for namespace in self.namespaces.iter().chain([&any]) {
            for workload in self.workloads.iter().chain([&any]) {
                let caller = |principal| Caller {
                    principal,
                    namespace: namespace.clone(),
                    workload: workload.clone(),
                };
                callers.insert(caller(None));
                callers.insert(caller(Some(principal(DOMAIN, namespace, workload))));
                for prefix in self.principals.iter().filter_map(|one| one.strip_suffix('*')) {
                    let rest = prefix.strip_prefix("spiffe://").unwrap_or_default();
                    let domain = rest.split_once('/').map_or(DOMAIN, |(domain, _)| domain);
                    let whole = principal(domain, namespace, workload);
                    callers.extend(whole.starts_with(prefix).then(|| caller(Some(whole))));
                }
            }
        }
        callers.extend(self.principals.iter().map(|one| Caller {
            principal: Some(one.replace('*', ANY)),
            namespace: String::new(),
            workload: String::new(),
        }));
        callers
    }
}

impl Caller {
    /// The same, as a request has it.
    pub(super) fn source(&self) -> Source {
        // A certificate names both.
        let of_sidecar = |name: &String| self.principal.is_none().then(|| name.clone());
        Source {
            principal: self.principal.clone(),
            namespace: of_sidecar(&self.namespace),
            workload: of_sidecar(&self.workload),
            ..Source::default()
        }
    }
}

fn principal(domain: &str, namespace: &str, workload: &str) -> String {
    format!("spiffe://{domain}/ns/{namespace}/sa/{workload}")
}

fn with_nobody(callers: BTreeSet<Caller>) -> Vec<Option<Caller>> {
    std::iter::once(None).chain(callers.into_iter().map(Some)).collect()
}

/// The names of a kind, the usual one first. If that is named, the last is one that is not: `others` are
/// tried for it before those that are made up.
fn named_and_one(
    named: &BTreeSet<String>,
    usual: &str,
    others: &[&str],
    another: impl Fn(usize) -> String,
) -> Vec<String> {
    let mut all = vec![usual.to_owned()];
    all.extend(named.iter().filter(|name| *name != usual).cloned());
    if named.contains(usual) {
        let others = others.iter().map(|other| (*other).to_owned());
        // One more than are named: one of them is not.
        let others = others.chain((1..=named.len()).map(another));
        all.extend(others.into_iter().find(|one| !named.contains(one)));
    }
    all
}

/// A template whose variables have a value.
fn filled(path: &str) -> String {
    let mut whole = String::new();
    let mut rest = path;
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        whole.push_str(before);
        whole.push_str(ANY);
        rest = after;
    }
    whole + rest
}

/// The first and the last address of a block, as hosts.
fn ends(block: &str) -> Vec<String> {
    let (address, length) = match block.split_once('/') {
        Some((address, length)) => (address, length.parse::<u32>().ok()),
        None => (block, None),
    };
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let inside = u32::MAX.checked_shr(length.unwrap_or(u32::BITS)).unwrap_or_default();
            let ends = [address.to_bits() & !inside, address.to_bits() | inside];
            ends.map(|end| Ipv4Addr::from_bits(end).to_string()).into()
        }
        Ok(IpAddr::V6(address)) => {
            let inside = u128::MAX.checked_shr(length.unwrap_or(u128::BITS)).unwrap_or_default();
            let ends = [address.to_bits() & !inside, address.to_bits() | inside];
            ends.map(|end| format!("[{}]", Ipv6Addr::from_bits(end))).into()
        }
        Err(_) => Vec::new(),
    }
}

fn texts(node: &Node, path: &str) -> Vec<String> {
    let list = node.get(path).map(Node::elements).unwrap_or_default();
    list.iter().filter_map(|one| one.text().map(str::to_owned)).collect()
}
