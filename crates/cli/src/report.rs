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

/// What the text is shown on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// Whether it has colours.
    pub colour: bool,
    /// Its columns, if it has an end.
    pub width: Option<usize>,
}

/// Writes the findings of all files.
pub fn report(format: Format, checked: &[Checked], screen: Screen) -> String {
    match format {
        Format::Text => text::report(checked, screen),
        Format::Json => json::report(checked),
        Format::Github => github::report(checked),
        Format::Sarif => sarif::report(checked, None),
    }
}

/// Writes the findings of all files as SARIF that links to the pages of the codes; `docs` is the address of
/// the site of the documents, as far as it is known.
pub fn sarif(checked: &[Checked], docs: Option<&str>) -> String {
    sarif::report(checked, docs)
}

/// Writes an annotation of a GitHub workflow.
pub fn github_error(path: &str, line: usize, title: &str, message: &str) -> String {
    github::error(path, line, title, message)
}

/// Writes what each policy takes in every worker, by part.
pub fn costs(checked: &[Checked]) -> String {
    cost::report(checked)
}

/// Writes the faults of one file that a command needed.
pub fn refusal(format: Format, checked: Checked) -> String {
    match format {
        Format::Text => text::findings(&[checked], Screen::default()),
        other => report(other, &[checked], Screen::default()),
    }
}
