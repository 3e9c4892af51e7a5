//! A rule: who calls, what they call, and what happens then.

mod from;
mod read;

use std::net::IpAddr;

use super::Action;
use super::caller::Caller;
use super::path::Readings;
use crate::language::modes::Mode;
use crate::matching::hosts::{Globs, HostPattern, HostSet};
use crate::matching::matches::Match;
use crate::matching::named_condition::NamedCondition;
use crate::matching::path::PathMatch;
use crate::matching::source::{Cidr, PrincipalPattern, SourceMatch};
use crate::matching::value::ValueMatch;
use from::CallerMatch;
pub(super) use read::{ACTIONS, RULE};

/// A rule of a policy.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) action: Action,
    pub(super) mode: Mode,
    from: CallerMatch,
    to: To,
}

/// One path of a rule, or the rule if it has none.
#[derive(Clone, Debug)]
pub(super) struct RuleMatch {
    pub(super) rule: usize,
    pub(super) path: Option<PathMatch>,
}

/// An AND of the fields, an OR within each; hosts and blocks are one field.
#[derive(Clone, Debug, Default)]
struct To {
    /// In the order written.
    hosts: Vec<HostPattern>,
    /// The indices of the hosts, sorted by host.
    sorted: Vec<usize>,
    /// Those with `*` inside a label, by their indices.
    globs: Option<Box<Globs>>,
    /// Blocks of addresses that a host may be in.
    cidrs: Vec<Cidr>,
    ports: Vec<u16>,
    methods: Vec<Box<[u8]>>,
}

/// A request, as rules see it.
#[derive(Clone)]
pub(super) struct Outgoing<'a> {
    /// The caller, as it presents itself.
    pub(super) caller: Caller<'a>,
    /// The same, as far as the policy's `callers` believes it.
    pub(super) believed: Caller<'a>,
    /// Whether Envoy may take another route than the one whose port is known.
    pub(super) moves: bool,
    /// The host in its one form.
    pub(super) host: &'a [u8],
    /// The host, if it is an address.
    pub(super) address: Option<IpAddr>,
    /// First the port that the caller writes, or else the scheme's. Second the route's, if it has one.
    pub(super) ports: [Option<u16>; 2],
    /// One of the ports in digits, for the index.
    pub(super) port_in_digits: Vec<u8>,
    pub(super) method: &'a [u8],
    pub(super) method_in_capitals: Vec<u8>,
    /// `None` if the path has no reading.
    pub(super) readings: Option<Readings<'a>>,
}

impl Rule {
    /// The hosts as written.
    pub(super) fn hosts(&self) -> &[HostPattern] {
        &self.to.hosts
    }

    /// The blocks of addresses.
    pub(super) fn cidrs(&self) -> &[Cidr] {
        &self.to.cidrs
    }

    /// Whether it depends on the caller.
    pub(super) fn asks_caller(&self) -> bool {
        !self.from.is_anyone()
    }

    /// Its callers.
    #[cfg(any(test, feature = "describe"))]
    pub(super) fn from(&self) -> &CallerMatch {
        &self.from
    }

    /// The ports; empty if any is meant.
    #[cfg(any(test, feature = "describe"))]
    pub(super) fn ports(&self) -> &[u16] {
        &self.to.ports
    }

    /// The methods; empty if any is meant.
    #[cfg(any(test, feature = "describe"))]
    pub(super) fn methods(&self) -> &[Box<[u8]>] {
        &self.to.methods
    }

    /// The index of what covers a host: of its hosts, and behind them the blocks or everything.
    pub(super) fn destination(&self, host: &[u8]) -> usize {
        self.host(host).unwrap_or(self.to.hosts.len())
    }

    /// Whether everything but the path holds. A port that is not known satisfies a rule that denies, but
    /// not a rule that allows.
    pub(super) fn concerns(&self, request: &Outgoing<'_>) -> bool {
        let To { ports, methods, .. } = &self.to;
        // Methods are case-sensitive, but not to every server.
        let is_method = |method: &[u8]| match self.action {
            Action::Allow => method == request.method,
            Action::Deny => method.eq_ignore_ascii_case(request.method),
        };
        let known = || request.ports.into_iter().flatten();
        let is_known = || known().next().is_some() && !request.moves;
        let is_port = || match self.action {
            Action::Allow => is_known() && known().all(|port| ports.contains(&port)),
            Action::Deny => !is_known() || known().any(|port| ports.contains(&port)),
        };
        let caller = match self.action {
            Action::Allow => &request.believed,
            Action::Deny => &request.caller,
        };
        self.from.covers(caller, self.action)
            && self.is_to(request)
            && (ports.is_empty() || is_port())
            && (methods.is_empty() || methods.iter().any(|method| is_method(method)))
    }

