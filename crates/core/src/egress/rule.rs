//! A rule: from whom, to what, and what then.

use super::Action;
use super::caller::Caller;
use super::destination::{Destination, Host};
use super::path::Readings;
use crate::invalid::{Code, Invalid};
use crate::limits;
use crate::matcher::hosts::{HostPattern, HostSet};
use crate::matcher::parse::{self, Budget};
use crate::matcher::path::PathMatch;
use crate::matcher::source::PrincipalPattern;
use crate::matcher::value::{Test, ValueMatch};
use crate::matcher::{Match, Named};
use crate::names;
use crate::policy::{self, Mode};
use crate::read::{self, Fields};
use crate::tree::Tree;

/// A rule of a policy.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) action: Action,
    pub(super) mode: Mode,
    from: From,
    to: To,
}

/// One path of a rule, or the rule if it has none.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) rule: usize,
    pub(super) path: Option<PathMatch>,
}

/// An AND of the kinds, an OR within each. What is not known matches none.
#[derive(Clone, Debug, Default)]
struct From {
    principals: Vec<PrincipalPattern>,
    namespaces: Vec<Box<[u8]>>,
    workloads: Vec<Box<[u8]>>,
}

/// An AND of the kinds, an OR within each.
#[derive(Clone, Debug, Default)]
struct To {
    /// In the order written.
    hosts: Vec<HostPattern>,
    /// The places of the hosts, sorted by host.
    sorted: Vec<usize>,
    ports: Vec<u16>,
    methods: Vec<Box<[u8]>>,
}

/// A request, as rules see it.
pub(super) struct Outgoing<'a> {
    pub(super) caller: Caller<'a>,
    /// The host's one form.
    pub(super) host: &'a [u8],
    pub(super) port: Option<u16>,
    pub(super) method: &'a [u8],
    /// `None` if the path has no reading.
    pub(super) readings: Option<Readings<'a>>,
}

const RULE: &[&str] = &["name", "action", "mode", "from", "to"];

impl Rule {
    /// Reads a rule and its paths.
    pub(super) fn read(tree: &Tree, budget: &Budget) -> Result<(Self, Vec<PathMatch>), Invalid> {
        let fields = Fields::open(tree, RULE)?;
        let mut faults = read::Faults::default();
        let name = faults.take(fields.required("name", name));
        let words = [("allow", Action::Allow), ("deny", Action::Deny)];
        let action = faults.take(fields.required("action", |t| read::word(t, &words)));
        let mode = faults.take(policy::mode(fields));
        let from = faults.take(fields.optional("from", From::read));
        let to = faults.take(fields.optional("to", |t| To::read(t, budget))).flatten().unwrap_or_default();
        let rule = Self {
            name: name.unwrap_or_default(),
            action: action.unwrap_or(Action::Deny),
            mode: mode.unwrap_or_default(),
            from: from.flatten().unwrap_or_default(),
            to: to.0,
        };
        faults.or((rule, to.1))
    }

    /// The hosts as written.
    pub(super) fn hosts(&self) -> &[HostPattern] {
        &self.to.hosts
    }

    /// Whether everything but the path holds. What is not known about a request
    /// satisfies a rule that denies, and none that allows.
    pub(super) fn concerns(&self, request: &Outgoing<'_>) -> bool {
        let To { ports, methods, .. } = &self.to;
        // Methods mind letter case; not every server does.
        let is_method = |method: &[u8]| match self.action {
            Action::Allow => method == request.method,
            Action::Deny => method.eq_ignore_ascii_case(request.method),
        };
        self.from.covers(&request.caller)
            && (self.to.hosts.is_empty() || self.host(request.host).is_some())
            && (ports.is_empty()
                || request.port.map_or(self.action == Action::Deny, |port| ports.contains(&port)))
            && (methods.is_empty() || methods.iter().any(|method| is_method(method)))
    }

