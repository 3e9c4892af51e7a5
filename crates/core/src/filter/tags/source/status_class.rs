//! `statusClass`: the class of the response's status.

use super::{Late, Reading, TagSource, Value, Values};
use crate::filter::tags::registry::MISSING;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::policy::code_class::CODE_CLASSES;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct StatusClass(usize, [u32; CODE_CLASSES.len()]);

impl TagSource for StatusClass {
    const FIELD: Field =
        field!("statusClass", True, Optional, "The class of the response's status, such as `2xx`.");
    const VALUES: Values = Values::OfSource;
    const MISSING: &str = "none";

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        // The first is not a class: it means that there was no answer.
        let values = CODE_CLASSES.map(|class| if class == "none" { MISSING } else { reading.declare(class) });
        Ok(Self(reading.reads.index(&["response", "code"]), values))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let class = |code: u64| if (100..600).contains(&code) { code / 100 } else { 0 };
        let value = |code| self.1.get(usize::try_from(class(code)).ok()?).copied();
        Value::Known(late.number(self.0).map_or(MISSING, |code| value(code).unwrap_or_default()))
    }
}
