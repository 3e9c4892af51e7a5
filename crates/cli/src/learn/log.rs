//! Which module logged a line of a proxy's log.
//!
//! A caller chooses what an access log contains about it, and a container runtime cuts a long line into
//! records. So a caller can choose how a record begins. Only a *whole* line counts, and in it only what
//! Envoy wrote before a module's words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

/// What a Wasm module logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The plugin, as Envoy names it before the module's words: its name, root id and VM id.
    pub(super) plugin: String,
    /// The module's words.
    pub(super) words: String,
}

/// A log, line by line. It is Envoy's own or Istio's, in text or JSON: as it was written, as `kubectl logs`
/// prints it, or as a container runtime keeps it.
#[derive(Default)]
pub(super) struct Log {
    /// For each stream: what its last records hold of a line that has not ended.
    begun: BTreeMap<String, Begun>,
}

impl Log {
    /// The message that ends with this line of the log, if a Wasm module wrote one.
    pub(super) fn message(&mut self, line: &str) -> Option<Message> {
        message(&self.whole(line)?)
    }

    /// The line that a process wrote, if it ends here. Container runtimes write lines in records of at most
    /// 16,384 bytes. Containerd and CRI-O mark all records of a line but the last with `P`; Docker leaves
    /// out the line's end.
    ///
    /// The first line of a stream in such a file is left out. The file before it may have ended within a
    /// line, and then a caller wrote the text that looks like a line's start.
    fn whole<'l>(&mut self, line: &'l str) -> Option<Cow<'l, str>> {
        let Some(record) = Record::of(line) else { return Some(Cow::Borrowed(line)) };
        let before = self.begun.remove(&record.stream).unwrap_or(Begun::First);
        let (now, whole) = match (before, record.ends) {
            (Begun::First, true) => (Begun::Line(String::new()), None),
            (Begun::First, false) => (Begun::First, None),
            (Begun::Line(text), true) => (Begun::Line(String::new()), Some(text + &record.text)),
            // No line of ours is that long, so it may be without its beginning.
            (Begun::Line(text), false) if text.len() > LONG => (Begun::First, None),
            (Begun::Line(text), false) => (Begun::Line(text + &record.text), None),
        };
        self.begun.insert(record.stream, now);
        whole.map(Cow::Owned)
    }
}

/// More bytes than a line of a Wasm module has: Envoy's own limit for what a module logs is far below.
const LONG: usize = 16 << 20;

/// What is known about the line that a stream is in.
enum Begun {
    /// It is the first line of the file.
    First,
    /// The beginning of the line.
    Line(String),
}

/// A record of a container runtime's file.
struct Record {
    stream: String,
    text: String,
    /// Whether the line ends with it.
    ends: bool,
}

impl Record {
    fn of(line: &str) -> Option<Self> {
        Self::of_cri(line).or_else(|| Self::of_docker(line))
    }

    /// `2026-01-02T03:04:05.678901234Z stdout F …`
    fn of_cri(line: &str) -> Option<Self> {
        let (stamp, rest) = line.split_once(' ')?;
        let (stream, rest) = rest.split_once(' ')?;
        if !is_stamp(stamp) || !matches!(stream, "stdout" | "stderr") {
            return None;
        }
        // The tag may be followed by others, separated by colons.
        let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let ends = match tags.split(':').next()? {
            "F" => true,
            "P" => false,
            _ => return None,
        };
        Some(Self { stream: stream.to_owned(), text: text.to_owned(), ends })
    }

    /// `{"log":"…\n","stream":"stdout","time":"…"}`
    fn of_docker(line: &str) -> Option<Self> {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return None };
        let text = fields.get("log")?.as_str()?;
        let stream = fields.get("stream")?.as_str().filter(|s| matches!(*s, "stdout" | "stderr"))?;
        let ended = text.strip_suffix('\n');
        Some(Self {
            stream: format!("docker {stream}"),
            text: ended.unwrap_or(text).to_owned(),
            ends: ended.is_some(),
        })
    }
}

fn is_stamp(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('T') && !word.contains('\t')
}

/// The message of a Wasm module, if the whole line is one.
fn message(line: &str) -> Option<Message> {
    let line = without_stamp(line.trim_start());
    if let Ok(Value::Object(fields)) = serde_json::from_str(line) {
        let field = |name: &str| fields.get(name).and_then(Value::as_str);
        field("scope").filter(|scope| scope.starts_with("envoy wasm"))?;
        return of_module(field("msg")?.strip_prefix("wasm log")?);
    }
    let (head, said) = line.split_once("wasm log")?;
    // `[2026-01-02 03:04:05.678][15][warning][wasm] [source/….cc:1] wasm log`
    let of_envoy = || {
        let mut fields = head.strip_prefix('[')?.splitn(4, "][");
        let (time, thread, _level, rest) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_plain = [time, thread].concat().bytes().all(|b| b.is_ascii_digit() || b"-: .".contains(&b));
        (is_plain && rest.starts_with("wasm] [")).then_some(())
    };
    // `2026-01-02T03:04:05.678901Z⇥warning⇥envoy wasm source/….cc:1⇥wasm log`
    let of_istio = || {
        let mut fields = head.splitn(3, '\t');
        let (time, _level, scope) = (fields.next()?, fields.next()?, fields.next()?);
        (!time.contains(' ') && scope.starts_with("envoy wasm ")).then_some(())
    };
    of_envoy().or_else(of_istio)?;
    of_module(said)
}

/// Reads the text after `wasm log`: ` NAME ROOT VM: WORDS`, where any of the three may be missing.
/// Everything after the first colon is the module's text, and may quote a client.
fn of_module(said: &str) -> Option<Message> {
    let (plugin, words) = said.split_once(": ")?;
    let plugin = plugin.trim_start();
    // A host that names no plugin: the first word is the filter's own.
    if plugin == super::SPEAKER && !words.starts_with(super::SPEAKER) {
        return Some(Message { plugin: String::new(), words: said.trim_start().to_owned() });
    }
    Some(Message { plugin: plugin.to_owned(), words: words.to_owned() })
}

/// A line without the time stamp that `kubectl logs --timestamps` puts before it.
fn without_stamp(line: &str) -> &str {
    let stamped = line.split_once(' ').filter(|(stamp, _)| is_stamp(stamp));
    stamped.map_or(line, |(_, rest)| rest)
}
