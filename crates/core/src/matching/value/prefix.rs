//! `prefix`: the value starts with this text.

use super::{OfPath, Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;

#[derive(Clone, Debug)]
pub(crate) struct Prefix(pub(crate) Box<[u8]>);

impl ValueTest for Prefix {
    const FIELD: Field =
        field!("prefix", Text(1, limits::TEXT_BYTES), Optional, "The value starts with this text.");
    const OF_PATH: OfPath = OfPath::Whole;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.part(Self::FIELD.name).map(Self)
    }

    fn holds(&self, value: &[u8]) -> bool {
        value.starts_with(&self.0)
    }

    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        value.get(..self.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.0))
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Starts(&self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
