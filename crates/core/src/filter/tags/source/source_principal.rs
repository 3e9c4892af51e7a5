//! `sourcePrincipal`: the name of the caller.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::modes::Callers;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

/// The presented name, if it is believed: if there is no last property, or if that is true. Without a
/// presented name it is the proxy's own.
#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct SourcePrincipal {
    presented: usize,
    own: usize,
    verified: Option<usize>,
}

impl TagSource for SourcePrincipal {
    const FIELD: Field =
        field!("sourcePrincipal", True, Optional, "The SPIFFE name of the caller, as far as it is believed.");
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        let reads = &mut *reading.reads;
        Ok(Self {
            presented: reads.index(&["connection", "uri_san_peer_certificate"]),
            own: reads.index(&["upstream", "uri_san_local_certificate"]),
            verified: (reads.1 == Callers::Verified)
                .then(|| reads.index(&["connection", "peer_certificate_valid"])),
        })
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let is_believed = self.verified.is_none_or(|index| late.read(index) == Some(&[1]));
        Value::Text(match late.read(self.presented) {
            Some(name) => is_believed.then(|| name.into()),
            // The caller of an outbound call is this proxy itself.
            None => late.read(self.own).map(Into::into),
        })
    }
}
