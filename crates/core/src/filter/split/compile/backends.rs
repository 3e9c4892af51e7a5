//! The backends of one split, and their slots.

use std::cell::Cell;

use super::ramp::{self, RAMP};
use crate::action::destination::{DESTINATION, Destination, TO_VALUES};
use crate::action::edit::{HeaderEdits, REQUEST_HEADERS, RESPONSE_HEADERS};
use crate::filter::split::bucket::BUCKETS;
use crate::filter::split::guard::{GUARD, Rule};
use crate::filter::split::slots::{Misfit, Share, Slots};
use crate::filter::split::splitter::{Backend, Override};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};

pub(super) static BACKEND: Object = object!(
    "backend",
    Where(
        r#"{"anyOf": [{"required": ["to"]}, {"required": ["authority"]},
                      {"required": ["baseline"], "properties": {"baseline": {"const": true}}}]}"#
    ),
    "One backend of a split.",
    [&DESTINATION],
    [
        TO_VALUES,
        field!("name", NAME, Required, "Its name in metrics; no other backend of the split may have it."),
        field!(
            "baseline",
            Flag,
            Holds(false),
            "Whether it gets what the others leave: exactly one backend does."
        ),
        field!(
            "cluster",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "Envoy's name of the cluster that must serve it; without it, the probe's."
        ),
        GUARD,
        field!("weight", Integer(0, BUCKETS as i64), Counts(0), "The parts of `weightTotal` that it gets."),
        RAMP,
        field!(
            "maxWeight",
            Integer(0, BUCKETS as i64),
            Optional,
            "The most parts that it may ever get; without it, an equal share of what is left."
        ),
        REQUEST_HEADERS,
        RESPONSE_HEADERS,
    ],
);

pub(super) static OVERRIDE: Object = object!(
    "override",
    Any,
    "A trusted caller chooses by a header.",
    [],
    [
        field!("header", Pattern(TOKEN, 256), Required, "The header."),
        field!("always", Text(0, limits::VALUE_BYTES), Says("always"), "The value that chooses the backend."),
        field!("never", Text(0, limits::VALUE_BYTES), Says("never"), "The value that chooses the baseline."),
        field!(
            "backend",
            NAME,
            Optional,
            "The backend that `always` chooses; needed where there are several and no `values`."
        ),
        field!(
            "values",
            Map("^.", &NAME, limits::BACKENDS),
            Optional,
            "Further values, each with the backend that it chooses."
        ),
    ],
);

/// A backend as read, with the share that it asks for.
pub(super) struct Read {
    pub(super) backend: Backend,
    pub(super) baseline: bool,
    pub(super) max_weight: Option<u32>,
    pub(super) guard: Option<Rule>,
    pub(super) ramp: Option<ramp::Read>,
    weight: u32,
}

pub(super) fn backend(tree: &PolicyValue, total: u32) -> Result<Read, Invalid> {
    let fields = Fields::open(tree, &BACKEND)?;
    let weight = |name: &str| {
        let read =
            fields.optional(name, |t| read::integer(t, 0..=i64::from(total)).map_err(|e| over(e, total)))?;
        Ok(read.and_then(|weight| u32::try_from(weight).ok()))
    };
    let baseline = fields.optional("baseline", read::flag)?.unwrap_or(false);
    if let Some(field) =
        ["weight", "ramp", "maxWeight", "guard"].into_iter().find(|name| baseline && fields.has(name))
    {
        return Err(Invalid::new(
            Code::Conflict,
            format!("the baseline has no {field:?}: it serves what the others do not"),
            "leave it out",
        )
        .in_field(field));
    }
    let to = Destination::read(fields)?;
    if to.is_none() && !baseline {
        return Err(Invalid::new(
            Code::MissingField,
            "a backend other than the baseline needs a destination",
            "add \"authority\" or \"to\"",
        ));
    }
    if fields.has("guard") && to.as_ref().is_some_and(Destination::is_quoted) {
        return Err(Invalid::new(
            Code::Conflict,
            "a destination that quotes the request has no guard: it is many destinations",
            "leave it out, or write a backend for each value",
        )
        .in_field("guard"));
    }
    let ramp = fields.optional("ramp", |t| ramp::Read::of(t, total))?;
    if fields.has("weight") && ramp.is_some() {
        return Err(Invalid::new(
            Code::Conflict,
            "a backend has either \"weight\" or \"ramp\"",
            "leave out \"weight\": the steps of the ramp say it",
        )
        .in_field("weight"));
    }
    Ok(Read {
        baseline,
        weight: weight("weight")?.or(ramp.as_ref().map(ramp::Read::peak)).unwrap_or(0),
        ramp,
        max_weight: weight("maxWeight")?,
        guard: fields.optional("guard", Rule::read)?,
        backend: Backend {
            name: fields.required("name", names::name)?,
            to,
            cluster: fields.optional("cluster", |t| read::text(t).map(|name| name.as_bytes().into()))?,
            addressed: Cell::new(0),
            request: fields.optional("requestHeaders", HeaderEdits::read)?.unwrap_or_default(),
            response: fields.optional("responseHeaders", HeaderEdits::read)?.unwrap_or_default(),
            guard: None,
            ramp: None,
            series: 0,
        },
    })
}

pub(super) fn over(e: Invalid, total: u32) -> Invalid {
    match e.faults() {
        [fault] if fault.code == Code::OutOfRange => Invalid::new(
            Code::WeightsDoNotFit,
            format!("{}, the \"weightTotal\" of the split", fault.message),
            format!("weights are parts of {total}; raise \"weightTotal\" to write finer ones"),
        ),
        _ => e,
    }
}

