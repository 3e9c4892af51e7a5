//! What a case expects.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::number;

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

impl Expect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.upstream.is_none()
            && self.reply.is_none()
            && self.response.is_none()
            && self.state.is_empty()
            && self.counts.is_empty()
    }
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
    #[serde(deserialize_with = "number::optional")]
    pub status: Option<u16>,
    /// The body.
    pub body: Option<String>,
    /// Headers that are there.
    pub headers: BTreeMap<String, Values>,
    /// Headers that are not.
    pub absent: Vec<String>,
    /// The gRPC status.
    #[serde(deserialize_with = "number::optional")]
    pub grpc_status: Option<u8>,
}

/// The values of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Values {
    /// All of them, joined with `,`.
    Joined(String),
    /// One for each line.
    Each(Vec<String>),
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

/// Not an untagged enum: its faults would name neither the place nor the type.
struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values::Joined(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Values::Each(values))
    }
}
