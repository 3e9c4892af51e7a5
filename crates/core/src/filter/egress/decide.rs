//! Decides what happens to a request.

use super::ambiguity::Ambiguity;
use super::caller::Caller;
use super::destination::{Destination, Host};
use super::learn::Learning;
use super::path::Readings;
use super::route::Route;
use super::rule::{Outgoing, Rule, RuleMatch};
use super::server_name::Opened;
use super::{Action, Deciders, Egress, Outbound, RouteAsk, Ruling, Verdict, measure, outbound_headers};
use crate::action::sanitize;
use crate::language::describe::Object;
use crate::language::invalid::{Code, Fault, Invalid};
use crate::language::modes::{Callers, Mode};
use crate::language::policy_value::PolicyValue;
use crate::matching::index::Index;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::outcome::Outcome;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::written::Written;

impl Part for Egress {
    const PART: &'static Object = &super::compile::PART;

    fn compile_written(written: Written<'_>) -> Result<Self, Invalid> {
        super::compile::egress(&written)
    }
}

impl Policy for Egress {
    const FILTER: &'static str = "egress-policy";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    /// An open door is worse than a closed one here.
    const FAIL_CLOSED: bool = true;

    type Verdict = Verdict;

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        Self::compile_written(Written::alone(tree, Self::FILTER, Self::LANGUAGE))
    }

    fn outcome(&self, verdict: &Verdict, _decision: &Decision<'_>) -> Outcome {
        let action = match verdict.action {
            Action::Allow => "allow",
            Action::Deny => "deny",
        };
        let rule = self.ruling(verdict.ruling);
        let outcome =
            Outcome::new("rules", &[action, " ", rule].concat()).with("action", action).with("rule", rule);
        match verdict.trial {
            Some(trial) => outcome.with("trial", self.ruling(Ruling::Rule(trial))),
            None => outcome,
        }
    }

    fn drops_trailer(&self, verdict: &Verdict, name: &[u8]) -> bool {
        self.common.sanitizer.covers_trailer(name)
            || (self.common.head.mode == Mode::Enforce
                && verdict.ruling != Ruling::InCluster
                && self.outbound_headers.covers(name))
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn summary(&self) -> String {
        let default = measure::word(self.default, Mode::Enforce, Mode::Enforce);
        format!("{} rules, {default} by default", self.rules.len())
    }

    fn warnings(&self) -> Vec<Fault> {
        let is_silent = self.says_nothing && self.common.head.mode != Mode::Off;
        let message = "there is neither \"default\" nor a rule: everything may leave";
        let help = "write \"default\": \"deny\" and rules; or \"mode\": \"off\" if it should do nothing";
        let silent = is_silent.then(|| Fault::warning(Code::EverythingPasses, message, help));
        #[cfg(any(test, feature = "describe"))]
        return silent.into_iter().chain(self.dead_rules()).collect();
        #[cfg(not(any(test, feature = "describe")))]
        Vec::from_iter(silent)
    }

    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Verdict {
        let destination = destination(request);
        let host = destination.as_ref().map(|d| d.host.text().into_owned()).unwrap_or_default();
        let info = request.stream_info();
        // Envoy reports the route that it matched before anything was taken off, and matches it again
        // only after every filter.
        let is_stripped =
            !info.is_only_route && (decision.is_stripped || sanitize::was_removed(request.stripped()));
        let route = info.cluster.filter(|_| !is_stripped);
        let route = route.and_then(|cluster| Route::of(cluster, info.virtual_host));
        let is_inside =
            route.is_some_and(|route| destination.as_ref().is_ok_and(|d| route.stays_inside(&d.host)));
        let mut removals = Vec::new();
        if !is_inside {
            self.outbound_headers.apply(request, &mut removals);
        }
        let may_move = || removals.iter().any(|edit| outbound_headers::may_move(edit.name().as_bytes()));
        let moves = info.cluster.is_some() && (is_stripped || (!info.is_only_route && may_move()));
        let ports = ports(request, destination.as_ref().ok().and_then(|d| d.port), route);
        let port = ports.into_iter().flatten().next();
        let caller = Caller::of(request);
        let is_believed = self.callers == Callers::Presented || request.is_verified();
        let mut outgoing = Outgoing {
            caller,
            believed: if is_believed { caller } else { caller.without_certificate() },
            moves: false,
            host: &host,
            address: destination.as_ref().ok().and_then(|d| d.host.address()),
            ports,
            port_in_digits: port.map(|port| port.to_string().into_bytes()).unwrap_or_default(),
            method: request.method(),
            method_in_capitals: request.method().to_ascii_uppercase(),
            readings: self.readings(request.path()),
        };
        let mut verdict = self.rule_on(request, destination.as_ref(), is_inside, &outgoing);
        // A request may be allowed only if it would be allowed wherever the route leads.
        if moves && verdict.action == Action::Allow {
            outgoing.moves = true;
            verdict = self.rule_on(request, destination.as_ref(), is_inside, &outgoing);
        }
        self.carry_out(request, &verdict, &host, removals, decision);
        if let Some(record) = record {
            self.explain(request, destination.as_ref(), &outgoing, &verdict, record);
        }
        verdict
    }
}

