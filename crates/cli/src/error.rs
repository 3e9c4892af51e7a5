//! Why a command could not run at all.

use std::fmt;

use crate::escape;

/// Why a command could not run, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    message: String,
    help: String,
}

impl CliError {
    /// Both are lower-case phrases.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name of a file or of an option may hold anything.
        write!(f, "error: {}\n  = help: {}", escape::line(&self.message), escape::line(&self.help))
    }
}

impl std::error::Error for CliError {}
