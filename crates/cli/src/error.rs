//! Why a command could not run at all.

use std::fmt;

use crate::escape;

/// Why a command could not run, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError(Why);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Told {
        message: String,
        help: String,
    },
    /// The report of a file that the command needs.
    Reported(String),
}

impl CliError {
    /// Both are lower-case phrases.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self(Why::Told { message: message.into(), help: help.into() })
    }

    /// A file that the command needs has faults: this is their report.
    pub fn reported(report: &str) -> Self {
        Self(Why::Reported(report.trim_end().to_owned()))
    }
}

impl CliError {
    /// Whether it is the report of a file with faults.
    pub fn is_report(&self) -> bool {
        matches!(self.0, Why::Reported(_))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // A name of a file or of an option may hold anything.
            Why::Told { message, help } => {
                write!(f, "error: {}\n  = help: {}", escape::line(message), escape::line(help))
            }
            Why::Reported(report) => f.write_str(report),
        }
    }
}

impl std::error::Error for CliError {}
