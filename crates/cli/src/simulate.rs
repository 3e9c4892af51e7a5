//! Requests, and the decision of a policy on each. It is the same function that Envoy runs.

mod explanation;
mod requests;
mod sent;
mod shares;

use std::borrow::Cow;

use narrows_core::{Decision, Edit, Reply};
use serde_json::{Map, Value, json};

pub use crate::escape::printable;
pub use explanation::Explanation;
pub use requests::{Format, Requests, Stopped, Tally, header_lines, sent_to};
pub use sent::{Sent, headers_of};
pub use shares::{Share, Shares};

/// The decision on one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What decided, and why.
    pub explanation: Explanation,
    /// The changes to the request, in order, for people.
    pub request: Vec<String>,
    /// The changes to the response.
    pub response: Vec<String>,
    /// The answer in place of the upstream's answer.
    pub reply: Option<Replied>,
    /// The filter state that is left for others to read.
    pub state: Vec<(String, String)>,
}

/// An answer of the filter itself.
#[derive(Clone, Debug)]
pub struct Replied {
    /// The status.
    pub status: u16,
    /// The gRPC status of an answer to gRPC, if the policy names one.
    pub grpc_status: Option<u8>,
    /// The header lines.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Outcome {
    /// A decision with its explanation.
    pub fn new(explanation: Explanation, decision: &Decision<'_>) -> Self {
        let strips = decision.stripped.iter().map(|name| format!("strip {}", printable(name)));
        Self {
            explanation,
            request: strips.chain(decision.request.iter().map(edit)).collect(),
            response: decision.response.iter().map(edit).collect(),
            reply: decision.reply.as_ref().map(Replied::of),
            state: decision.state.iter().map(|(key, value)| ((*key).to_owned(), printable(value))).collect(),
        }
    }

    /// One line: what decided, then what it does.
    pub fn line(&self) -> String {
        let details = self.explanation.details.iter().map(|(name, value)| format!("{name}={value}"));
        let mut line = details.collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            line.push('-');
        }
        let reply = self.reply.as_ref().map(|reply| format!("reply {}", reply.status));
        let response = self.response.iter().map(|edit| format!("response: {edit}"));
        for done in reply.into_iter().chain(self.request.iter().cloned()).chain(response) {
            line.push_str("; ");
            line.push_str(&done);
        }
        line
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let details = self.explanation.details.iter().map(|(name, value)| (name.clone(), json!(value)));
        json!({
            "decided": Value::Object(details.collect()),
            "request": self.request,
            "response": self.response,
            "reply": self.reply.as_ref().map(|reply| json!({
                "status": reply.status,
                "grpcStatus": reply.grpc_status,
                "headers": reply.headers,
                "body": reply.body,
            })),
            "state": self.state.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>(),
        })
    }
}

impl Replied {
    fn of(reply: &Reply<'_>) -> Self {
        let line = |(name, value): &(Cow<'_, str>, Cow<'_, [u8]>)| format!("{name}: {}", printable(value));
        Self {
            status: reply.status,
            grpc_status: reply.grpc_status,
            headers: reply.headers.iter().map(line).collect(),
            body: printable(&reply.body),
        }
    }
}

fn edit(edit: &Edit<'_>) -> String {
    match edit {
        Edit::Remove(name) => format!("remove {name}"),
        Edit::Set(name, value) => format!("set {name}: {}", printable(value)),
        Edit::Add(name, value) => format!("add {name}: {}", printable(value)),
        Edit::Relocate(from, to) => {
            format!("in {}: {} for {}", edit.name(), printable(to), printable(from))
        }
        Edit::SetCookie(cookie) => {
            let otherwise = if cookie.makes_private { "made private if" } else { "unless" };
            let line = printable(&cookie.line);
            format!("give {}: {line}, {otherwise} a cache may keep the response", edit.name())
        }
    }
}
