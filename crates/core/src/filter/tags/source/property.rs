//! `property`: filter state, an attribute of Envoy, or a value of its metadata.

use std::borrow::Cow;

use super::{Late, Reading, TagSource, Value};
use crate::filter::tags::cardinality_limit::Path;
use crate::filter::tags::property;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::wire::metadata;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct Property {
    index: usize,
    /// The way to a value within metadata, which Envoy hands over whole; empty for other properties.
    within: Path,
}

impl TagSource for Property {
    const FIELD: Field = field!(
        "property",
        Either(&[Text(1, limits::TEXT_BYTES), List(&Text(1, limits::TEXT_BYTES), 1, property::LONGEST)]),
        Optional,
        "Filter state, an attribute of Envoy that is text, or a value of metadata: its name, with dots or as a list."
    );
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        let path = property::text(tree)?;
        let whole = property::metadata(&path).unwrap_or(path.len());
        let (read, within) = path.split_at_checked(whole).unwrap_or_default();
        // What is between the two is the field of the message that the filters' tables are in.
        let within = within.get(1..).unwrap_or_default().into();
        Ok(Self { index: reading.reads.index_of(read.into()), within })
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        if self.within.is_empty() {
            return late.text(&[self.index]);
        }
        let whole = late.read(self.index).unwrap_or_default();
        let names: Vec<&[u8]> = self.within.iter().map(|name| name.as_bytes()).collect();
        let mut values = metadata::values(whole, &names);
        Value::Text(if values.len() > 1 { Some(Cow::Owned(values.join(&b','))) } else { values.pop() })
    }

    fn properties(&self) -> &[usize] {
        std::slice::from_ref(&self.index)
    }
}
