//! Requests and what a policy decides on each: the same function that Envoy runs.

mod requests;
mod shares;
mod tell;

use narrows_core::{Decision, Edit};
use serde_json::{Value, json};

pub use requests::{Sent, read as requests};
pub use shares::{Share, of as shares};
pub use tell::{Tell, Told};

/// What was decided on one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What decided, and why.
    pub told: Told,
    /// What is done to the request, in order, for people.
    pub request: Vec<String>,
    /// What is done to the response.
    pub response: Vec<String>,
    /// The status that is answered in place of the upstream's.
    pub reply: Option<u16>,
}

impl Outcome {
    /// A decision, told.
    pub fn new(told: Told, decision: &Decision<'_>) -> Self {
        let strips = decision.strip.iter().map(|name| format!("strip {}", printable(name)));
        Self {
            told,
            request: strips.chain(decision.request.iter().map(edit)).collect(),
            response: decision.response.iter().map(edit).collect(),
            reply: decision.reply.as_ref().map(|reply| reply.status),
        }
    }

    /// One line: what decided, then what is done.
    pub fn line(&self) -> String {
        let facts = self.told.facts.iter().map(|(name, value)| format!("{name}={value}"));
        let mut line = facts.collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            line.push('-');
        }
        let reply = self.reply.map(|status| format!("reply {status}"));
        let response = self.response.iter().map(|edit| format!("response: {edit}"));
        for done in reply.into_iter().chain(self.request.iter().cloned()).chain(response) {
            line.push_str("; ");
            line.push_str(&done);
        }
        line
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let facts = self.told.facts.iter().map(|(name, value)| (name.clone(), json!(value)));
        json!({
            "decided": Value::Object(facts.collect()),
            "request": self.request,
            "response": self.response,
            "reply": self.reply,
        })
    }
}

fn edit(edit: &Edit<'_>) -> String {
    match edit {
        Edit::Remove(name) => format!("remove {name}"),
        Edit::Set(name, value) => format!("set {name}: {}", printable(value)),
        Edit::Add(name, value) => format!("add {name}: {}", printable(value)),
    }
}

/// Bytes as text on one line; what cannot be shown is escaped as it is written.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text
}
