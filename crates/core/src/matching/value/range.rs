//! `range`: the value is an integer within bounds.

use super::{Reading, Terms, ValueTest, integer};
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};

/// The first bound is included, the second is excluded.
#[derive(Clone, Debug)]
pub(crate) struct Range(pub(crate) i64, pub(crate) i64);

static RANGE: Object = object!(
    "range",
    Any,
    "An interval of integers.",
    [],
    [
        field!("from", Integer(i64::MIN, i64::MAX), Required, "The first number that is in it."),
        field!("to", Integer(i64::MIN, i64::MAX), Required, "The first number that is not in it any more."),
    ],
);

impl ValueTest for Range {
    const FIELD: Field =
        field!("range", Table(&RANGE), Optional, "The value is an integer in this interval.");
    const HAS_CASE: bool = false;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.fields.required(Self::FIELD.name, range)
    }

    fn holds(&self, value: &[u8]) -> bool {
        integer(value).is_some_and(|n| (self.0..self.1).contains(&n))
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Within(self.0, self.1)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}

fn range(tree: &PolicyValue) -> Result<Range, Invalid> {
    let fields = Fields::open(tree, &RANGE)?;
    let bound = |name: &str| fields.required(name, |t| read::integer(t, i64::MIN..=i64::MAX));
    let (from, to) = (bound("from")?, bound("to")?);
    if from < to {
        return Ok(Range(from, to));
    }
    Err(Invalid::new(
        Code::OutOfRange,
        format!("no number is from {from} and below {to}"),
        "\"to\" is the first number outside",
    ))
}
