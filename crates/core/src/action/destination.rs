//! Where a request is sent: by the route header or by the authority.
//!
//! A Wasm filter cannot name an Envoy cluster. It changes what Envoy's route table
//! sees, and Envoy matches the route again.

mod authority;
mod quoted;

use std::borrow::Cow;

use crate::action::edit::Draft;
use crate::action::sanitize;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::Trust;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::listed::Listed;
use crate::matching::matches::Match;
use crate::matching::request::Request;

pub(crate) use authority::{Authority, authority};
use quoted::Quoted;

pub use crate::language::names::{FORWARDED_HOST, ROUTE_HEADER};

/// The fields that name a destination.
pub(crate) static DESTINATION: Object = object!(
    "destination",
    AtMostOne,
    "Where a request is sent.",
    [],
    [
        field!(
            "to",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The value of the route header, which a route matches; it may quote the request."
        ),
        field!(
            "authority",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The host to ask for instead, perhaps with a port; the caller's port and form of name stay."
        ),
    ],
);

/// `toValues`, beside a destination.
pub(crate) const TO_VALUES: Field = field!(
    "toValues",
    List(&Text(1, limits::VALUE_BYTES), 1, limits::TO_VALUES),
    Optional,
    "The values that a `to` which quotes the request may have; one `*` stands for letters, digits and `-_.`."
);

/// `routeHeader` of a policy.
pub(crate) const ROUTE_HEADER_FIELD: Field = field!(
    "routeHeader",
    Pattern(TOKEN, 256),
    Says(ROUTE_HEADER),
    "The header that `to` sets, for the route table to match."
);

/// A destination.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// Sets the route header to this value.
    To(Box<str>),
    /// Sets the route header to a value that quotes the request.
    Quoted(Box<Quoted>),
    /// Rewrites `:authority`.
    Authority(Authority),
}

impl Destination {
    /// Reads the destination among `fields`, if there is one.
    pub(crate) fn read(fields: Fields<'_>) -> Result<Option<Self>, Invalid> {
        let values = fields.optional(TO_VALUES.name, quoted::values)?;
        if values.is_some() && !fields.has("to") {
            return Err(quoted::idle().in_field(TO_VALUES.name));
        }
        if !DESTINATION.fields.iter().any(|field| fields.has(field.name)) {
            return Ok(None);
        }
        fields.exactly_one(DESTINATION.fields)?;
        let to = fields.optional("to", |t| to(read::text(t)?, values))?;
        Ok(to.or(fields.optional("authority", authority)?.map(Self::Authority)))
    }

    /// Whether a request can be sent there: what its destination quotes is one of the known values.
    pub(crate) fn takes(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Quoted(quoted) => quoted.value(request).is_some(),
            Self::To(_) | Self::Authority(_) => true,
        }
    }

    /// Whether it quotes the request.
    pub(crate) fn is_quoted(&self) -> bool {
        matches!(self, Self::Quoted(_))
    }

    /// Adds the edits that send a request there, and no edit for what the request will have already. It
    /// sees the result of the edits before it: an `x-forwarded-host` that a rule has removed is written
    /// again. One that a rule has set stays, and so does the mesh's.
    pub(crate) fn apply<'a>(&'a self, route_header: &'a str, draft: &mut Draft<'_, 'a>) {
        let request = draft.request;
        let value = match self {
            Self::To(value) => Some(Cow::Borrowed(value.as_bytes())),
            Self::Quoted(quoted) => quoted.value(request),
            Self::Authority(authority) => {
                let written = authority.for_caller(request);
                if written != request.authority() {
                    if !draft.has(FORWARDED_HOST) {
                        draft.set(FORWARDED_HOST, Cow::Borrowed(request.authority()));
                    } else if is_the_clients(draft) {
                        draft.disown(FORWARDED_HOST);
                    }
                    draft.write(":authority", written);
                }
                None
            }
        };
        if let Some(value) = value {
            draft.set(route_header, value);
        }
    }

    /// Whether a request that is sent there loses the sender's header of that name.
    pub(crate) fn displaces(&self, route_header: &str, name: &[u8]) -> bool {
        let written = match self {
            Self::To(_) | Self::Quoted(_) => route_header,
            Self::Authority(_) => FORWARDED_HOST,
        };
        names::covers(written.as_bytes(), name)
    }

    /// Learns from the matches that lead here which hosts are services.
    pub(crate) fn set_services(&mut self, matches: &[Match]) {
        if let Self::Authority(authority) = self {
            authority.set_services(matches);
        }
    }

    /// For people: `to=reviews-v2` or `authority=reviews-canary`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::To(value) => format!("to={value}"),
            Self::Quoted(quoted) => format!("to={}", quoted.written),
            Self::Authority(Authority { host, port: None, .. }) => format!("authority={host}"),
            Self::Authority(Authority { host, port: Some(port), .. }) => format!("authority={host}:{port}"),
        }
    }

    /// What is written to send a request there.
    pub(crate) fn written(&self, route_header: &str) -> Vec<u8> {
        let mut written = self.describe().into_bytes();
        if let Self::To(_) | Self::Quoted(_) = self {
            written.push(0);
            written.extend_from_slice(route_header.as_bytes());
        }
        written
    }

    /// Everything that distinguishes this destination from others: what is written, and for which services.
    pub(crate) fn identity(&self, route_header: &str) -> Vec<u8> {
        let mut identity = self.written(route_header);
        if let Self::Authority(authority) = self {
            for service in &authority.services {
                identity.push(0);
                identity.extend_from_slice(service);
            }
        }
        identity
    }

    /// Whether it has a port of its own, whatever the caller's port is.
    pub(crate) fn has_port(&self) -> bool {
        matches!(self, Self::Authority(Authority { port: Some(_), .. }))
    }

    /// The host that a rewritten request asks for, if this destination rewrites.
    pub(crate) fn authority(&self) -> Option<&str> {
        match self {
            Self::To(_) | Self::Quoted(_) => None,
            Self::Authority(authority) => Some(&authority.host),
        }
    }
}

/// Reads `to`; `values` are its `toValues`.
fn to(written: &str, values: Option<Vec<Listed>>) -> Result<Destination, Invalid> {
    if written.is_empty() {
        return Err(Invalid::new(Code::BadValue, "the destination is empty", "name what the route matches"));
    }
    Ok(match Quoted::read(written, values)? {
        Some(quoted) => Destination::Quoted(Box::new(quoted)),
        // One literal, in which each `%%` is a percent sign.
        None => Destination::To(single(written).into()),
    })
}

/// A text in which each `%%` is a percent sign, and no other is left.
fn single(written: &str) -> String {
    let mut is_second = false;
    let once = written.chars().filter(|c| {
        is_second = *c == '%' && !is_second;
        *c != '%' || is_second
    });
    once.collect()
}

/// Whether an `x-forwarded-host` that is there is the client's own: so at the edge, unless a rule or an
/// earlier filter of this proxy has written it.
pub(crate) fn is_the_clients(draft: &Draft<'_, '_>) -> bool {
    draft.trust == Trust::Edge
        && !draft.sets(FORWARDED_HOST)
        && !sanitize::was_written(draft.request.stripped(), FORWARDED_HOST.as_bytes())
}

/// Reads `routeHeader`.
pub(crate) fn route_header(fields: Fields<'_>) -> Result<Box<str>, Invalid> {
    let header = fields.optional("routeHeader", |t| names::writable_header(read::text(t)?))?;
    Ok(header.unwrap_or_else(|| ROUTE_HEADER.into()))
}
