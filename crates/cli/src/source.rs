//! Files of YAML or JSON, read so that every value knows its place.
//!
//! Only this module and `node` use the YAML library. It is young, and could be replaced without changes
//! elsewhere.

mod inner;
mod json;
mod locate;
mod node;
mod open;
mod spelling;

use std::ops::Range;
use std::path::Path;

use narrows_cases::Words;
use narrows_core::Code;

use crate::code::policy;
use crate::error::CliError;
use crate::finding::Finding;
pub use node::{Key, Node, Value};
pub use open::{WHOLE, cannot_read, open, whole};

/// A file as it was given.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The file's name, for reports.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl SourceFile {
    /// Reads a file; `-` is the standard input.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let (source, broken) = Self::read_lossy(path)?;
        let Some(broken) = broken else { return Ok(source) };
        let (line, column) = source.position(broken.at.start);
        let message =
            format!("cannot read {:?}: {} at line {line}, column {column}", source.path, broken.message);
        Err(CliError::new(message, broken.help))
    }

    /// The same, for a command that reports on many files: a file that is not UTF-8 is read as far as it
    /// is, with the fault.
    pub fn read_lossy(path: &Path) -> Result<(Self, Option<Finding>), CliError> {
        let name = path.display().to_string();
        Ok(match String::from_utf8(whole(path, WHOLE)?) {
            Ok(text) => (Self { text, path: name }, None),
            Err(broken) => {
                let at = broken.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(broken.as_bytes()).into_owned();
                let finding = unreadable(&(at..at + 1), "it is not UTF-8", "write it as UTF-8");
                (Self { text, path: name }, Some(finding))
            }
        })
    }

    /// Whether the name of the file says that it is JSON.
    pub fn is_json(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
    }

    /// The documents of the file, empty ones left out.
    pub fn documents(&self) -> Result<Vec<Node>, Finding> {
        if self.is_json() {
            let help = "fix the syntax there; a file of YAML has another name";
            return json::document(&self.text).map_err(|(at, Words { what, .. })| {
                unreadable(&at, &format!("this is not JSON: {what}"), help)
            });
        }
        node::documents(&self.text).map_err(|(at, Words { what, help })| {
            let help = if help.is_empty() { "fix the syntax there" } else { &help };
            unreadable(&at, &format!("this is neither YAML nor JSON: {what}"), help)
        })
    }

    /// Line and column of an offset, both from 1; columns count characters. For many offsets, use
    /// [`SourceFile::lines`].
    pub fn position(&self, offset: usize) -> (usize, usize) {
        self.lines().position(offset)
    }

    /// The lines of the file, with their places.
    pub fn lines(&self) -> Lines<'_> {
        let ends = self.text.match_indices('\n').map(|(newline, _)| newline + 1);
        Lines { text: &self.text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The YAML inside a string of this file, with its places in this file; nothing if it is none.
    pub fn embedded(&self, node: &Node) -> Vec<Node> {
        inner::documents(&self.text, node)
    }

    /// The JSON inside a string of this file, with its places in this file.
    pub fn inner(&self, node: &Node) -> Result<Node, Finding> {
        inner::read(&self.text, node)
    }
}

/// The finding for a text that has no documents.
fn unreadable(at: &Range<usize>, message: &str, help: &str) -> Finding {
    Finding::error(policy::of(Code::NotJson), at, "", message, help)
}

/// The lines of a text and their places, found once for any number of offsets.
pub struct Lines<'a> {
    text: &'a str,
    /// The offset at which each line begins; ascending.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Line and column of an offset, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let (number, line) = self.line_at(offset);
        let at = self.text.floor_char_boundary(offset).max(line.start);
        (number, self.text[line.start..at].chars().count() + 1)
    }

    /// The line that an offset is on: its number from 1, and its bytes without its end.
    pub fn line_at(&self, offset: usize) -> (usize, Range<usize>) {
        let offset = self.text.floor_char_boundary(offset);
        let number = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[number - 1];
        let end = self.starts.get(number).map_or(self.text.len(), |next| next - 1);
        (number, start..end)
    }

    /// Where a line begins; its number is from 1.
    pub fn start_of(&self, number: usize) -> usize {
        self.starts.get(number.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// The text of a line.
    pub fn text(&self, line: &Range<usize>) -> &'a str {
        &self.text[line.clone()]
    }
}

/// The line that an offset is on, without its end.
pub fn line_of(text: &str, offset: usize) -> Range<usize> {
    let offset = text.floor_char_boundary(offset);
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
    start..end
}

#[cfg(test)]
mod tests;