impl Outbound for Egress {
    fn asks(&self, request: &Request<'_>) -> RouteAsk {
        let cluster = request.stream_info().cluster;
        let route = cluster.and_then(|cluster| Route::of(cluster, None));
        let moves = |name: &[u8]| {
            self.common.sanitizer.covers(name)
                || (self.outbound_headers.covers(name) && outbound_headers::may_move(name))
        };
        RouteAsk {
            virtual_host: route.is_some_and(|route| route.asks_virtual_host(request.authority())),
            is_only: cluster.is_some()
                && (sanitize::was_removed(request.stripped())
                    || request.headers().iter().any(|(name, _)| moves(name))),
        }
    }

    fn learning(&self) -> Option<&Learning> {
        self.learn.as_ref()
    }
}

impl Egress {
    fn rule_on(
        &self,
        request: &Request<'_>,
        destination: Result<&Destination<'_>, &Ambiguity>,
        is_inside: bool,
        outgoing: &Outgoing<'_>,
    ) -> Verdict {
        let verdict = |action, ruling| Verdict { action, ruling, trial: None };
        let Ok(destination) = destination else { return verdict(Action::Deny, Ruling::AmbiguousHost) };
        let name = request.stream_info().server_name.unwrap_or_default();
        let is_opened_well = match self.server_name.judge(name, &destination.host) {
            Opened::Fine => true,
            Opened::Wrong => false,
            Opened::Elsewhere(opened) => {
                let host = opened.host.text();
                let there = Outgoing { host: &host, address: opened.host.address(), ..outgoing.clone() };
                self.judge_destination(request, &opened.host, false, &there).action == Action::Allow
            }
        };
        if !is_opened_well {
            return verdict(Action::Deny, Ruling::SniMismatch);
        }
        self.judge_destination(request, &destination.host, is_inside, outgoing)
    }

    /// What the rules make of a request to this host.
    fn judge_destination(
        &self,
        request: &Request<'_>,
        host: &Host<'_>,
        is_inside: bool,
        outgoing: &Outgoing<'_>,
    ) -> Verdict {
        let verdict = |action, ruling| Verdict { action, ruling, trial: None };
        let denied = self.find(&self.enforced, Action::Deny, request, outgoing);
        let trial = self.find(&self.trial, Action::Deny, request, outgoing);
        if let Some(rule) = denied {
            return verdict(Action::Deny, Ruling::Rule(rule));
        }
        if is_inside {
            return Verdict { action: Action::Allow, ruling: Ruling::InCluster, trial };
        }
        if self.private.denies(host) {
            return verdict(Action::Deny, Ruling::PrivateAddress);
        }
        if let Some(rule) = self.find(&self.enforced, Action::Allow, request, outgoing) {
            return Verdict { action: Action::Allow, ruling: Ruling::Rule(rule), trial };
        }
        let trial = trial.or_else(|| self.find(&self.trial, Action::Allow, request, outgoing));
        // A rule that would decide what is decided anyway changes nothing.
        let trial =
            trial.filter(|index| self.rules.get(*index).is_some_and(|rule| rule.action != self.default));
        let would_be_allowed = || {
            let concerns = |number| self.rule_match(number).is_some_and(|(_, rule)| rule.concerns(outgoing));
            let mut probe = probe(outgoing, request.path());
            probe.search_for(&self.common.needles);
            self.enforced.allow.first(&probe, concerns).is_some()
        };
        if self.default == Action::Deny && outgoing.readings.is_none() && would_be_allowed() {
            return Verdict { action: Action::Deny, ruling: Ruling::AmbiguousPath, trial };
        }
        Verdict { action: self.default, ruling: Ruling::Default, trial }
    }

