//! What is wrong, where, and what to do about it; and what kept us from looking.

use std::fmt;
use std::ops::Range;

use narrows_core::Fault;

use crate::source::Node;

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: &'static str,
    /// Whether it is refused, or only likely to disappoint.
    pub level: Level,
    /// The bytes of the file.
    pub at: Range<usize>,
    /// The place in the policy or manifest, such as `splits[0].name`; may be empty.
    pub place: String,
    /// What is wrong: a lower-case phrase.
    pub message: String,
    /// What to do about it: a lower-case phrase.
    pub help: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is refused, or has no effect.
    Error,
    /// It is accepted, and probably not what was meant.
    Warning,
}

impl Finding {
    /// A fault of a policy, placed in the file that holds it.
    pub fn of_policy(fault: &Fault, policy: &Node) -> Self {
        Self {
            code: fault.code.as_str(),
            level: Level::Error,
            at: policy.locate(fault),
            place: fault.place.to_string(),
            message: fault.message.clone(),
            help: fault.help.clone(),
        }
    }
}

/// Why a command could not run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    help: String,
}

impl Failure {
    /// What kept it from running, and what to do about it.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  = help: {}", self.message, self.help)
    }
}

impl std::error::Error for Failure {}
