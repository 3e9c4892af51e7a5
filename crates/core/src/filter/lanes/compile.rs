//! Compiles what the operator wrote into a [`Lanes`].

use super::ids::{Sources, TRACE, each_once};
use super::measure::SeriesIndices;
use super::shard::{Layout, Lifetime};
use super::{Lane, Lanes};
use crate::action::sanitize::Sanitizer;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{Callers, Mode, Trust};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::budget;
use crate::matching::listed::{self, Listed};
use crate::matching::parse::Budget;
use crate::policy::common::Common;
use crate::policy::head::{HEAD, Head, PART_HEAD};
use crate::policy::needs::Needs;
use crate::policy::state;
use crate::policy::written::Written;

pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of traffic-lanes: which header carries a lane, and by which ids a call finds it again.",
    [&HEAD],
    FIELDS
);

pub(super) static PART: Object = object!(
    "traffic-lanes",
    Any,
    "A policy of traffic-lanes: which header carries a lane, and by which ids a call finds it again.",
    [&PART_HEAD],
    FIELDS
);

const FIELDS: [Field; 4] = [
    field!("lane", Table(&LANE), Optional, "The lane; without it none is carried."),
    TRACE,
    field!(
        "ttl",
        Duration(*limits::LANE_TTL.start(), *limits::LANE_TTL.end()),
        Says("60s"),
        "How long the ids of a request are remembered after it has been served."
    ),
    field!(
        "maxTraces",
        Count(1, limits::TRACES.0),
        Counts(100_000),
        "How many ids the proxy remembers, all workers together."
    ),
];

static LANE: Object = object!(
    "lane",
    Any,
    "What a lane is: a header and its values.",
    [],
    [
        field!("header", Pattern(TOKEN, 256), Required, "The header that carries the lane."),
        field!(
            "values",
            List(&Text(1, limits::LANE_LENGTH.0), 1, limits::LANE_VALUES),
            Required,
            "The lanes; one `*` stands for letters, digits and `-_.`. Another value is no lane."
        ),
        field!(
            "maxLength",
            Count(1, limits::LANE_LENGTH.0),
            Counts(64),
            "The most bytes that a lane may have."
        ),
    ],
);

/// A lane as read, with its values as they are written.
type Read<'t> = (Lane, Vec<&'t str>);

pub(super) fn lanes(written: &Written<'_>) -> Result<Lanes, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(written, &budget)?;
    let mut faults = read::Faults::default();
    let lane = faults.take(fields.optional("lane", |t| lane(t, &budget))).flatten();
    let sources = faults.take(fields.optional(TRACE.name, Sources::read)).flatten();
    let ttl = faults.take(fields.optional("ttl", |t| read::millis(t, limits::LANE_TTL))).flatten();
    let most = faults.take(fields.optional("maxTraces", |t| count(t, limits::TRACES.0))).flatten();
    if let Some(idle) = FIELDS.iter().find(|field| fields.has(field.name) && !fields.has("lane")) {
        let message = format!("{:?} has no effect: no lane is named", idle.name);
        let help = "add \"lane\": {\"header\": \"x-lane\", \"values\": [\"gray\"]}";
        faults.note(Invalid::new(Code::Conflict, message, help).in_field(idle.name));
    }
    let sources = sources.unwrap_or_default();
    if let Some((lane, _)) = lane.as_ref().filter(|(lane, _)| sources.covers(&lane.header)) {
        faults.note(
            Invalid::new(
                Code::Conflict,
                format!("{:?} cannot carry both the lane and an id", lane.header),
                "name another header in \"lane\" or in \"trace\"",
            )
            .in_field(TRACE.name),
        );
    }
    let (lane, values) = faults.or(lane)?.unzip();
    let active = head.mode != Mode::Off && !fields.is_empty();
    let trust = if active { head.trust } else { Trust::Mesh };
    let own = lane.as_ref().map(|lane| lane.header.clone());
    let sanitizer = Sanitizer::new(trust, own, Vec::new()).within(head.mode).of_part(head.is_part);
    let (series_indices, series) = SeriesIndices::define(&values.unwrap_or_default(), head.labels);
    let published = state::published(&head, &[state::LANE]);
    let remembers = lane.is_some() && trust == Trust::Mesh;
    Ok(Lanes {
        mode: head.mode,
        trust,
        lane,
        sources,
        layout: Layout::of(most.unwrap_or(limits::TRACES.1)),
        lifetime: Lifetime { ttl: ttl.unwrap_or(60_000) },
        series_indices,
        common: Common {
            needles: budget.needles(),
            weight: budget.weight(),
            needs: Needs {
                metadata: active && budget.reads_metadata(),
                ..needs(&head, active && (remembers || sanitizer.is_needed()), &sanitizer)
            },
            sanitizer,
            series: if remembers { series } else { Vec::new() },
            published,
            head,
            ..Common::default()
        },
    })
}

fn needs(head: &Head, acts: bool, sanitizer: &Sanitizer) -> Needs {
    let when = head.explain.as_ref().and_then(|explain| explain.when.source.as_ref());
    let by_principal = acts && when.is_some_and(|source| !source.principals.is_empty());
    Needs {
        headers: acts,
        stripped: acts && sanitizer.is_needed(),
        address: acts && when.is_some_and(|source| !source.cidrs.is_empty()),
        principal: by_principal,
        verified: by_principal && head.callers == Callers::Verified,
        ..Needs::default()
    }
}

fn lane<'t>(tree: &'t PolicyValue, budget: &Budget) -> Result<Read<'t>, Invalid> {
    Fields::read(tree, &LANE, |fields| {
        let mut faults = read::Faults::default();
        let header = faults.take(fields.required("header", |t| names::writable_header(read::text(t)?)));
        let most = faults.take(fields.optional("maxLength", |t| count(t, limits::LANE_LENGTH.0))).flatten();
        let max_length = most.unwrap_or(limits::LANE_LENGTH.1);
        let values = faults.take(fields.required("values", |t| values(t, max_length)));
        let (values, written) = values.unwrap_or_default();
        budget.hold(budget::SERIES.saturating_mul(2).saturating_mul(values.len()))?;
        faults.or((Lane { header: header.unwrap_or_default(), values, max_length }, written))
    })
}

fn values(tree: &PolicyValue, max_length: usize) -> Result<(Vec<Listed>, Vec<&str>), Invalid> {
    let read = read::list(tree, limits::LANE_VALUES, |t| value(t, max_length))?;
    if read.is_empty() {
        return Err(Invalid::new(Code::BadValue, "no lane is listed", "write one, such as \"gray\""));
    }
    each_once(&read.iter().map(|(_, written)| *written))?;
    Ok(read.into_iter().unzip())
}

/// A value: it becomes a label, so it has only the characters of a name.
fn value(tree: &PolicyValue, max_length: usize) -> Result<(Listed, &str), Invalid> {
    let listed = Listed::read(tree, "a lane")?;
    let written = read::text(tree)?;
    if !written.bytes().all(|byte| byte == b'*' || listed::is_of_name(byte)) {
        return Err(Invalid::new(
            Code::BadValue,
            format!("{written:?} cannot be a lane"),
            "use letters, digits and - _ . and perhaps one \"*\"",
        ));
    }
    if written.len() > max_length {
        return Err(Invalid::new(
            Code::OutOfRange,
            format!("{written:?} has more than {max_length} bytes"),
            "shorten it, or raise \"maxLength\"",
        ));
    }
    Ok((listed, written))
}

fn count(tree: &PolicyValue, most: usize) -> Result<usize, Invalid> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(usize::try_from(read::integer(tree, 1..=most)?).unwrap_or(1))
}
