//! `responseHeader`: a header of the response.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::{names, read};

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct ResponseHeader(usize);

impl TagSource for ResponseHeader {
    const FIELD: Field = field!("responseHeader", Pattern(TOKEN, 256), Optional, "A header of the response.");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        let header = names::header(read::text(tree)?)?;
        Ok(Self(reading.reads.index(&["response", "headers", &header])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        late.text(&[self.0])
    }

    fn properties(&self) -> &[usize] {
        std::slice::from_ref(&self.0)
    }
}