pub(super) fn lay_out(read: &[Read], total: u32) -> Result<(usize, Slots), Invalid> {
    names::unique("backends", read.iter().map(|b| &*b.backend.name))?;
    let mut baselines = read.iter().enumerate().filter(|(_, b)| b.baseline).map(|(i, _)| i);
    let (Some(baseline), None) = (baselines.next(), baselines.next()) else {
        let count = read.iter().filter(|b| b.baseline).count();
        return Err(Invalid::new(
            Code::Baseline,
            format!("{count} of {} backends are the baseline", read.len()),
            "mark exactly one with \"baseline\": true",
        ));
    };
    let others = read.iter().enumerate().filter(|(_, b)| !b.baseline);
    let shares: Vec<Share> =
        others.map(|(backend, b)| Share { backend, weight: b.weight, max_weight: b.max_weight }).collect();
    let slots = Slots::new(total, &shares).map_err(|misfit| misfit_of(misfit, total, read, shares.len()))?;
    Ok((baseline, slots))
}

/// The sum of every `maxWeight`. In a layer each backend must write it, because what is left does not
/// belong to one split alone.
pub(super) fn asked(read: &[Read]) -> Result<u32, Invalid> {
    let mut sum = 0u32;
    for (index, one) in read.iter().enumerate().filter(|(_, b)| !b.baseline) {
        let Some(most) = one.max_weight else {
            return Err(Invalid::new(
                Code::MissingField,
                "missing field \"maxWeight\", which a backend needs in a layer",
                "reserve as much of the layer as this backend may ever get",
            )
            .in_index(index));
        };
        sum = sum.saturating_add(most);
    }
    Ok(sum)
}

fn misfit_of(misfit: Misfit, total: u32, read: &[Read], sharing: usize) -> Invalid {
    match misfit {
        Misfit::Slots { sum } => Invalid::new(
            Code::WeightsDoNotFit,
            format!(
                "the \"maxWeight\" of all backends sum to {sum}, more than the \"weightTotal\" of {total}"
            ),
            format!("lower one of them, or write \"weightTotal\": {sum}"),
        ),
        Misfit::Weight { backend, room } => {
            let weight = read.get(backend).map_or(0, |b| b.weight);
            let own = read.get(backend).is_some_and(|b| b.max_weight.is_some());
            let (why, help) = if own {
                (
                    format!("its \"maxWeight\" of {room}"),
                    "raise \"maxWeight\", which moves no user while its slot is the last".to_owned(),
                )
            } else {
                (
                    format!(
                        "its slot of {room}: {sharing} backends share {total} equally where no \"maxWeight\" is written"
                    ),
                    format!("write \"maxWeight\": {weight} or more here"),
                )
            };
            let misfit =
                Invalid::new(Code::WeightsDoNotFit, format!("the weight {weight} is more than {why}"), help)
                    .in_field("weight");
            match read.get(backend).and_then(|b| b.ramp.as_ref()) {
                Some(ramp) => misfit.in_index(ramp.highest()).in_field("steps").in_field("ramp"),
                None => misfit,
            }
            .in_index(backend)
        }
    }
}

pub(super) fn override_by(
    tree: &PolicyValue,
    backends: &[Backend],
    baseline: usize,
) -> Result<Override, Invalid> {
    let fields = Fields::open(tree, &OVERRIDE)?;
    let value = |name: &str| -> Result<Box<[u8]>, Invalid> {
        let value = fields.optional(name, |t| names::header_value(read::text(t)?))?;
        Ok(value.unwrap_or_else(|| name.as_bytes().into()))
    };
    let mut others = (0..backends.len()).filter(|i| *i != baseline);
    let named = fields.optional("backend", |t| find(backends, read::text(t)?))?;
    let values = fields.optional("values", |t| {
        let value = |name: &str| names::header_value(name).map(|_| name.to_owned());
        let values = read::entries(t, limits::BACKENDS, value, |t| find(backends, read::text(t)?))?;
        Ok(values
            .into_iter()
            .map(|(value, backend)| (value.into_bytes().into(), backend))
            .collect::<Vec<(Box<[u8]>, usize)>>())
    })?;
    let only = others.next().filter(|_| others.next().is_none());
    let backend = named.or(only);
    if backend.is_none() && values.is_none() {
        return Err(Invalid::new(
            Code::MissingField,
            "it is not clear which backend is chosen",
            "add \"backend\", or \"values\" for several",
        ));
    }
    let (always, never, values) = (value("always")?, value("never")?, values.unwrap_or_default());
    let chooses =
        |value: &[u8]| if *value == *never { Some(baseline) } else { backend.filter(|_| *value == *always) };
    if let Some((dead, _)) =
        values.iter().find(|(value, to)| chooses(value).is_some_and(|other| other != *to))
    {
        let dead = String::from_utf8_lossy(dead);
        let what = format!("the value {dead:?} chooses another backend already");
        return Err(Invalid::new(
            Code::Conflict,
            what,
            "change \"always\" or \"never\", or write another value",
        )
        .in_field("values"));
    }
    Ok(Override {
        header: fields.required("header", |t| names::header(read::text(t)?))?,
        always,
        never,
        backend,
        values,
    })
}

pub(super) fn find(backends: &[Backend], name: &str) -> Result<usize, Invalid> {
    backends.iter().position(|backend| &*backend.name == name).ok_or_else(|| {
        let known: Vec<String> = backends.iter().map(|b| format!("{:?}", b.name)).collect();
        Invalid::new(
            Code::UnknownName,
            format!("there is no backend {name:?}"),
            format!("the backends are {}", known.join(", ")),
        )
    })
}
