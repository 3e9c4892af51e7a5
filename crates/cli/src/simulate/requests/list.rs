//! Requests as a list of YAML or JSON, and the requests of a case file.
//!
//! A list of `- …` at the beginning of lines is read one request after the other: such a line can be
//! nothing else, because whatever belongs to a request is indented. Anything else is read as a whole.
//! An anchor of one request is not known in the next one then.

use std::io::{BufRead, Read as _};

use narrows_cases::{Fault, Send, Written, yaml};

use super::anchors;
use super::sink::{Sink, Stopped};
use crate::source::WHOLE;

pub(super) fn read(mut input: Box<dyn BufRead>, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    let mut part = Part::default();
    let mut line = String::new();
    let mut number = 0;
    loop {
        line.clear();
        let count = input.by_ref().take(WHOLE).read_line(&mut line).map_err(|e| sink.unreadable(&e))?;
        number += 1;
        let begins_document = line.trim_end() == "---" || line.starts_with("--- ");
        let begins_request = line.trim_end() == "-" || line.starts_with("- ");
        let is_next = begins_request && part.is_request;
        if is_next && let Some(fault) = anchors::without_use(&part.text) {
            return Err(sink.faulty(&part.text, part.begins.max(1), &fault));
        }
        if count == 0 || begins_document || is_next {
            part.finish(sink)?;
            let is_later = is_next || (part.is_later && !begins_document);
            part = Part { begins: number, is_request: begins_request, is_later, ..Part::default() };
        }
        if count == 0 {
            return Ok(());
        }
        if !part.says_something && begins_request {
            part.is_request = true;
        }
        part.add(&line, begins_document, sink)?;
    }
}

/// One request, or a document that is read as a whole.
#[derive(Default)]
struct Part {
    text: String,
    /// The number of its first line; of the first part, 0.
    begins: u64,
    is_request: bool,
    /// Whether it is a request behind another one.
    is_later: bool,
    says_something: bool,
}

impl Part {
    fn add(&mut self, line: &str, is_marker: bool, sink: &Sink<'_>) -> Result<(), Stopped> {
        let is_silent = line.trim().is_empty() || line.starts_with('#') || is_marker;
        self.says_something |= !is_silent;
        let length = self.text.len().saturating_add(line.len());
        if u64::try_from(length).is_ok_and(|length| length < WHOLE) {
            self.text.push_str(line);
            return Ok(());
        }
        let message = format!(
            "more than {} MiB that are read as a whole: begin each request with \"- \" at the beginning of a line, \
             or write one of JSON on each line",
            WHOLE >> 20
        );
        Err(sink.faulty("", self.begins.max(1), &Fault::at_start(message)))
    }

    fn finish(&self, sink: &mut Sink<'_>) -> Result<(), Stopped> {
        if !self.says_something {
            return Ok(());
        }
        let faulty = |sink: &Sink<'_>, fault: &Fault| sink.faulty(&self.text, self.begins.max(1), fault);
        if Written::is_in(&self.text) {
            let file = Written::parse(&self.text)
                .map_err(|fault| faulty(sink, &large(fault, "split the case file")))?;
            return file.cases.iter().try_for_each(|case| sink.send(&sent_by_a_runner(&case.send)));
        }
        let sent = yaml::<Vec<Send>>(&self.text).map_err(|fault| {
            let fault = if self.is_later { anchors::told(fault) } else { fault };
            faulty(sink, &large(fault, LARGE))
        })?;
        sent.iter().try_for_each(|send| {
            // A list in brackets has no better place.
            send.check().map_err(|message| faulty(sink, &Fault::at_start(message)))?;
            sink.send(send)
        })
    }
}

/// What is read as a whole has a limit, and these are ways around it.
const LARGE: &str = "write one request of JSON on each line, or each with \"- \" at the beginning of a line: such \
                     files have any size";

fn large(fault: Fault, help: &str) -> Fault {
    let is_large = fault.message.starts_with("it has more than the ");
    if is_large { Fault { help: Some(help.to_owned()), ..fault } } else { fault }
}

/// A case without a sender comes from this machine, as in the runners of case files.
fn sent_by_a_runner(send: &Send) -> Send {
    let mut send = send.clone();
    send.source.address.get_or_insert_with(|| "127.0.0.1:50000".to_owned());
    send
}
