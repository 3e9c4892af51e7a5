//! A fault in a file: what, where, and what to do about it.

use std::ops::Range;

use crate::code::Code;

/// A fault in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of fault.
    pub code: &'static Code,
    /// Whether it is refused, or accepted but probably a mistake.
    pub level: Level,
    /// The bytes of the file.
    pub at: Range<usize>,
    /// The path in the policy or resource, such as `splits[0].name`; may be empty.
    pub place: String,
    /// What is wrong: a lower-case phrase.
    pub message: String,
    /// What to do about it: a lower-case phrase.
    pub help: String,
}

/// The level of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is refused, or has no effect.
    Error,
    /// It is accepted, and probably not what was meant.
    Warning,
}

impl Finding {
    /// An error.
    pub fn error(code: &'static Code, at: &Range<usize>, place: &str, message: &str, help: &str) -> Self {
        Self {
            code,
            level: Level::Error,
            at: at.clone(),
            place: place.to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static Code, at: &Range<usize>, place: &str, message: &str, help: &str) -> Self {
        Self { level: Level::Warning, ..Self::error(code, at, place, message, help) }
    }
}
