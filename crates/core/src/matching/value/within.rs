//! `in`: the value is one of these texts.

use super::{OfPath, Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::{Code, Invalid};
use crate::language::{limits, read};
use crate::matching::texts::Texts;

#[derive(Clone, Debug)]
pub(crate) struct In(pub(crate) Texts);

impl ValueTest for In {
    const FIELD: Field = field!(
        "in",
        List(&Text(0, limits::TEXT_BYTES), 1, limits::VALUES),
        Optional,
        "The value is one of these texts."
    );
    const OF_PATH: OfPath = OfPath::Wholes;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        let name = Self::FIELD.name;
        let values = reading.fields.required(name, |t| read::list(t, limits::VALUES, |v| reading.text(v)))?;
        if values.is_empty() {
            return Err(
                Invalid::new(Code::BadValue, "an empty list matches nothing", "add a value").in_field(name)
            );
        }
        Ok(Self(values.into_iter().collect()))
    }

    fn holds(&self, value: &[u8]) -> bool {
        self.0.contains(value)
    }

    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        self.0.contains_in_lower_case(value)
    }

    fn terms(&self) -> Terms<'_> {
        Terms::In(&self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
