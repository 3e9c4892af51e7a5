//! `queryParam`: a query parameter of the request.

use super::{Reading, Reads, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, names, read};
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct QueryParam(Box<[u8]>);

impl TagSource for QueryParam {
    const FIELD: Field = field!(
        "queryParam",
        Text(1, limits::VALUE_BYTES),
        Optional,
        "A query parameter, percent-decoded; the first of several."
    );
    const READS: Reads = Reads::Only(":path");

    fn read(tree: &PolicyValue, _: &mut Reading<'_>) -> Result<Self, Invalid> {
        Ok(Self(names::parameter(read::text(tree)?)?.into_boxed_bytes()))
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        Value::Text(request.query_values(&self.0).next().map(|value| value.to_vec().into()))
    }
}
