//! `suffix`: the value ends with this text.

use super::{OfPath, Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;

#[derive(Clone, Debug)]
pub(crate) struct Suffix(pub(crate) Box<[u8]>);

impl ValueTest for Suffix {
    const FIELD: Field =
        field!("suffix", Text(1, limits::TEXT_BYTES), Optional, "The value ends with this text.");
    const OF_PATH: OfPath = OfPath::Part;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.part(Self::FIELD.name).map(Self)
    }

    fn holds(&self, value: &[u8]) -> bool {
        value.ends_with(&self.0)
    }

    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        let end = value.len().checked_sub(self.0.len()).and_then(|at| value.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(&self.0))
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Ends(&self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
