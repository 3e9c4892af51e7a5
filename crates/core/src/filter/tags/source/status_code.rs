//! `statusCode`: the status of the response.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct StatusCode(usize);

impl TagSource for StatusCode {
    const FIELD: Field = field!("statusCode", True, Optional, "The status of the response, such as `200`.");
    const MISSING: &str = "none";

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self(reading.reads.index(&["response", "code"])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let code = late.number(self.0).filter(|code| *code > 0);
        Value::Text(code.map(|code| code.to_string().into_bytes().into()))
    }
}
