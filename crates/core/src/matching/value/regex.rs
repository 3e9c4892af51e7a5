//! `regex`: a regular expression matches the whole value.

use super::{Reading, ValueTest};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::{limits, read};
use crate::matching::pattern::Pattern;

/// Boxed: an engine is twenty times as large as the rest.
#[derive(Clone, Debug)]
pub(crate) struct Regex(Box<Pattern>);

impl ValueTest for Regex {
    const FIELD: Field = field!(
        "regex",
        Text(0, limits::REGEX_TEXT),
        Optional,
        "This regular expression (RE2) matches the whole value."
    );

    fn read(reading: &Reading<'_>) -> Result<Self, Invalid> {
        let Reading { fields, ignore_case, budget } = reading;
        fields.required(Self::FIELD.name, |t| budget.regex(read::text(t)?, *ignore_case)).map(Self)
    }

    fn holds(&self, value: &[u8]) -> bool {
        self.0.matches(value)
    }

    /// The expression was compiled so that it ignores case itself.
    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        self.0.matches(value)
    }
}
