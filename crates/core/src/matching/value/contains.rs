//! `contains`: the value holds this text.

use super::{OfPath, Reading, Terms, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::matching::needles::Needle;

#[derive(Clone, Debug)]
pub(crate) struct Contains(Needle);

impl ValueTest for Contains {
    const FIELD: Field =
        field!("contains", Text(1, limits::TEXT_BYTES), Optional, "The value holds this text.");
    const OF_PATH: OfPath = OfPath::Part;
    const IS_ITS_TERMS: bool = true;

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        reading.part(Self::FIELD.name).map(|text| Self(Needle::new(text)))
    }

    fn holds(&self, value: &[u8]) -> bool {
        let wanted: &[u8] = &self.0;
        wanted.is_empty() || value.windows(wanted.len()).any(|window| window == wanted)
    }

    fn terms(&self) -> Terms<'_> {
        Terms::Holds(&self.0)
    }

    fn needle(&mut self) -> Option<&mut Needle> {
        Some(&mut self.0)
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}