    /// The readings of a path, if it has any. They are not needed where no rule has `paths`.
    fn readings<'p>(&self, path: &'p [u8]) -> Option<Readings<'p>> {
        if self.reads_paths { Readings::of(path).ok() } else { Some(Readings::as_sent(path)) }
    }

    /// Finds the first rule of an action among `deciders`.
    fn find(
        &self,
        deciders: &Deciders,
        action: Action,
        request: &Request<'_>,
        outgoing: &Outgoing<'_>,
    ) -> Option<usize> {
        let readings = outgoing.readings.as_ref();
        let first = |index: &Index, path: &[u8], covers: &dyn Fn(&RuleMatch) -> bool| {
            if index.is_empty() {
                return None;
            }
            let holds = |number| {
                self.rule_match(number)
                    .is_some_and(|(rule_match, rule)| rule.concerns(outgoing) && covers(rule_match))
            };
            let mut probe = probe(outgoing, path);
            probe.search_for(&self.common.needles);
            index.first(&probe, holds)
        };
        let number = match (action, readings) {
            (Action::Allow, _) => {
                let path = readings.map_or(request.path(), |readings| &readings.plain);
                first(&deciders.allow, path, &|rule_match| rule_match.covers_all(readings))
            }
            // Each match is compared with the reading that led to it. Other readings may lead to it
            // too.
            (Action::Deny, Some(readings)) => {
                let denies = |path| first(&deciders.deny, path, &|rule_match| rule_match.covers(path));
                readings.iter().filter_map(denies).min()
            }
            (Action::Deny, None) => first(&deciders.deny_any_path, request.path(), &|_| true),
        };
        self.rule_match(number?).map(|(rule_match, _)| rule_match.rule)
    }

    fn rule_match(&self, number: u32) -> Option<(&RuleMatch, &Rule)> {
        let rule_match = self.rule_matches.get(number as usize)?;
        Some((rule_match, self.rules.get(rule_match.rule)?))
    }
}

/// The one destination of a request.
fn destination<'a>(request: &Request<'a>) -> Result<Destination<'a>, Ambiguity> {
    let mut authorities =
        request.headers().iter().filter(|(name, _)| matches!(*name, b":authority" | b"host"));
    match (authorities.next(), authorities.next()) {
        (None, _) => Err(Ambiguity::Missing),
        (Some(_), Some(_)) => Err(Ambiguity::Repeated),
        (Some((_, authority)), None) => Destination::of(authority),
    }
}

/// First the port that the request names, or the scheme's port if Envoy's route has none. Second the
/// port of the route.
fn ports(request: &Request<'_>, written: Option<u16>, route: Option<Route<'_>>) -> [Option<u16>; 2] {
    let routed = route.and_then(|route| route.port);
    [written.or_else(|| port_of_scheme(request).filter(|_| routed.is_none())), routed]
}

fn port_of_scheme(request: &Request<'_>) -> Option<u16> {
    match request.header(b":scheme").value()? {
        b"https" => Some(443),
        b"http" => Some(80),
        _ => None,
    }
}

/// The keys by which the index finds rules.
fn probe<'p>(outgoing: &'p Outgoing<'_>, path: &'p [u8]) -> Request<'p> {
    let Caller { principal, namespace, workload } = outgoing.caller;
    let fields = [
        (b":authority".as_slice(), Some(outgoing.host)),
        (b":path", Some(path)),
        (b"method", Some(&outgoing.method_in_capitals)),
        (b"port", Some(&outgoing.port_in_digits)),
        (b"principal", principal),
        (b"namespace", namespace),
        (b"workload", workload),
    ];
    let mut probe = Request::new(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    // Rules by block are found by the address, as callers are in other filters.
    probe.known_mut().source.address = outgoing.address.map(|_| outgoing.host);
    probe
}
