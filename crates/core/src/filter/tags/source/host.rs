//! `host`: the host that the request names.

use super::{Reading, Reads, TagSource, Value};
use crate::filter::tags::registry::OTHER;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Host;

impl TagSource for Host {
    const FIELD: Field = field!("host", True, Optional, "The host, in lower case and without a port.");
    const READS: Reads = Reads::Only(":authority");

    fn read(tree: &PolicyValue, _: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self)
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        let host = request.host();
        // A missing host counts as `other`.
        if host.is_missing() { Value::Known(OTHER) } else { Value::Text(Some(host.name().into())) }
    }
}
