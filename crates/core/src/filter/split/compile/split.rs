//! Reads one split: whose traffic it divides, by what key, into what.

use std::cell::Cell;

use super::anonymous::{self, ANONYMOUS_ID};
use super::backends::{self, BACKEND, OVERRIDE, find};
use super::layer::{LAYER, Layered};
use super::ramp;
use crate::action::destination::Destination;
use crate::filter::split::anonymous::AnonymousId;
use crate::filter::split::bucket::BUCKETS;
use crate::filter::split::guard::{GUARD, Rule};
use crate::filter::split::key::{KEY, Key};
use crate::filter::split::measure;
use crate::filter::split::rollback::{self, ROLLBACK, Rolling};
use crate::filter::split::splitter::{Backend, Missing, Split};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{self, Mode};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::budget;
use crate::matching::matches::Match;
use crate::matching::parse::{self, Budget};

pub(super) static SPLIT: Object = object!(
    "split",
    // In a layer every canary reserves its part.
    Where(
        r#"{"dependentSchemas": {"layer": {"properties": {"backends": {"items": {"anyOf": [
            {"required": ["maxWeight"]}, {"required": ["baseline"], "properties": {"baseline": {"const": true}}}]}}}}}}"#
    ),
    "A split: whose traffic, by what key, into which backends.",
    [&parse::HOSTS],
    [
        field!(
            "name",
            NAME,
            Required,
            "Its name in metrics and filter state, and its salt unless it gives one."
        ),
        modes::MODE,
        field!(
            "matches",
            List(&Table(&parse::MATCH), 0, limits::MATCHES),
            Optional,
            "Matches of which one must hold; without any, all requests to its hosts."
        ),
        field!(
            "key",
            List(&Table(&KEY), 0, limits::KEYS),
            Optional,
            "What tells users apart: the first source that a request has; without any, `onMissingKey` decides."
        ),
        ANONYMOUS_ID,
        field!(
            "onMissingKey",
            NAME,
            Says("baseline"),
            "The backend of requests without a key: a name, `baseline`, or `random` for each request."
        ),
        field!(
            "salt",
            Text(0, limits::TEXT_BYTES),
            Optional,
            "Another salt divides other users; without it, the name."
        ),
        field!("weightTotal", Integer(1, BUCKETS as i64), Counts(100), "What weights are parts of."),
        field!(
            "backends",
            List(&Table(&BACKEND), 0, limits::BACKENDS),
            Required,
            "The backends, of which exactly one is the baseline."
        ),
        field!("override", Table(&OVERRIDE), Optional, "The header by which a trusted caller chooses."),
        field!(
            "include",
            List(&Table(&INCLUDE), 0, limits::RULES),
            Optional,
            "Requests that always go to a backend."
        ),
        field!(
            "exclude",
            List(&Table(&EXCLUDE), 0, limits::RULES),
            Optional,
            "Requests that always go to the baseline."
        ),
        field!(
            "layer",
            Table(&LAYER),
            Optional,
            "The layer that it shares with others, so that they never overlap."
        ),
        GUARD,
        ROLLBACK,
        field!(
            "rewriteLocation",
            Flag,
            Holds(false),
            "Whether a redirect that names the `authority` of a backend gets the host that the caller asked for."
        ),
    ],
);

static INCLUDE: Object = object!(
    "include",
    Any,
    "Requests that always go to one backend.",
    [],
    [
        field!(
            "matches",
            List(&Table(&parse::MATCH), 0, limits::MATCHES),
            Required,
            "Matches of which one must hold."
        ),
        field!("backend", NAME, Required, "The backend."),
    ],
);

static EXCLUDE: Object = object!(
    "exclude",
    Any,
    "Requests that always go to the baseline.",
    [],
    [field!(
        "matches",
        List(&Table(&parse::MATCH), 0, limits::MATCHES),
        Required,
        "Matches of which one must hold."
    )],
);

/// A split as read, with what concerns other parts of the policy.
pub(super) struct Read {
    pub(super) split: Split,
    pub(super) matches: Vec<Match>,
    pub(super) layer: Option<Layered>,
    /// How each backend is guarded, by its index.
    pub(super) guards: Vec<Option<Rule>>,
}

