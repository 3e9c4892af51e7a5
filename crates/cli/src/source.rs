//! Files of YAML or JSON, read so that every value knows where it stands.
//!
//! The YAML library is named only here and in [`node`]: it is young, and could be
//! exchanged without anyone else noticing.

mod inner;
mod locate;
mod node;

use std::ops::Range;
use std::path::Path;

use narrows_core::Code;

use crate::finding::{Failure, Finding, Level};
pub use node::{Key, Node, Value};

/// A file as it was given.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name, for reports.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl Source {
    /// Reads a file; `-` is the standard input.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let text = if name == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(path)
        };
        let failed = |e| Failure::new(format!("cannot read {name:?}: {e}"), "name a file of UTF-8 text");
        Ok(Self { text: text.map_err(failed)?, path: name })
    }

    /// The documents of the file, empty ones left out.
    pub fn documents(&self) -> Result<Vec<Node>, Finding> {
        node::documents(&self.text).map_err(|(at, message)| Finding {
            code: Code::NotJson.as_str(),
            level: Level::Error,
            at,
            place: String::new(),
            message: format!("this is neither YAML nor JSON: {message}"),
            help: "mend the text there".to_owned(),
        })
    }

    /// Line and column of an offset, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// The JSON inside a string of this file, with places in this file.
    pub fn inner(&self, node: &Node) -> Result<Node, Finding> {
        inner::read(&self.text, node)
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
