//! `destinationPrincipal`: the name of the called workload.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct DestinationPrincipal([usize; 2]);

impl TagSource for DestinationPrincipal {
    const FIELD: Field = field!("destinationPrincipal", True, Optional, "The SPIFFE name of who was called.");
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        let paths = [["upstream", "uri_san_peer_certificate"], ["connection", "uri_san_local_certificate"]];
        Ok(Self(paths.map(|path| reading.reads.index(&path))))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        late.text(&self.0)
    }

    fn properties(&self) -> &[usize] {
        &self.0
    }
}
