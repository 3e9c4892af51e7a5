//! `header`: a header of the request.

use super::{Reading, Reads, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::{names, read};
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Header(Box<[u8]>);

impl TagSource for Header {
    const FIELD: Field = field!("header", Pattern(TOKEN, 256), Optional, "A header of the request.");
    const READS: Reads = Reads::Headers;

    fn read(tree: &PolicyValue, _: &mut Reading<'_>) -> Result<Self, Invalid> {
        Ok(Self(names::header(read::text(tree)?)?.into_boxed_bytes()))
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        Value::Text(request.header(&self.0).value().map(|value| value.to_vec().into()))
    }
}
