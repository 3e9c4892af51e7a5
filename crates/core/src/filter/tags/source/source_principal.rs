//! `sourcePrincipal`: the name of the caller.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::modes::Callers;
use crate::language::read;
use crate::language::tree::Tree;

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

    fn read(tree: &Tree, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        let wants = &mut *reading.wants;
        Ok(Self {
            presented: wants.place(&["connection", "uri_san_peer_certificate"]),
            own: wants.place(&["upstream", "uri_san_local_certificate"]),
            verified: (wants.1 == Callers::Verified)
                .then(|| wants.place(&["connection", "peer_certificate_valid"])),
        })
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let is_believed = self.verified.is_none_or(|place| late.read(place) == Some(&[1]));
        Value::Text(match late.read(self.presented) {
            Some(name) => is_believed.then(|| name.into()),
            // The caller of an outbound call is this proxy itself.
            None => late.read(self.own).map(Into::into),
        })
    }
}
