//! `durationClass`: the class of a request's duration.

use super::{Late, Reading, TagSource, Value, Values};
use crate::filter::tags::classes;
use crate::filter::tags::registry::{MISSING, OTHER};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct DurationClass {
    duration: usize,
    /// In milliseconds.
    bounds: Vec<u64>,
    values: Vec<u32>,
}

impl TagSource for DurationClass {
    const FIELD: Field = field!(
        "durationClass",
        List(&Integer(1, 86_400_000), 1, limits::VALUES),
        Optional,
        "Classes of how long the request took: their bounds in milliseconds, ascending."
    );
    const VALUES: Values = Values::OfSource;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        let bounds = classes::durations(tree)?;
        let values = classes::duration_names(&bounds).iter().map(|name| reading.declare(name)).collect();
        Ok(Self { duration: reading.reads.index(&["request", "duration"]), bounds, values })
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let Some(duration) = late.number(self.duration) else { return Value::Known(MISSING) };
        let milliseconds = duration / 1_000_000;
        let class = self.bounds.iter().filter(|bound| milliseconds >= **bound).count();
        Value::Known(self.values.get(class).copied().unwrap_or(OTHER))
    }
}
