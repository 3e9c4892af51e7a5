//! `ramp` of a backend: its weight over time, as a policy writes it.

use crate::filter::split::bucket::BUCKETS;
use crate::filter::split::ramp::{Between, Ramp, Step};
use crate::filter::split::slots::buckets;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, moment};
use crate::matching::budget;

use super::backends::over;

/// `ramp` of a backend.
pub(super) const RAMP: Field =
    field!("ramp", Table(&OBJECT), Optional, "In place of `weight`: the weights that it gets by the clock.");

static OBJECT: Object = object!(
    "ramp",
    Any,
    "The weight of a backend by the clock: 0 before the first step, and the last one for ever.",
    [],
    [
        field!(
            "steps",
            List(&Table(&STEP), 1, limits::RAMP_STEPS),
            Required,
            "The steps, each later than the one before."
        ),
        field!(
            "between",
            Words(|| words(&BETWEEN)),
            Says("step"),
            "What holds between two steps: the earlier one, or at each second what lies between them (`linear`)."
        ),
    ],
);

static STEP: Object = object!(
    "rampStep",
    Any,
    "From a moment on, a weight.",
    [],
    [
        field!(
            "at",
            Pattern(moment::PATTERN, moment::LENGTH),
            Required,
            "The moment, with `Z` or an offset: `2026-12-01T12:00:00+01:00`."
        ),
        field!("weight", Integer(0, BUCKETS as i64), Required, "The parts of `weightTotal` from then on."),
    ],
);

const BETWEEN: [(&str, Between); 2] = [("step", Between::Step), ("linear", Between::Linear)];

/// A ramp as read.
pub(super) struct Read {
    pub(super) ramp: Ramp,
    /// The weights as written, in parts of the total.
    weights: Vec<u32>,
}

/// A step as written.
struct Written<'t> {
    at: u64,
    text: &'t str,
    weight: u32,
}

impl Read {
    pub(super) fn of(tree: &PolicyValue, total: u32) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &OBJECT)?;
        let between = fields.optional("between", |t| read::word(t, &BETWEEN))?.unwrap_or_default();
        fields.required("steps", |t| {
            let written = read::list(t, limits::RAMP_STEPS, |t| step(t, total))?;
            if written.is_empty() {
                return Err(Invalid::new(Code::MissingField, "a ramp has no step", "write at least one"));
            }
            in_order(&written)?;
            let one = |step: &Written<'_>| Step { at: step.at, buckets: buckets(step.weight, total) };
            let ramp = Ramp::new(written.iter().map(one).collect(), between);
            Ok(Self { ramp, weights: written.iter().map(|step| step.weight).collect() })
        })
    }

    /// The bytes that it takes, its series included.
    pub(super) fn weight(&self) -> usize {
        budget::SERIES.saturating_add(self.weights.len().saturating_mul(size_of::<Step>()))
    }

    /// The highest weight.
    pub(super) fn peak(&self) -> u32 {
        self.weights.iter().copied().max().unwrap_or_default()
    }

    /// The first step that has the highest weight.
    pub(super) fn highest(&self) -> usize {
        self.weights.iter().position(|weight| *weight == self.peak()).unwrap_or_default()
    }
}

fn step(tree: &PolicyValue, total: u32) -> Result<Written<'_>, Invalid> {
    let fields = Fields::open(tree, &STEP)?;
    let (at, text) = fields.required("at", |t| {
        let text = read::text(t)?;
        Ok((moment::read(text)?, text))
    })?;
    let weight =
        fields.required("weight", |t| read::integer(t, 0..=i64::from(total)).map_err(|e| over(e, total)))?;
    Ok(Written { at, text, weight: u32::try_from(weight).unwrap_or(total) })
}

/// Refuses a step that is not later than the one before.
fn in_order(steps: &[Written<'_>]) -> Result<(), Invalid> {
    for (index, pair) in steps.windows(2).enumerate() {
        if let [one, next] = pair
            && next.at <= one.at
        {
            return Err(Invalid::new(
                Code::BadValue,
                format!("{} is not later than the step before it, {}", said(next), said(one)),
                "write the steps in the order of time",
            )
            .in_field("at")
            .in_index(index.saturating_add(1)));
        }
    }
    Ok(())
}

/// A moment as it was written, and in UTC.
fn said(step: &Written<'_>) -> String {
    let utc = moment::utc(step.at);
    if utc == step.text { utc } else { format!("{} ({utc})", step.text) }
}
