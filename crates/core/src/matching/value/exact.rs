//! `exact`: the value is this text.

use super::{OfPath, Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;

#[derive(Clone, Debug)]
pub(crate) struct Exact(pub(crate) Box<[u8]>);

impl ValueTest for Exact {
    const FIELD: Field = field!("exact", Text(0, limits::TEXT_BYTES), Optional, "The value is this text.");
    const OF_PATH: OfPath = OfPath::Whole;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.fields.required(Self::FIELD.name, |t| reading.text(t)).map(Self)
    }

    fn holds(&self, value: &[u8]) -> bool {
        value == &*self.0
    }

    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        value.eq_ignore_ascii_case(&self.0)
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Is(&self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
