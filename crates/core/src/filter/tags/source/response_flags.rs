//! `responseFlags`: what Envoy notes of a response.

use super::{Late, Reading, TagSource, Value};
use crate::filter::tags::classes;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct ResponseFlags(usize);

impl TagSource for ResponseFlags {
    const FIELD: Field =
        field!("responseFlags", True, Optional, "Envoy's short names of response flags, such as `UF`.");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self(reading.reads.index(&["response", "flags"])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        Value::Text(Some(classes::flags(late.number(self.0).unwrap_or_default()).into_bytes().into()))
    }
}
