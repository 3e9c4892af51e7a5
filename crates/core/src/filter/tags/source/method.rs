//! `method`: the method of the request.

use super::{Reading, Reads, TagSource, Value, Values};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::request::Request;
use crate::wire::methods::METHODS;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Method;

impl TagSource for Method {
    const FIELD: Field = field!("method", True, Optional, "The method, if it is one of ten, else `other`.");
    const VALUES: Values = Values::WellKnown;
    const READS: Reads = Reads::Only(":method");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        METHODS.iter().for_each(|method| _ = reading.declare(method));
        Ok(Self)
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        Value::Text(Some(request.method().into()))
    }
}
