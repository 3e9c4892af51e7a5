//! Compiles what the operator wrote into a [`Splitter`].

mod anonymous;
mod backends;
mod layer;
mod ramp;
mod split;

use super::guard::{Guards, Rule};
use super::key::Key;
use super::splitter::{Backend, Missing, Split, SplitMatch, Splitter};
use super::{measure, restore};
use crate::action::destination::{self, ROUTE_HEADER_FIELD};
use crate::action::sanitize::{LISTED, Sanitizer};
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{self, Mode};
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, names, read};
use crate::matching::hosts::{HostPattern, HostSet};
use crate::matching::index::{self, Index};
use crate::matching::matches::Match;
use crate::matching::parse::Budget;
use crate::order::hash_of;
use crate::policy::common::Common;
use crate::policy::digest::policy_digest;
use crate::policy::head::{HEAD, Head, PART_HEAD};
use crate::policy::needs::Needs;
use crate::policy::series::Series;
use crate::policy::state;
use crate::policy::written::Written;

pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of canary-split: splits, of which the first that matches a request divides it.",
    [&HEAD],
    FIELDS
);

pub(super) static PART: Object = object!(
    "canary-split",
    Any,
    "A policy of canary-split: splits, of which the first that matches a request divides it.",
    [&PART_HEAD],
    FIELDS
);

const FIELDS: [Field; 4] = [
    ROUTE_HEADER_FIELD,
    LISTED,
    field!(
        "splits",
        List(&Table(&split::SPLIT), 0, limits::SPLITS),
        Optional,
        "The splits, in order: the first that matches a request divides it."
    ),
    field!(
        "restoreHost",
        Flag,
        Holds(false),
        "The inbound companion: the application sees the host that the caller asked for."
    ),
];

pub(super) fn splitter(written: &Written<'_>) -> Result<Splitter, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(written, &budget)?;
    let route_header = destination::route_header(fields)?;
    let listed = Sanitizer::listed(fields)?;
    let restore = fields.optional("restoreHost", |t| restore_host(t, head.trust))?.unwrap_or(false);
    let read = fields
        .optional("splits", |t| read::list(t, limits::SPLITS, |s| split::split(s, head.mode, &budget)))?
        .unwrap_or_default();
    names::unique("splits", read.iter().map(|read| &*read.split.name)).map_err(|e| e.in_field("splits"))?;

    // An empty policy is a pass-through: it does not even strip. A policy that has lost its last split
    // does strip.
    let active = head.mode != Mode::Off && !fields.is_empty();
    let overrides = read.iter().filter_map(|read| Some(read.split.override_by.as_ref()?.header.clone()));
    let sanitizer = Sanitizer::new(
        if active { head.trust } else { modes::Trust::Mesh },
        overrides.chain([route_header.clone()]),
        if active { listed } else { Vec::new() },
    )
    .within(head.mode)
    .of_part(head.is_part);

    let mut splits = Vec::with_capacity(read.len());
    let mut split_matches = Vec::with_capacity(read.len());
    let (mut layers, mut rules) = (Vec::new(), Vec::new());
    for (at, one) in read.into_iter().enumerate() {
        if one.split.mode != Mode::Off {
            split_matches.extend(one.matches.into_iter().map(|matches| SplitMatch { split: at, matches }));
        }
        splits.push(one.split);
        layers.push(one.layer);
        rules.push(one.guards);
    }
    layer::lay_out(&mut splits, layers).map_err(|e| e.in_field("splits"))?;
    let series = series(&mut splits, &head, &route_header, restore, &written.tree);
    let guards = if restore { Guards::default() } else { guards(&mut splits, rules, &route_header) };
    let needs = needs(&head, &sanitizer, &splits, &split_matches, active);
    let keys = || splits.iter().flat_map(|split| &split.keys);
    let reads_metadata = budget.reads_metadata() || keys().any(Key::reads_metadata);
    let needs = Needs { metadata: needs.headers && reads_metadata, ..needs };
    let filter_state = if needs.outcome { keys().flat_map(Key::filter_state).collect() } else { Vec::new() };
    let needs = if restore { restore::needs(needs) } else { needs };
    // What must be stripped must be stripped from every request.
    let is_bound = restore || (needs.outcome && every_host(&split_matches).is_some());
    let authority_first = is_bound && !needs.stripped;
    let judged = splits.iter().any(|split| split.rollback.is_some()).then_some(state::ROLLBACK);
    let published = state::published(&head, &[&[state::SPLIT, state::BACKEND], judged.as_slice()].concat());
    Ok(Splitter {
        index: indexed(&split_matches, &budget)?,
        hosts: every_host(&split_matches),
        asks_for_hosts: asks_for_hosts(&splits, &split_matches),
        own_hosts: restore::own_hosts(&head, active, &splits),
        inbound: restore.then(|| restore::canaries(&splits)),
        authority_first,
        common: Common {
            head,
            sanitizer,
            series,
            needs,
            filter_state,
            needles: budget.needles(),
            weight: budget.weight(),
            published,
            ..Common::default()
        },
        route_header,
        splits,
        split_matches,
        guards,
    })
}

fn indexed(split_matches: &[SplitMatch], budget: &Budget) -> Result<Index, Invalid> {
    let mut index = index::Builder::new(budget);
    for (number, SplitMatch { split, matches }) in (0u32..).zip(split_matches) {
        index.add(number, matches).map_err(|e| e.in_index(*split).in_field("splits"))?;
    }
    Ok(index.finish())
}

