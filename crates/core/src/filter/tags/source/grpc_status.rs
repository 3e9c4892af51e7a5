//! `grpcStatus`: the status of a gRPC call.

use super::{Late, Reading, Reads, TagSource, Value, Values};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct GrpcStatus(usize);

impl TagSource for GrpcStatus {
    const FIELD: Field = field!("grpcStatus", True, Optional, "The status of a gRPC call, `0` to `16`.");
    const VALUES: Values = Values::OfSource;
    const MISSING: &str = "none";
    // Whether it is a gRPC call.
    const READS: Reads = Reads::Headers;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        (0..=16).for_each(|status| _ = reading.declare(&status.to_string()));
        Ok(Self(reading.reads.index(&["response", "grpc_status"])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let status = late.number(self.0).filter(|_| late.is_grpc);
        Value::Text(status.map(|status| status.to_string().into_bytes().into()))
    }
}
