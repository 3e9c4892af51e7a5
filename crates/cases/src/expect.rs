//! What a case expects.

use std::collections::BTreeMap;

use serde::Deserialize;

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
