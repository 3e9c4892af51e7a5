//! `rollback` of a split, as a policy writes it.

use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::modes::{MODES, Mode};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};

/// `rollback` of a split.
pub(crate) const ROLLBACK: Field = field!(
    "rollback",
    Table(&OBJECT),
    Optional,
    "Compares the users of each canary with those of the baseline, and may switch it off; without it, nothing is compared."
);

static OBJECT: Object = object!(
    "rollback",
    Any,
    "What is done in this proxy about a canary whose users fail more often than those of the baseline.",
    [],
    [
        field!(
            "errors",
            Words(|| words(&MODES)),
            Says("report"),
            "Whether failed requests switch a canary off, only say so (`report`), or are not counted."
        ),
        field!("latency", Words(|| words(&MODES)), Says("report"), "The same of slow responses."),
        field!(
            "clientErrors",
            Words(|| words(&MODES)),
            Says("off"),
            "The same of responses that say that the client is at fault, such as 400."
        ),
        field!(
            "retries",
            Flag,
            Holds(false),
            "Whether a request that Envoy had to try again counts as failed. It needs Envoy 1.33."
        ),
        field!(
            "slowAbove",
            Duration(*limits::SLOW_ABOVE.start(), *limits::SLOW_ABOVE.end()),
            Says("10ms"),
            "No response is slow that comes within this time, however fast the baseline's are."
        ),
        field!(
            "warmup",
            Duration(*limits::WARMUP.start(), *limits::WARMUP.end()),
            Says("60s"),
            "How long latency is not judged, from the first request of a canary."
        ),
        field!(
            "hold",
            Either(&[Words(|| vec![UNTIL_PUSH]), Duration(*limits::HOLD.start(), *limits::HOLD.end())]),
            Says(UNTIL_PUSH),
            "How long a canary stays off: a duration, or until a push changes its destination or raises `generation` (`until-push`)."
        ),
        field!(
            "generation",
            Integer(1, GENERATIONS),
            Counts(1),
            "A number that a push raises to try the same destinations again."
        ),
    ],
);

const UNTIL_PUSH: &str = "until-push";
/// Every whole number up to this one is exact in JSON.
const GENERATIONS: i64 = 1 << 53;

/// What is judged of the canaries of a split, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What failed requests do.
    pub errors: Mode,
    /// What slow responses do.
    pub latency: Mode,
    /// What responses do that say that the client is at fault.
    pub client_errors: Mode,
    /// Whether a request that was tried again has failed.
    pub retries: bool,
    /// Microseconds within which no response is slow.
    pub slow_above: u64,
    /// Seconds for which latency is not judged.
    pub warmup: u64,
    /// Seconds for which a canary stays off; until a push, if there are none.
    pub hold: Option<u64>,
    /// What a push raises to try the same destinations again.
    pub generation: u64,
}

impl Rule {
    pub(crate) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &OBJECT)?;
        let class = |name| fields.optional(name, |t| read::word(t, &MODES));
        let generation = fields.optional("generation", |t| read::integer(t, 1..=GENERATIONS))?;
        Ok(Self {
            errors: class("errors")?.unwrap_or(Mode::Report),
            latency: class("latency")?.unwrap_or(Mode::Report),
            client_errors: class("clientErrors")?.unwrap_or(Mode::Off),
            retries: fields.optional("retries", read::flag)?.unwrap_or(false),
            slow_above: fields.optional("slowAbove", micros)?.unwrap_or(10_000),
            warmup: fields.optional("warmup", |t| seconds(t, limits::WARMUP))?.unwrap_or(60),
            hold: fields.optional("hold", hold)?.flatten(),
            generation: generation.and_then(|number| u64::try_from(number).ok()).unwrap_or(1),
        })
    }

    /// Whether anything is judged.
    pub(crate) fn is_on(&self) -> bool {
        [self.errors, self.latency, self.client_errors].iter().any(|class| *class != Mode::Off)
    }
}

/// Seconds; none until a push.
fn hold(tree: &PolicyValue) -> Result<Option<u64>, Invalid> {
    if read::text(tree)? == UNTIL_PUSH {
        return Ok(None);
    }
    seconds(tree, limits::HOLD).map(Some)
}

/// A duration in microseconds.
fn micros(tree: &PolicyValue) -> Result<u64, Invalid> {
    Ok(read::millis(tree, limits::SLOW_ABOVE)?.saturating_mul(1_000))
}

/// A duration in whole seconds: what is left over is a second more.
fn seconds(tree: &PolicyValue, range: std::ops::RangeInclusive<u64>) -> Result<u64, Invalid> {
    Ok(read::millis(tree, range)?.div_ceil(1_000))
}
