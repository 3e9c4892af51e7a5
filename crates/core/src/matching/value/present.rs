//! `present`: the value is there, or it is absent.

use super::{Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::read;

#[derive(Clone, Debug)]
pub(crate) struct Present(bool);

impl ValueTest for Present {
    const FIELD: Field =
        field!("present", Flag, Optional, "The value is there, even if empty (`true`), or it is not.");
    const HAS_CASE: bool = false;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.fields.required(Self::FIELD.name, read::flag).map(Self)
    }

    /// Called for a value that is there.
    fn holds(&self, _value: &[u8]) -> bool {
        self.0
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Present(self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
