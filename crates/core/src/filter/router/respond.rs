//! Answers that a rule gives itself: a fixed response, or a redirect.

use std::borrow::Cow;

use super::rewrite::PATH_REWRITE;
use super::rewrite::PathRewrite;
use crate::action::destination::{Authority, authority};
use crate::action::format_string::FormatString;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::parse::Budget;
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

/// `redirect` of a rule. A part that it does not name is the request's own.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    status: u16,
    scheme: Option<&'static str>,
    authority: Option<Authority>,
    path: Option<PathRewrite>,
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

const SCHEMES: [(&str, &str); 2] = [("http", "http"), ("https", "https")];
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
/// The status of a redirect, unless the policy names another: as Gateway API.
const STATUS: u16 = 302;

pub(super) static REDIRECT: Object = object!(
    "redirect",
    Where(r#"{"anyOf": [{"required": ["scheme"]}, {"required": ["authority"]}, {"required": ["path"]}]}"#),
    "An answer that sends the client elsewhere; what it does not name is the request's own.",
    [],
    [
        field!("status", Numbers(&STATUSES), Counts(STATUS as i64), "The HTTP status."),
        field!("scheme", Words(|| words(&SCHEMES)), Optional, "The scheme of the location."),
        field!(
            "authority",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The host of the location, perhaps with a port."
        ),
        field!("path", Table(&PATH_REWRITE), Optional, "What the path of the location becomes."),
    ],
);

impl Respond {
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &RESPOND)?;
        let number =
            |name, range: std::ops::RangeInclusive<i64>| fields.optional(name, |t| read::integer(t, range));
        let headers = |t| {
            read::entries(t, limits::EDITS, names::writable_header, |v| FormatString::new(read::text(v)?))
        };
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

impl Redirect {
    pub(super) fn read(tree: &PolicyValue, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &REDIRECT)?;
        let status = fields.optional("status", |t| {
            let status = read::integer(t, 301..=308)?;
            STATUSES.into_iter().find(|known| i64::from(*known) == status).ok_or_else(|| {
                Invalid::new(
                    Code::OutOfRange,
                    format!("{status} is not the status of a redirect"),
                    "write 301, 302, 303, 307 or 308",
                )
            })
        })?;
        let redirect = Self {
            status: status.unwrap_or(STATUS),
            scheme: fields.optional("scheme", |t| read::word(t, &SCHEMES))?,
            authority: fields.optional("authority", authority)?,
            path: fields.optional("path", |t| PathRewrite::read(t, budget))?,
        };
        if redirect.scheme.is_none() && redirect.authority.is_none() && redirect.path.is_none() {
            return Err(Invalid::new(
                Code::MissingField,
                "the redirect would lead back to the same place",
                "add \"scheme\", \"authority\" or \"path\"",
            ));
        }
        Ok(redirect)
    }

    /// The redirect. None if the location could not be written, or if it is the request's own, which
    /// would redirect without end.
    pub(super) fn reply<'a>(&'a self, request: &Request<'_>) -> Option<Reply<'a>> {
        let of_request = if request.header(b":scheme").value() == Some(b"https") { "https" } else { "http" };
        let scheme = self.scheme.unwrap_or(of_request);
        let authority = match &self.authority {
            Some(authority) => authority.location(scheme != of_request, request),
            // Another scheme has another default port.
            None if scheme != of_request => request.host().name().to_vec(),
            None => request.authority().to_vec(),
        };
        let target = self.path.as_ref().and_then(|path| path.target(request));
        let target = target.unwrap_or_else(|| request.target().to_vec());
        if scheme == of_request && authority == request.authority() && target == request.target() {
            return None;
        }
        let location = uri(&[scheme.as_bytes(), b"://", &authority, &target].concat());
        names::is_header_value(&location).then(|| Reply {
            status: self.status,
            grpc_status: None,
            headers: vec![(Cow::Borrowed("location"), Cow::Owned(location))],
            body: Cow::Borrowed(b""),
        })
    }
}

/// A location in characters that a URI may have; all others are percent-encoded.
fn uri(location: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(location.len());
    for byte in location {
        if byte.is_ascii() {
            written.push(*byte);
        } else {
            written.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    written
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
