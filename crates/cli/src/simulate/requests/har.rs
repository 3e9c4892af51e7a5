//! A recording of a browser (HTTP Archive 1.2): `log.entries[].request`. Answers are passed over as they
//! are read.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};

use narrows_cases::bytes::escape;
use narrows_cases::{Protocol, Send};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::sink::{Sink, Stopped, json};
use super::url::{is_foreign, sent_to};
use crate::error::CliError;
use crate::source::WHOLE;

#[derive(Deserialize)]
struct Entry {
    request: Recorded,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    method: String,
    url: String,
    #[serde(default)]
    http_version: String,
    #[serde(default)]
    headers: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

pub(super) fn read(input: Box<dyn BufRead>, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    let mut stopped = None;
    let unbroken = Cell::new(0);
    let mut archive = serde_json::Deserializer::from_reader(Bounded { input, unbroken: &unbroken });
    let at = At { path: &["log", "entries"], sink, stopped: &mut stopped, unbroken: &unbroken };
    let read = at.deserialize(&mut archive);
    match (stopped, read.and_then(|()| archive.end())) {
        (Some(stopped), _) => Err(stopped),
        (None, Ok(())) => Ok(()),
        (None, Err(_)) if unbroken.get() > WHOLE => Err(Stopped::Failed(CliError::new(
            format!("an entry of {:?} has more than {} MiB", sink.path.display().to_string(), WHOLE >> 20),
            "record it without the contents of answers",
        ))),
        (None, Err(error)) if error.is_io() => Err(sink.unreadable(&error.into())),
        // The text is not kept: the line has to do.
        (None, Err(error)) => {
            let fault = json(&error);
            Err(sink.faulty(
                "",
                u64::try_from(fault.line).unwrap_or(1),
                &narrows_cases::Fault { line: 1, ..fault },
            ))
        }
    }
}

fn request(recorded: Recorded) -> Result<Send, String> {
    let mut send = Send { method: recorded.method, ..sent_to(&recorded.url)? };
    if !recorded.http_version.to_ascii_lowercase().starts_with("http/1") && !recorded.http_version.is_empty()
    {
        send.protocol = Protocol::Http2;
    }
    for Pair { name, value } in recorded.headers {
        // The URL has these already.
        if !name.starts_with(':') && !name.eq_ignore_ascii_case("host") {
            send.headers.push(format!("{name}: {}", escape(value.as_bytes())));
        }
    }
    send.check().map(|()| send)
}

/// An input that ends where one entry is larger than what is read as a whole.
struct Bounded<'c> {
    input: Box<dyn BufRead>,
    /// The bytes since an entry ended.
    unbroken: &'c Cell<u64>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.unbroken.set(self.unbroken.get().saturating_add(u64::try_from(count).unwrap_or(u64::MAX)));
        if self.unbroken.get() > WHOLE { Err(io::Error::other("too large")) } else { Ok(count) }
    }
}

/// The value at a path of names; everything else is passed over.
struct At<'a, 't> {
    path: &'a [&'a str],
    sink: &'a mut Sink<'t>,
    stopped: &'a mut Option<Stopped>,
    /// See [`Bounded`].
    unbroken: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            deserializer.deserialize_seq(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recording: {\"log\": {\"entries\": […]}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, inner)) = self.path.split_first() else {
            return Err(A::Error::custom("a list of entries is expected"));
        };
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted && !found {
                found = true;
                let (sink, stopped) = (&mut *self.sink, &mut *self.stopped);
                map.next_value_seed(At { path: inner, sink, stopped, unbroken: self.unbroken })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom(format!("there is no {wanted:?}"))) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number: u64 = 0;
        while let Some(entry) = list.next_element::<Entry>()? {
            self.unbroken.set(0);
            number += 1;
            if is_foreign(&entry.request.url) {
                self.sink.tally.foreign += 1;
                continue;
            }
            let send = request(entry.request)
                .map_err(|message| A::Error::custom(format!("entry {number}: {message}")))?;
            if let Err(stopped) = self.sink.send(&send) {
                *self.stopped = Some(stopped);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