/// `restoreHost` believes a header, so the caller must be believed.
fn restore_host(tree: &PolicyValue, trust: modes::Trust) -> Result<bool, Invalid> {
    let restore = read::flag(tree)?;
    if restore && trust != modes::Trust::Mesh {
        return Err(Invalid::new(
            Code::Conflict,
            "the original host is read from \"x-forwarded-host\", which a client can send",
            "write \"trust\": \"mesh\", and attach it where only the mesh calls",
        ));
    }
    Ok(restore)
}

/// Puts a guard on the backends that act.
fn guards(splits: &mut [Split], rules: Vec<Vec<Option<Rule>>>, route_header: &str) -> Guards {
    let mut guards = Guards::default();
    for (split, rules) in splits.iter_mut().zip(rules) {
        for (at, (backend, rule)) in split.backends.iter_mut().zip(rules).enumerate() {
            let gauge = backend.guard_series();
            if backend.cluster.is_none() {
                let cluster = rule.as_ref().and_then(Rule::cluster);
                backend.cluster = cluster.map(|name| name.as_bytes().into());
            }
            match rule {
                _ if at == split.baseline => {}
                Some(rule) if split.mode == Mode::Enforce => {
                    let id = identity(&split.name, backend, route_header);
                    backend.guard = Some(guards.watch(id, rule, gauge));
                }
                _ => guards.leave_alone(gauge),
            }
        }
    }
    guards
}

/// Defines the series, and says of which canaries the rollbacks are. Only where one comes back by itself does
/// it matter when a policy was pushed.
fn series(
    splits: &mut [Split],
    head: &Head,
    route_header: &str,
    restore: bool,
    policy: &PolicyValue,
) -> Vec<Series> {
    // Where nothing is divided, nothing is judged.
    splits.iter_mut().filter(|_| restore).for_each(|split| split.rollback = None);
    let series = measure::define(splits, head.labels);
    for split in splits {
        let (name, backends) = (&split.name, &split.backends);
        let Some(rolling) = &mut split.rollback else { continue };
        rolling.identify(name, |backend| {
            let backend = backends.get(backend)?;
            let to = backend.to.as_ref().map(|to| to.written(route_header)).unwrap_or_default();
            Some((&*backend.name, to))
        });
        if rolling.comes_back() && backends.iter().any(|backend| backend.ramp.is_some()) {
            rolling.pushed(policy_digest(policy));
        }
    }
    series
}

/// Identifies the backend of which an absence is remembered. If another policy sends the same backend
/// somewhere else, the backend there is not absent because of what was missing here.
fn identity(split: &str, backend: &Backend, route_header: &str) -> u64 {
    let to = backend.to.as_ref().map(|to| to.identity(route_header)).unwrap_or_default();
    let cluster = backend.cluster.as_deref().unwrap_or_default();
    let of = [backend.name.as_bytes(), &to, cluster].map(|part| hash_of(b"", part).to_le_bytes());
    hash_of(split.as_bytes(), of.as_flattened())
}

fn needs(
    head: &Head,
    sanitizer: &Sanitizer,
    splits: &[Split],
    split_matches: &[SplitMatch],
    active: bool,
) -> Needs {
    let visits = splits.iter().filter_map(|split| split.anonymous.as_ref()?.when.as_ref());
    let conditions = splits.iter().flat_map(|split| {
        split.include.iter().flat_map(|(matches, _)| matches).chain(split.exclude.iter().flatten())
    });
    let explained = head.explain.iter().map(|explain| &explain.when);
    let sources: Vec<_> = split_matches
        .iter()
        .map(|split_match| &split_match.matches)
        .chain(conditions)
        .chain(visits)
        .chain(explained)
        .filter_map(|m| m.source.as_ref())
        .collect();
    let keys = || splits.iter().flat_map(|split| &split.keys);
    let decides = active && !split_matches.is_empty();
    let strips = active && sanitizer.is_needed();
    let by_principal =
        decides && (sources.iter().any(|s| !s.principals.is_empty()) || keys().any(Key::reads_principal));
    Needs {
        headers: decides || strips,
        stripped: strips,
        address: decides && (sources.iter().any(|s| !s.cidrs.is_empty()) || keys().any(Key::reads_address)),
        principal: by_principal,
        verified: by_principal && head.callers == modes::Callers::Verified,
        nonce: decides
            && splits.iter().any(|split| split.missing == Missing::Random || split.anonymous.is_some()),
        outcome: decides,
        now: decides && splits.iter().any(Split::is_timed),
        ..Needs::default()
    }
}

/// Whether a condition of a split that is not off asks for a host.
fn asks_for_hosts(splits: &[Split], split_matches: &[SplitMatch]) -> bool {
    let of_split = |split: &Split| {
        let included = split.include.iter().flat_map(|(matches, _)| matches);
        let visits = split.anonymous.iter().filter_map(|ids| ids.when.as_ref());
        split.mode != Mode::Off
            && included.chain(split.exclude.iter().flatten()).chain(visits).any(Match::asks_for_hosts)
    };
    split_matches.iter().any(|split_match| split_match.matches.asks_for_hosts())
        || splits.iter().any(of_split)
}

/// The hosts of all matches; `None` if one match is for any host.
fn every_host(split_matches: &[SplitMatch]) -> Option<HostSet> {
    let mut patterns = Vec::new();
    for split_match in split_matches {
        patterns.extend_from_slice(split_match.matches.hosts.as_ref()?.patterns());
    }
    (!patterns.contains(&HostPattern::Any)).then(|| HostSet::new(patterns))
}