pub(super) fn split(tree: &PolicyValue, policy: Mode, budget: &Budget) -> Result<Read, Invalid> {
    budget.hold(budget::RULE)?;
    Fields::read(tree, &SPLIT, |fields| split_of(fields, policy, budget))
}

fn split_of(fields: Fields<'_>, policy: Mode, budget: &Budget) -> Result<Read, Invalid> {
    let name = fields.required("name", names::name)?;
    let mode = modes::mode(fields)?.within(policy);
    let matches = split_matches(fields, budget)?;
    let total = fields.optional("weightTotal", |t| read::integer(t, 1..=i64::from(BUCKETS)))?;
    let total = total.and_then(|total| u32::try_from(total).ok()).unwrap_or(100);
    let read = fields.required("backends", |t| {
        let series = measure::SERIES.saturating_mul(budget::SERIES.saturating_add(name.len()));
        read::list(t, limits::BACKENDS, |b| {
            budget.hold(budget::RULE.saturating_add(series))?;
            let read = backends::backend(b, total)?;
            budget.hold(read.ramp.as_ref().map_or(0, ramp::Read::weight))?;
            Ok(read)
        })
    })?;
    let (baseline, slots) = backends::lay_out(&read, total).map_err(|e| e.in_field("backends"))?;
    let salt: Option<Box<[u8]>> = fields.optional("salt", |t| Ok(read::text(t)?.as_bytes().into()))?;
    let mut layer = fields.optional("layer", |t| Layered::read(t, total))?;
    if let Some(layer) = &mut layer {
        layer.salt.clone_from(&salt);
        layer.asked = backends::asked(&read).map_err(|e| e.in_field("backends"))?;
    }
    let guards = guards(fields, &read)?;
    let ramped = |read: backends::Read| Backend { ramp: read.ramp.map(|ramp| ramp.ramp), ..read.backend };
    let mut backends: Vec<_> = read.into_iter().map(ramped).collect();
    backends.iter_mut().filter_map(|backend| backend.to.as_mut()).for_each(|to| to.set_services(&matches));
    let named = |name: &str| find(&backends, name);
    let (keys, anonymous) = keys(fields, budget)?;
    let split = Split {
        mode,
        salt: salt.unwrap_or_else(|| name.as_bytes().into()),
        keys,
        anonymous,
        missing: fields
            .optional("onMissingKey", |t| match read::text(t)? {
                "baseline" => Ok(Missing::Backend(baseline)),
                "random" => Ok(Missing::Random),
                name => named(name).map(Missing::Backend),
            })?
            .unwrap_or(Missing::Backend(baseline)),
        override_by: fields.optional("override", |t| backends::override_by(t, &backends, baseline))?,
        include: fields
            .optional("include", |t| read::list(t, limits::RULES, |t| include(t, budget, &named)))?
            .unwrap_or_default(),
        exclude: fields
            .optional("exclude", |t| {
                read::list(t, limits::RULES, |element| {
                    Fields::open(element, &EXCLUDE)?.required("matches", |m| parse::matches(m, budget))
                })
            })?
            .unwrap_or_default(),
        rollback: None,
        rewrites_location: fields.optional("rewriteLocation", read::flag)?.unwrap_or(false),
        name,
        slots,
        backends,
        baseline,
        seen: Cell::new(0),
        series: 0,
    };
    let rollback = rolling(fields, &split, budget)?;
    Ok(Read { split: Split { rollback, ..split }, matches, layer, guards })
}

/// The sources of the key, and the ids that are the last of them.
fn keys(fields: Fields<'_>, budget: &Budget) -> Result<(Vec<Key>, Option<Box<AnonymousId>>), Invalid> {
    let mut keys = fields.optional("key", Key::list)?.unwrap_or_default();
    let Some(ids) = fields.optional("anonymousId", |t| anonymous::read(t, budget))? else {
        return Ok((keys, None));
    };
    budget.hold(anonymous::WEIGHT)?;
    keys.push(Key::anonymous_id(ids.cookie.clone()));
    Ok((keys, Some(Box::new(ids))))
}