    /// The place of the host that covers a host in its one form.
    pub(super) fn host(&self, host: &[u8]) -> Option<usize> {
        let To { hosts, sorted, .. } = &self.to;
        let find = |wanted: &[u8]| {
            let found =
                sorted.binary_search_by(|place| hosts.get(*place).map_or(b"".as_slice(), key).cmp(wanted));
            found.ok().and_then(|at| sorted.get(at)).copied()
        };
        let dots = host.iter().enumerate().filter(|(i, b)| *i > 0 && **b == b'.').map(|(i, _)| i);
        find(host).or_else(|| dots.filter_map(|dot| host.get(dot..)).find_map(find)).or_else(|| find(b""))
    }

    /// What the index is told of this rule with one of its paths: never more than
    /// what the rule asks for.
    pub(super) fn hint(&self, path: Option<&PathMatch>) -> Match {
        let exactly = |name: &str, values: Vec<Box<[u8]>>| {
            let test = Test::In(values.into_iter().collect());
            Named {
                name: name.as_bytes().into(),
                value: ValueMatch { test, ignore_case: false, invert: false },
            }
        };
        let exact = |pattern: &PrincipalPattern| match pattern {
            PrincipalPattern::Exact(name) => Some(name.clone()),
            PrincipalPattern::Prefix(_) => None,
        };
        let principals: Option<Vec<_>> = self.from.principals.iter().map(exact).collect();
        let facts = [
            ("principal", principals.unwrap_or_default()),
            ("namespace", self.from.namespaces.clone()),
            ("workload", self.from.workloads.clone()),
        ];
        let facts = facts.into_iter().filter(|(_, values)| !values.is_empty());
        let is_not_empty = |hosts: &&Vec<HostPattern>| !hosts.is_empty();
        Match {
            hosts: Some(&self.to.hosts).filter(is_not_empty).map(|hosts| HostSet::new(hosts.clone())),
            path: path.cloned(),
            headers: facts.map(|(name, values)| exactly(name, values)).collect(),
            ..Match::default()
        }
    }
}

impl Clause {
    /// Whether the path holds: to allow, in every reading; to deny, in any.
    pub(super) fn covers(&self, action: Action, request: &Outgoing<'_>) -> bool {
        let Some(path) = &self.path else { return true };
        match (&request.readings, action) {
            (Some(readings), Action::Allow) => readings.iter().all(|reading| path.matches(reading)),
            (Some(readings), Action::Deny) => readings.iter().any(|reading| path.matches(reading)),
            (None, action) => action == Action::Deny,
        }
    }
}

impl From {
    fn read(tree: &Tree) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["principals", "namespaces", "workloads"])?;
        let names = |name| {
            fields.optional(name, |t| filled(t, limits::SOURCES, &label)).map(Option::unwrap_or_default)
        };
        let from = Self {
            principals: fields
                .optional("principals", |t| filled(t, limits::SOURCES, &parse::principal))?
                .unwrap_or_default(),
            namespaces: names("namespaces")?,
            workloads: names("workloads")?,
        };
        if from.principals.is_empty() && from.namespaces.is_empty() && from.workloads.is_empty() {
            return Err(Invalid::new(
                Code::MissingField,
                "no caller is named",
                "add \"principals\", \"namespaces\" or \"workloads\", or leave \"from\" out",
            ));
        }
        Ok(from)
    }

    fn covers(&self, caller: &Caller<'_>) -> bool {
        let known = |names: &[Box<[u8]>], name: Option<&[u8]>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|known| **known == *name))
        };
        (self.principals.is_empty()
            || caller.principal.is_some_and(|name| self.principals.iter().any(|p| p.covers(name))))
            && known(&self.namespaces, caller.namespace)
            && known(&self.workloads, caller.workload)
    }
}

