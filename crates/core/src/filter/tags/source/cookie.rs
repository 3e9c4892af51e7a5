//! `cookie`: a cookie of the request.

use super::{Reading, Reads, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::{names, read};
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Cookie(Box<[u8]>);

impl TagSource for Cookie {
    const FIELD: Field = field!("cookie", Pattern(TOKEN, 256), Optional, "A cookie; the first of several.");
    const READS: Reads = Reads::Headers;

    fn read(tree: &PolicyValue, _: &mut Reading<'_>) -> Result<Self, Invalid> {
        Ok(Self(names::cookie(read::text(tree)?)?.into_boxed_bytes()))
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        Value::Text(request.cookie_values(&self.0).next().map(|value| value.to_vec().into()))
    }
}
