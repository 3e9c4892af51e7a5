//! What every format hands its requests to, and how it tells its faults.

use std::io::{BufRead, Read as _};
use std::path::Path;

use narrows_cases::{Fault, Send, in_words};

use crate::code;
use crate::error::CliError;
use crate::finding::{Finding, Level};
use crate::simulate::sent::{Sent, nth};
use crate::source::{SourceFile, WHOLE, cannot_read};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The requests.
    pub requests: u64,
    /// Lines of a log that are no requests, and the number of the first of them.
    pub skipped: u64,
    /// See there.
    pub first_skipped: u64,
    /// Entries of a recording that are for no server of HTTP.
    pub foreign: u64,
    /// Whether it was a log: it does not have every header.
    pub of_a_log: bool,
    /// Headers that the policy reads and that no request has.
    pub missing: Vec<String>,
}

/// Why reading ended early.
#[derive(Debug)]
pub enum Stopped {
    /// The file, or whoever takes the requests, failed.
    Failed(CliError),
    /// There is a fault in the file.
    Faulty(Box<(SourceFile, Finding)>),
}

impl From<CliError> for Stopped {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

/// Takes requests as they are read.
pub(super) struct Sink<'t> {
    pub(super) take: &'t mut dyn FnMut(&Sent) -> Result<(), CliError>,
    pub(super) path: &'t Path,
    /// When requests are sent that do not say it.
    pub(super) at: Option<u64>,
    pub(super) tally: Tally,
}

impl Sink<'_> {
    pub(super) fn send(&mut self, send: &Send) -> Result<(), Stopped> {
        match send.repeat {
            None => self.one(send.clone()),
            Some(times) => (1..=times).try_for_each(|n| self.one(nth(send, n))),
        }
    }

    fn one(&mut self, send: Send) -> Result<(), Stopped> {
        let sent = Sent::new(Send { at: send.at.or(self.at), ..send }, self.tally.requests);
        self.tally.requests += 1;
        Ok((self.take)(&sent)?)
    }

    pub(super) fn skip(&mut self, number: u64) {
        self.tally.skipped += 1;
        if self.tally.skipped == 1 {
            self.tally.first_skipped = number;
        }
    }

    /// A fault in a part of the file that begins on line `number`.
    pub(super) fn faulty(&self, part: &str, number: u64, fault: &Fault) -> Stopped {
        let lines_before = usize::try_from(number - 1).unwrap_or_default();
        // Empty lines stand for what came before and is not kept.
        let text = "\n".repeat(lines_before) + part;
        let source = SourceFile { path: self.path.display().to_string(), text };
        let lines = source.lines();
        let line = lines.start_of(lines_before + fault.line);
        let rest = source.text.get(line..).unwrap_or_default();
        let at = line + rest.chars().take(fault.column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
        let finding = Finding {
            code: code::BAD_REQUESTS,
            level: Level::Error,
            at: at..at + 1,
            place: String::new(),
            message: fault.message.clone(),
            help: fault.help.clone().unwrap_or_else(|| HELP.to_owned()),
        };
        Stopped::Faulty(Box::new((source, finding)))
    }

    pub(super) fn unreadable(&self, error: &std::io::Error) -> Stopped {
        Stopped::Failed(cannot_read(self.path, error))
    }
}

const HELP: &str = "write a request as { method, scheme, target, authority, headers, source, … }; \
                    narrows explain NRW612 has all fields";

/// A fault of JSON, with its place.
pub(super) fn json(error: &serde_json::Error) -> Fault {
    let told = error.to_string();
    let message = told.split(" at line ").next().unwrap_or_default();
    Fault::at(error.line().max(1), error.column().max(1), &in_words(message))
}

/// What a reader of lines does with one of them.
pub(super) type OfLine<'l> = &'l mut dyn FnMut(&str, u64, &mut Sink<'_>) -> Result<(), Stopped>;

/// Calls `read` with each line that is not empty, and its number from 1. A line of a log that is not UTF-8
/// is passed over: clients choose the bytes there.
pub(super) fn each_line(
    mut input: Box<dyn BufRead>,
    sink: &mut Sink<'_>,
    read: OfLine<'_>,
) -> Result<(), Stopped> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let count =
            input.by_ref().take(WHOLE).read_until(b'\n', &mut line).map_err(|e| sink.unreadable(&e))?;
        if count == 0 {
            return Ok(());
        }
        number += 1;
        let refuse = |message: String| sink.faulty("", number, &Fault::at_start(message));
        if u64::try_from(count) == Ok(WHOLE) && !line.ends_with(b"\n") {
            return Err(refuse(format!(
                "a line of more than {} MiB: a request is not decided in part",
                WHOLE >> 20
            )));
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            if !sink.tally.of_a_log {
                return Err(refuse("a line that is not UTF-8; write other bytes as \\xNN".to_owned()));
            }
            sink.skip(number);
            continue;
        };
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() {
            read(text, number, sink)?;
        }
    }
}
