//! Findings, for people and for machines.

mod cost;
mod github;
mod json;
mod sarif;
mod text;

use clap::ValueEnum;

use crate::lint::Checked;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the line itself, the fault, the remedy.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Writes the findings of all files.
pub fn report(format: Format, checked: &[Checked], colour: bool) -> String {
    match format {
        Format::Text => text::report(checked, colour),
        Format::Json => json::report(checked),
        Format::Github => github::report(checked),
        Format::Sarif => sarif::report(checked),
    }
}

/// Writes what each policy takes in every worker, by part.
pub fn costs(checked: &[Checked]) -> String {
    cost::report(checked)
}

/// Writes the faults of one file that a command needed.
pub fn refusal(format: Format, checked: Checked) -> String {
    match format {
        Format::Text => text::findings(&[checked], false),
        other => report(other, &[checked], false),
    }
}
