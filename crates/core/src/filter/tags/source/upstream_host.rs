//! `upstreamHost`: the address that a request went to.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct UpstreamHost(usize);

impl TagSource for UpstreamHost {
    const FIELD: Field = field!("upstreamHost", True, Optional, "The address that the request went to.");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self(reading.reads.index(&["upstream", "address"])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        late.text(&[self.0])
    }

    fn properties(&self) -> &[usize] {
        std::slice::from_ref(&self.0)
    }
}