impl To {
    fn read(tree: &Tree, budget: &Budget) -> Result<(Self, Vec<PathMatch>), Invalid> {
        let fields = Fields::open(tree, &["hosts", "ports", "methods", "paths"])?;
        let port = |t| read::integer(t, 1..=65535).map(|port| u16::try_from(port).unwrap_or_default());
        let hosts = fields.optional("hosts", |t| filled(t, limits::HOSTS, &host))?.unwrap_or_default();
        // By insertion: hosts are few, and a sort would be the larger half of this file
        // in the module.
        let mut sorted: Vec<usize> = Vec::with_capacity(hosts.len());
        for (place, host) in hosts.iter().enumerate() {
            let at = sorted.partition_point(|other| hosts.get(*other).map(key) < Some(key(host)));
            sorted.insert(at, place);
        }
        let to = Self {
            hosts,
            sorted,
            ports: fields.optional("ports", |t| filled(t, limits::PORTS, &port))?.unwrap_or_default(),
            methods: fields.optional("methods", |t| filled(t, limits::METHODS, &method))?.unwrap_or_default(),
        };
        let path = |t| parse::path(t, budget);
        let paths = fields.optional("paths", |t| filled(t, limits::MATCHES, &path))?.unwrap_or_default();
        Ok((to, paths))
    }
}

/// What a host pattern is found by: a name, a domain with its dot, nothing for any.
pub(super) fn key(pattern: &HostPattern) -> &[u8] {
    match pattern {
        HostPattern::Any => b"",
        HostPattern::Exact(name) | HostPattern::Suffix(name) => name,
    }
}

/// Reads a host into the same one form that requests are brought to.
fn host(tree: &Tree) -> Result<HostPattern, Invalid> {
    let written = read::text(tree)?;
    let refuse = |help: &str| Err(Invalid::new(Code::BadHost, format!("{written:?} is not a host"), help));
    if written == "*" {
        return Ok(HostPattern::Any);
    }
    let (is_wildcard, name) = written.strip_prefix("*.").map_or((false, written), |name| (true, name));
    match Destination::of(name.as_bytes()) {
        _ if !name.is_ascii() => refuse("write it in punycode: xn--..."),
        _ if name.contains('*') => refuse("write one leading \"*.\" and nothing more"),
        Ok(Destination { port: Some(_), .. }) => {
            refuse("leave out the port: it has a field of its own, \"ports\"")
        }
        Ok(Destination { host: Host::Name(name), .. }) if is_wildcard => {
            Ok(HostPattern::Suffix([b".", &*name].concat().into()))
        }
        Ok(_) if is_wildcard => refuse("an address has no subdomains"),
        Ok(Destination { host, .. }) => Ok(HostPattern::Exact(host.text().into_owned().into())),
        Err(_) if name.contains("://") || name.contains('/') => {
            refuse("write the host alone: no scheme, no path")
        }
        Err(_) => refuse("write a name, 192.0.2.1 or [2001:db8::1]"),
    }
}

fn method(tree: &Tree) -> Result<Box<[u8]>, Invalid> {
    let written = read::text(tree)?;
    let is_token = !written.is_empty()
        && written.len() <= 32
        && written.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    if is_token {
        return Ok(written.as_bytes().into());
    }
    Err(Invalid::new(Code::BadValue, format!("{written:?} is not a method"), "write \"GET\", in capitals"))
}

/// The name of a namespace or workload, as Kubernetes has them.
fn label(tree: &Tree) -> Result<Box<[u8]>, Invalid> {
    let written = read::text(tree)?;
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if !written.is_empty() && written.len() <= 253 && written.bytes().all(is_plain) {
        return Ok(written.as_bytes().into());
    }
    Err(Invalid::new(
        Code::BadValue,
        format!("{written:?} is not a name in Kubernetes"),
        "use a-z, 0-9, - and .",
    ))
}

fn name(tree: &Tree) -> Result<Box<str>, Invalid> {
    let name = names::name(tree)?;
    if super::RESERVED.contains(&&*name) {
        return Err(Invalid::new(
            Code::BadValue,
            format!("{name:?} is what this filter says when no rule decided"),
            "choose another name",
        ));
    }
    Ok(name)
}

/// A list that is not empty: an empty one would match nothing, or everything.
fn filled<'t, T>(
    tree: &'t Tree,
    limit: usize,
    read: &dyn Fn(&'t Tree) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let values = read::list(tree, limit, read)?;
    if values.is_empty() {
        return Err(Invalid::new(
            Code::BadValue,
            "an empty list matches nothing",
            "add a value, or leave the field out",
        ));
    }
    Ok(values)
}
