//! An answer that a rule gives itself.

use std::borrow::Cow;

use super::of_rule::OfRule;
use crate::action::format_string::FormatString;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::policy::decision::Reply;

/// `respond` of a rule.
#[derive(Clone, Debug)]
pub(super) struct Respond {
    status: u16,
    grpc_status: Option<u8>,
    headers: Vec<(Box<str>, FormatString)>,
    body: Box<str>,
}

pub(super) static RESPOND: Object = object!(
    "respond",
    Any,
    "An answer in place of the upstream's.",
    [],
    [
        field!("status", Integer(200, 599), Required, "The HTTP status."),
        field!("grpcStatus", Integer(0, 16), Optional, "The gRPC status for a caller that speaks gRPC."),
        field!(
            "headers",
            Map(TOKEN, &Text(0, limits::VALUE_BYTES), limits::EDITS),
            Optional,
            "Headers of the answer; a value may quote the request."
        ),
        field!("body", Text(0, limits::VALUE_BYTES), Optional, "The body of the answer."),
    ],
);

impl Respond {
    pub(super) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &RESPOND)?;
        let number =
            |name, range: std::ops::RangeInclusive<i64>| fields.optional(name, |t| read::integer(t, range));
        let groups = || rule.captures();
        let value = |v| FormatString::quoting(read::text(v)?, &groups);
        let headers = |t| read::entries(t, limits::EDITS, names::writable_header, value);
        // Below 200 Envoy sends nothing; above 599 it sends what no client knows.
        let status = fields.required("status", |t| read::integer(t, 200..=599))?;
        Ok(Self {
            status: u16::try_from(status).unwrap_or(500),
            grpc_status: number("grpcStatus", 0..=16)?.and_then(|code| u8::try_from(code).ok()),
            headers: fields.optional("headers", headers)?.unwrap_or_default(),
            body: fields.optional("body", body)?.unwrap_or_default(),
        })
    }

    pub(super) fn reply<'a>(&'a self, request: &Request<'_>) -> Reply<'a> {
        let headers = self.headers.iter();
        Reply {
            status: self.status,
            // With a gRPC status, Envoy would answer 200 even to a caller that does not speak gRPC.
            grpc_status: self.grpc_status.filter(|_| request.is_grpc()),
            headers: headers
                .filter_map(|(name, text)| Some((Cow::Borrowed(&**name), text.render(request)?)))
                .collect(),
            body: Cow::Borrowed(self.body.as_bytes()),
        }
    }
}

fn body(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let body = read::text(tree)?;
    if body.len() <= limits::VALUE_BYTES {
        return Ok(body.into());
    }
    Err(Invalid::new(
        Code::TooMany,
        format!("the body has {} bytes, more than {}", body.len(), limits::VALUE_BYTES),
        "shorten it: every worker holds it",
    ))
}
