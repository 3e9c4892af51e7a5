//! `fixed`: the same for every request.

use super::{Reading, TagSource, Value, Values};
use crate::filter::tags::bound;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Fixed(u32);

impl TagSource for Fixed {
    const FIELD: Field = field!("fixed", Text(1, bound::LONGEST), Optional, "The same for every request.");
    const VALUES: Values = Values::OfSource;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        Ok(Self(reading.declare(&bound::value(read::text(tree)?)?)))
    }

    fn of_request<'v>(&'v self, _: &'v Request<'_>) -> Value<'v> {
        Value::Known(self.0)
    }
}
