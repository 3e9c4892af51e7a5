//! Requests from a file, one after the other: a file may be far larger than memory.

mod anchors;
mod curl;
mod envoy_json;
mod envoy_text;
mod format;
mod har;
mod list;
mod sink;
mod url;

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use narrows_cases::{Fault, Send};

pub use curl::header_lines;
pub use format::Format;
pub use sink::{Stopped, Tally};
pub use url::sent_to;

use super::sent::Sent;
use crate::error::CliError;
use crate::source::{cannot_read, open};
use sink::{Sink, each_line, json};

/// A file of requests.
pub struct Requests {
    path: PathBuf,
    input: Box<dyn BufRead>,
    format: Format,
    /// When requests are sent that do not say it.
    at: Option<u64>,
}

impl Requests {
    /// Opens a file; its first lines tell its format if none is given.
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, CliError> {
        Self::new(path.to_owned(), open(path)?, format)
    }

    fn new(path: PathBuf, mut input: Box<dyn BufRead>, format: Option<Format>) -> Result<Self, CliError> {
        let head = head(&mut input).map_err(|error| cannot_read(&path, &error))?;
        let format = format.unwrap_or_else(|| Format::of(&head));
        Ok(Self { path, input: Box::new(std::io::Cursor::new(head).chain(input)), format, at: None })
    }

    /// The same, but sent at this moment, in seconds since the epoch, unless they say when.
    #[must_use]
    pub fn at(self, at: u64) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Hands over the requests in order.
    ///
    /// # Errors
    /// The first fault of the file, or that of `take`.
    pub fn each(self, take: &mut dyn FnMut(&Sent) -> Result<(), CliError>) -> Result<Tally, Stopped> {
        let of_a_log = matches!(self.format, Format::EnvoyText | Format::EnvoyJson);
        let tally = Tally { of_a_log, ..Tally::default() };
        let mut sink = Sink { take, path: &self.path, at: self.at, tally };
        match self.format {
            Format::Yaml => list::read(self.input, &mut sink)?,
            Format::Jsonl => each_line(self.input, &mut sink, &mut |line, number, sink| {
                // A comment may come first, and then others may too.
                if line.starts_with('#') {
                    return Ok(());
                }
                let send: Send =
                    serde_json::from_str(line).map_err(|e| sink.faulty(line, number, &json(&e)))?;
                send.check().map_err(|message| sink.faulty(line, number, &Fault::at_start(message)))?;
                sink.send(&send)
            })?,
            Format::EnvoyText => each_line(self.input, &mut sink, &mut envoy_text::line)?,
            Format::EnvoyJson => each_line(self.input, &mut sink, &mut envoy_json::line)?,
            Format::Har => har::read(self.input, &mut sink)?,
            Format::Curl => curl::read(self.input, &mut sink)?,
        }
        Ok(sink.tally)
    }
}

/// The lines up to the first that says something, without the mark of the byte order.
fn head(input: &mut dyn BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut is_silent = true;
    while is_silent && head.len() < HEAD {
        let start = head.len();
        if (&mut *input).take(1 << 20).read_until(b'\n', &mut head)? == 0 {
            break;
        }
        if start == 0 && head.starts_with("\u{feff}".as_bytes()) {
            head.drain(.."\u{feff}".len());
        }
        is_silent = head.get(start..).is_none_or(format::is_silent);
    }
    Ok(head)
}

/// Where the first line that says something must be.
const HEAD: usize = 1 << 20;

#[cfg(test)]
mod tests;