    /// Whether one of the hosts or blocks covers the host.
    fn is_to(&self, request: &Outgoing<'_>) -> bool {
        let To { hosts, cidrs, .. } = &self.to;
        let is_in = |address: IpAddr| cidrs.iter().any(|cidr| cidr.contains(address));
        (hosts.is_empty() && cidrs.is_empty())
            || self.host(request.host).is_some()
            || request.address.is_some_and(is_in)
    }

    /// The index of the host that covers a host in its one form.
    fn host(&self, host: &[u8]) -> Option<usize> {
        let To { hosts, sorted, .. } = &self.to;
        let find = |wanted: &[u8]| {
            let found =
                sorted.binary_search_by(|index| hosts.get(*index).map_or(b"".as_slice(), key).cmp(wanted));
            found.ok().and_then(|at| sorted.get(at)).copied()
        };
        let dots = host.iter().enumerate().filter(|(i, b)| *i > 0 && **b == b'.').map(|(i, _)| i);
        let starred = || {
            let mut first: Option<u32> = None;
            let visit = &mut |at: u32| first = Some(first.map_or(at, |first| first.min(at)));
            self.to.globs.as_ref()?.find(host, visit);
            first.and_then(|at| usize::try_from(at).ok())
        };
        find(host)
            .or_else(starred)
            .or_else(|| dots.filter_map(|dot| host.get(dot..)).find_map(find))
            .or_else(|| find(b""))
    }

    /// The part of this rule, without its paths, by which the index finds it. It never asks for more
    /// than the rule does.
    pub(super) fn hint(&self) -> Match {
        let exactly = |name: &str, values: Vec<Box<[u8]>>| NamedCondition {
            name: name.as_bytes().into(),
            value: ValueMatch::one_of(values),
        };
        let exact = |pattern: &PrincipalPattern| match pattern {
            PrincipalPattern::Exact(name) => Some(name.clone()),
            PrincipalPattern::Prefix(_) => None,
        };
        let principals: Option<Vec<_>> = self.from.principals.iter().map(exact).collect();
        // A rule that denies needs only one of the ports, and no other letter case.
        let ports = self.to.ports.iter().filter(|_| self.action == Action::Allow);
        let fields = [
            ("method", self.to.methods.clone()),
            ("port", ports.map(|port| port.to_string().into_bytes().into()).collect()),
            ("principal", principals.unwrap_or_default()),
            ("namespace", self.from.namespaces.clone()),
            ("workload", self.from.workloads.clone()),
        ];
        let fields = fields.into_iter().filter(|(_, values)| !values.is_empty());
        // A host or a block is enough, and an index knows no such choice.
        let (hosts, cidrs) = (&self.to.hosts, &self.to.cidrs);
        let blocks = || SourceMatch { cidrs: cidrs.clone(), principals: Vec::new() };
        Match {
            hosts: (!hosts.is_empty() && cidrs.is_empty()).then(|| HostSet::new(hosts.clone())),
            source: (hosts.is_empty() && !cidrs.is_empty()).then(blocks),
            headers: fields.map(|(name, values)| exactly(name, values)).collect(),
            ..Match::default()
        }
    }
}

impl RuleMatch {
    /// Whether the path matches one reading: enough to deny.
    pub(super) fn covers(&self, reading: &[u8]) -> bool {
        self.path.as_ref().is_none_or(|path| path.matches(reading))
    }

    /// Whether there is a reading, and the path matches every reading: needed to allow.
    pub(super) fn covers_all(&self, readings: Option<&Readings<'_>>) -> bool {
        let Some(path) = &self.path else { return true };
        readings.is_some_and(|readings| readings.iter().all(|reading| path.matches(reading)))
    }
}

/// The key by which a host pattern is found: a name, a domain with its dot, or nothing for any host.
pub(super) fn key(pattern: &HostPattern) -> &[u8] {
    match pattern {
        HostPattern::Any => b"",
        HostPattern::Exact(name) | HostPattern::Suffix(name) | HostPattern::Glob(name) => name,
    }
}
