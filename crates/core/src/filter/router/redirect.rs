//! An answer that sends the client elsewhere.

mod authority;
mod query;

use std::borrow::Cow;

use self::authority::{Authority, STRIP};
use self::query::{QUERY, Query};
use super::of_rule::OfRule;
use super::rewrite::{PATH_REWRITE, PathRewrite};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::policy::decision::Reply;
use crate::wire::percent;

/// `redirect` of a rule. A part that it does not name is the request's own.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    status: u16,
    scheme: Option<&'static str>,
    authority: Option<Authority>,
    port: Option<u16>,
    path: Option<PathRewrite>,
    query: Query,
}

const SCHEMES: [(&str, &str); 2] = [("http", "http"), ("https", "https")];
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
/// The status of a redirect, unless the policy names another: as Gateway API.
const STATUS: u16 = 302;

pub(super) static REDIRECT: Object = object!(
    "redirect",
    Where(
        r#"{"anyOf": [{"required": ["scheme"]}, {"required": ["authority"]}, {"required": ["port"]},
                      {"required": ["path"]}, {"required": ["query"]}]}"#
    ),
    "An answer that sends the client elsewhere; what it does not name is the request's own.",
    [],
    [
        field!("status", Numbers(&STATUSES), Counts(STATUS as i64), "The HTTP status."),
        field!("scheme", Words(|| words(&SCHEMES)), Optional, "The scheme of the location."),
        field!(
            "authority",
            Either(&[Text(1, limits::VALUE_BYTES), Table(&STRIP)]),
            Optional,
            "The host of the location, perhaps with a port; it may quote `%HOST%`, or be the host without a prefix."
        ),
        field!("port", Integer(1, 65535), Optional, "The port of the location."),
        field!("path", Table(&PATH_REWRITE), Optional, "What the path of the location becomes."),
        field!(
            "query",
            Either(&[Words(|| words(&query::WORDS)), Table(&QUERY)]),
            Says("keep"),
            "The query of the location: the request's (`keep`), none (`drop`), or a text."
        ),
    ],
);

impl Redirect {
    pub(super) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &REDIRECT)?;
        let redirect = Self {
            status: fields.optional("status", status)?.unwrap_or(STATUS),
            scheme: fields.optional("scheme", |t| read::word(t, &SCHEMES))?,
            authority: fields.optional("authority", Authority::read)?,
            port: fields
                .optional("port", |t| read::integer(t, 1..=65535))?
                .and_then(|port| u16::try_from(port).ok()),
            path: fields.optional("path", |t| PathRewrite::read(t, rule))?,
            query: fields.optional("query", Query::read)?.unwrap_or_default(),
        };
        if redirect.port.is_some() && redirect.authority.as_ref().is_some_and(Authority::has_port) {
            return Err(Invalid::new(
                Code::Conflict,
                "\"authority\" and \"port\" both name the port",
                "keep one of them",
            ));
        }
        if ["scheme", "authority", "port", "path", "query"].iter().any(|name| fields.has(name)) {
            return Ok(redirect);
        }
        Err(Invalid::new(
            Code::MissingField,
            "the redirect would lead back to the same place",
            "add \"scheme\", \"authority\", \"port\", \"path\" or \"query\"",
        ))
    }

    /// The redirect. None if the location could not be written, or if it is the request's own, which
    /// would redirect without end.
    pub(super) fn reply<'a>(&'a self, request: &Request<'_>) -> Option<Reply<'a>> {
        let of_request = if request.is_https() { "https" } else { "http" };
        let scheme = self.scheme.unwrap_or(of_request);
        let authority = self.authority(request, scheme, scheme != of_request)?;
        let path = self.path.as_ref().and_then(|path| path.path(request));
        let mut target = path.unwrap_or_else(|| request.path().to_vec());
        self.query.write(request, &mut target);
        if scheme == of_request && authority == request.authority() && target == request.target() {
            return None;
        }
        // A location in characters that a URI may have.
        let location = [scheme.as_bytes(), b"://", &authority, &target].concat();
        let location = percent::encode_all(&location, |byte| !byte.is_ascii());
        names::is_header_value(&location).then(|| Reply {
            status: self.status,
            grpc_status: None,
            headers: vec![(Cow::Borrowed("location"), Cow::Owned(location))],
            body: Cow::Borrowed(b""),
        })
    }

    /// The authority of the location. Another scheme has another default port, so the request's port
    /// stays only with its scheme.
    fn authority(&self, request: &Request<'_>, scheme: &str, other_scheme: bool) -> Option<Vec<u8>> {
        let Some(port) = self.port else {
            return match &self.authority {
                Some(authority) => authority.location(other_scheme, request),
                None if other_scheme => Some(request.host().name().to_vec()),
                None => Some(request.authority().to_vec()),
            };
        };
        let mut written = match &self.authority {
            Some(authority) => authority.host(request)?.into_owned(),
            None => request.host().name().to_vec(),
        };
        // The port that the scheme has anyway is left out, as in Gateway API.
        if (scheme, port) != ("http", 80) && (scheme, port) != ("https", 443) {
            written.extend_from_slice(format!(":{port}").as_bytes());
        }
        Some(written)
    }
}

fn status(tree: &PolicyValue) -> Result<u16, Invalid> {
    let status = read::integer(tree, 301..=308)?;
    STATUSES.into_iter().find(|known| i64::from(*known) == status).ok_or_else(|| {
        Invalid::new(
            Code::OutOfRange,
            format!("{status} is not the status of a redirect"),
            "write 301, 302, 303, 307 or 308",
        )
    })
}
