//! `hostMap`: a value for each host.

use super::{Reading, Reads, TagSource, Value, Values};
use crate::filter::tags::bound;
use crate::filter::tags::hosts::HostMap;
use crate::filter::tags::registry::OTHER;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct HostNames(HostMap);

impl TagSource for HostNames {
    const FIELD: Field = field!(
        "hostMap",
        Map("", &Text(1, bound::LONGEST), limits::HOST_MAP),
        Optional,
        "Values by host: a whole one, its beginning with `*` behind it, or one with `*` inside a label or `*.` before a domain."
    );
    const VALUES: Values = Values::OfSource;
    const READS: Reads = Reads::Only(":authority");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        reading.host_map(tree).map(Self)
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        let host = request.host();
        // A missing host counts as `other`.
        let found = if host.is_missing() { None } else { self.0.find(host.name()) };
        Value::Known(found.unwrap_or(OTHER))
    }
}
