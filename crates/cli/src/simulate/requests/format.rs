//! The formats of files of requests, and how their first line tells them.

use clap::ValueEnum;
use serde_json::{Map, Value};

/// How requests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A list of requests in YAML or JSON, or a case file.
    Yaml,
    /// A request of JSON on each line.
    Jsonl,
    /// Envoy's access log in its default format, or Istio's.
    EnvoyText,
    /// An access log of JSON lines.
    EnvoyJson,
    /// A recording of a browser (HTTP Archive).
    Har,
    /// Command lines of curl.
    Curl,
}

/// Whether nothing was said yet.
pub(super) fn is_silent(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().all(|line| line.trim().is_empty() || line.starts_with('#'))
}

impl Format {
    /// The format of a file that begins like this.
    pub(super) fn of(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let said = head.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let line = said.unwrap_or_default().trim();
        let after_bracket = line.strip_prefix('[').and_then(|rest| rest.chars().next());
        if line.starts_with("curl ") {
            return Self::Curl;
        }
        if after_bracket.is_some_and(|c| c.is_ascii_digit()) && line.contains("] \"") {
            return Self::EnvoyText;
        }
        if line.starts_with('{') && line.replace([' ', '\t'], "").starts_with("{\"log\":") {
            return Self::Har;
        }
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(object) if object.contains_key("cases") || object.contains_key("refused") => Self::Yaml,
            Ok(object) if object.contains_key("target") || !is_logged(&object) => Self::Jsonl,
            Ok(_) => Self::EnvoyJson,
            // The first brace of a recording that is written over many lines.
            Err(_) if line == "{" => Self::Har,
            Err(_) => Self::Yaml,
        }
    }
}

/// Whether these are the facts of a request that was answered.
fn is_logged(object: &Map<String, Value>) -> bool {
    ["response_code", "response_flags", "start_time", "bytes_sent", "path", ":path"]
        .iter()
        .any(|name| object.contains_key(*name))
}
