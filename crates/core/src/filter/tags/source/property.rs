//! `property`: filter state or an attribute of Envoy.

use super::{Late, Reading, TagSource, Value};
use crate::filter::tags::property;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Property(usize);

impl TagSource for Property {
    const FIELD: Field = field!(
        "property",
        Either(&[Text(1, limits::TEXT_BYTES), List(&Text(1, limits::TEXT_BYTES), 1, property::LONGEST)]),
        Optional,
        "Filter state or an attribute of Envoy that is text: its name, with dots or as a list."
    );
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        Ok(Self(reading.reads.index_of(property::text(tree)?)))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        late.text(&[self.0])
    }

    fn properties(&self) -> &[usize] {
        std::slice::from_ref(&self.0)
    }
}