/// What is always of one backend.
fn include(
    tree: &PolicyValue,
    budget: &Budget,
    named: &dyn Fn(&str) -> Result<usize, Invalid>,
) -> Result<(Vec<Match>, usize), Invalid> {
    let fields = Fields::open(tree, &INCLUDE)?;
    Ok((
        fields.required("matches", |m| parse::matches(m, budget))?,
        fields.required("backend", |t| named(read::text(t)?))?,
    ))
}

/// The guard of each backend: its own, or else the split's.
fn guards(fields: Fields<'_>, read: &[backends::Read]) -> Result<Vec<Option<Rule>>, Invalid> {
    let of_all = fields.optional("guard", Rule::read)?;
    let canaries = read.iter().filter(|read| !read.baseline).count();
    if of_all.as_ref().is_some_and(|rule| rule.cluster().is_some()) && canaries > 1 {
        return Err(Invalid::new(
            Code::Conflict,
            format!("one cluster cannot be probed for {canaries} backends"),
            "write this \"guard\" at the backend whose cluster it is",
        )
        .in_field("guard"));
    }
    let of_all = of_all.unwrap_or_default();
    let of_one = |read: &backends::Read| {
        let rule = read.guard.as_ref().unwrap_or(&of_all);
        let is_quoted = read.backend.to.as_ref().is_some_and(Destination::is_quoted);
        (!read.baseline && !is_quoted && rule.is_on()).then(|| rule.clone())
    };
    Ok(read.iter().map(of_one).collect())
}

/// The rollback of a split that acts.
fn rolling(fields: Fields<'_>, split: &Split, budget: &Budget) -> Result<Option<Box<Rolling>>, Invalid> {
    let rule = fields.optional("rollback", |t| rollback(t, split))?;
    let Some(rule) = rule.filter(|rule| rule.is_on() && split.mode == Mode::Enforce) else { return Ok(None) };
    budget.rollbacks(split.backends.len().saturating_sub(1)).map_err(|e| e.in_field("rollback"))?;
    budget.hold(rollback::weight(&split.name, split.backends.len()))?;
    Ok(Some(Box::new(Rolling::new(rule))))
}

/// What is judged of the canaries of a split. It compares users whom key or chance has divided, at two
/// destinations.
fn rollback(tree: &PolicyValue, split: &Split) -> Result<rollback::Rule, Invalid> {
    let rule = rollback::Rule::read(tree)?;
    if !split.divides() {
        return Err(Invalid::new(
            Code::Conflict,
            "the split has no key, so there are no users to compare",
            "write \"key\", or \"onMissingKey\": \"random\" to compare requests",
        ));
    }
    let is_quoted = |backend: &&Backend| backend.to.as_ref().is_some_and(Destination::is_quoted);
    if let Some(backend) = split.backends.iter().find(is_quoted) {
        return Err(Invalid::new(
            Code::Conflict,
            format!("the destination of {:?} quotes the request: it is many destinations", backend.name),
            "write this backend in a split of its own, or leave the rollback out",
        ));
    }
    Ok(rule)
}

/// The matches that make a request one of a split. Each has the split's hosts.
fn split_matches(fields: Fields<'_>, budget: &Budget) -> Result<Vec<Match>, Invalid> {
    let hosts = parse::hosts_or_service(fields)?;
    let mut matches = fields.optional("matches", |t| parse::matches(t, budget))?.unwrap_or_default();
    if matches.is_empty() {
        matches.push(Match::default());
    }
    for (i, split_match) in matches.iter_mut().enumerate() {
        if split_match.hosts.is_some() && hosts.is_some() {
            return Err(Invalid::new(
                Code::Conflict,
                "the split names its hosts already",
                "name hosts once: of the split, or in each of its matches",
            )
            .in_index(i)
            .in_field("matches"));
        }
        if split_match.hosts.is_none() {
            if let Some(hosts) = &hosts {
                budget.hold(hosts.weight()).map_err(|e| e.in_field("hosts"))?;
            }
            split_match.hosts.clone_from(&hosts);
        }
    }
    Ok(matches)
}
