//! What a case expects, and where an observation disagrees.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::observed::{Observed, Reply, Seen};
use crate::escape::{escape, unescape};
use crate::message::Headers;

/// What a case expects; what is not written is not compared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The request reached the upstream, like this.
    pub upstream: Option<Upstream>,
    /// The filter answered in the upstream's place, like this.
    pub reply: Option<Answered>,
    /// The answer that the client got, whoever gave it.
    pub response: Option<Answered>,
    /// Filter state; `null` for none.
    pub state: BTreeMap<String, Option<String>>,
    /// How far counters moved.
    pub counts: BTreeMap<String, i64>,
}

/// The request at the upstream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// The method.
    pub method: Option<String>,
    /// The path with its query.
    pub target: Option<String>,
    /// The authority.
    pub authority: Option<String>,
    /// Headers that are there.
    pub headers: BTreeMap<String, Values>,
    /// Headers that are not.
    pub absent: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answered {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The body.
    pub body: Option<String>,
    /// Headers that are there.
    pub headers: BTreeMap<String, Values>,
    /// Headers that are not.
    pub absent: Vec<String>,
    /// The gRPC status.
    pub grpc_status: Option<u8>,
}

/// The values of a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// All of them, joined with `,`.
    Joined(String),
    /// One for each line.
    Each(Vec<String>),
}

impl Expect {
    /// Everything in which `observed` is not what was expected.
    pub fn disagreements(&self, observed: &Observed) -> Vec<String> {
        let mut wrong = Wrong(Vec::new());
        match (&self.upstream, &observed.upstream) {
            (Some(expected), Some(seen)) => expected.compare(seen, &mut wrong),
            (Some(_), None) => wrong.0.push(format!("the upstream got no request: {:?}", observed.answer)),
            (None, _) => {}
        }
        if let Some(expected) = &self.reply {
            match &observed.upstream {
                Some(seen) => wrong.0.push(format!("the filter did not answer: the upstream got {seen:?}")),
                None => expected.compare("reply", &observed.answer, &mut wrong),
            }
        }
        if let Some(expected) = &self.response {
            expected.compare("response", &observed.answer, &mut wrong);
        }
        for (key, value) in &self.state {
            let found = observed.state.get(key).map(|value| escape(value));
            wrong.unless_equal(&format!("state {key}"), value, &found);
        }
        for (series, count) in &self.counts {
            wrong.unless_equal(
                &format!("count {series}"),
                count,
                &observed.counts.get(series).copied().unwrap_or(0),
            );
        }
        wrong.0
    }

    /// Whether the counters that are expected have moved as far as they should: Envoy counts some
    /// after the client has its answer.
    pub fn counts_agree(&self, counts: &BTreeMap<String, i64>) -> bool {
        self.counts.iter().all(|(series, count)| counts.get(series).copied().unwrap_or(0) == *count)
    }
}

impl Upstream {
    fn compare(&self, seen: &Seen, wrong: &mut Wrong) {
        let fields = [
            ("method", &self.method, &seen.method),
            ("target", &self.target, &seen.target),
            ("authority", &self.authority, &seen.authority),
        ];
        for (name, expected, found) in fields {
            if let Some(expected) = expected {
                wrong.unless_equal(&format!("upstream {name}"), expected, found);
            }
        }
        wrong.headers("upstream", &self.headers, &self.absent, &seen.headers);
    }
}

impl Answered {
    fn compare(&self, who: &str, found: &Reply, wrong: &mut Wrong) {
        if let Some(status) = self.status {
            wrong.unless_equal(&format!("{who} status"), &status, &found.status);
        }
        if let Some(body) = &self.body {
            wrong.unless_equal(&format!("{who} body"), body, &escape(&found.body));
        }
        if let Some(status) = self.grpc_status {
            wrong.unless_equal(&format!("{who} gRPC status"), &Some(status), &found.grpc_status());
        }
        wrong.headers(who, &self.headers, &self.absent, &found.headers);
    }
}

struct Wrong(Vec<String>);

impl Wrong {
    fn unless_equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.0.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    fn headers(&mut self, who: &str, present: &BTreeMap<String, Values>, absent: &[String], found: &Headers) {
        for (name, values) in present {
            let lines = found.all(name);
            let (agrees, expected) = match values {
                Values::Joined(text) => {
                    (!lines.is_empty() && lines.join(&b","[..]) == unescape(text), format!("{text:?}"))
                }
                Values::Each(texts) => {
                    let wanted: Vec<Vec<u8>> = texts.iter().map(|text| unescape(text)).collect();
                    (lines == wanted, format!("{texts:?}"))
                }
            };
            if !agrees {
                let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
                self.0.push(format!("{who} header {name}: expected {expected}, found {lines:?}"));
            }
        }
        for name in absent {
            if let Some(value) = found.first(name) {
                self.0.push(format!("{who} header {name}: expected none, found {:?}", escape(value)));
            }
        }
    }
}
