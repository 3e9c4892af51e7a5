//! Where a request is sent: by the route header or by the authority.
//!
//! A Wasm filter cannot name an Envoy cluster. It changes what Envoy's route table
//! sees, and Envoy matches the route again.

use std::borrow::Cow;

use crate::action::edit::Draft;
use crate::action::sanitize;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::Trust;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::hosts::HostPattern;
use crate::matching::matches::Match;
use crate::matching::parse;
use crate::matching::request::Request;
use crate::wire::host::Host;

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
            "The value of the route header, which a route matches."
        ),
        field!(
            "authority",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The host to ask for instead, perhaps with a port; the caller's port and form of name stay."
        ),
    ],
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
    /// Rewrites `:authority`.
    Authority(Authority),
}

/// A host to send to, perhaps with a port of its own.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    host: Box<str>,
    port: Option<u16>,
    /// The services, as `name.namespace`, whose requests are sent there.
    services: Vec<Box<[u8]>>,
}

impl Destination {
    /// Reads the destination among `fields`, if there is one.
    pub(crate) fn read(fields: Fields<'_>) -> Result<Option<Self>, Invalid> {
        if !DESTINATION.fields.iter().any(|field| fields.has(field.name)) {
            return Ok(None);
        }
        fields.exactly_one(DESTINATION.fields)?;
        let to = fields.optional("to", |t| {
            let value = read::text(t)?;
            if value.is_empty() {
                return Err(Invalid::new(
                    Code::BadValue,
                    "the destination is empty",
                    "name what the route matches",
                ));
            }
            names::header_value(value)?;
            Ok(Self::To(value.into()))
        })?;
        Ok(to.or(fields.optional("authority", authority)?.map(Self::Authority)))
    }

    /// Adds the edits that send a request there, and no edit for what the request will have already. It
    /// sees the result of the edits before it: an `x-forwarded-host` that a rule has removed is written
    /// again. One that a rule has set stays, and so does the mesh's.
    pub(crate) fn apply<'a>(&'a self, route_header: &'a str, draft: &mut Draft<'_, 'a>) {
        let request = draft.request;
        match self {
            Self::To(value) => draft.set(route_header, Cow::Borrowed(value.as_bytes())),
            Self::Authority(authority) => {
                let written = authority.for_caller(request);
                if written != request.authority() {
                    if !draft.has(FORWARDED_HOST) || is_the_clients(draft) {
                        draft.set(FORWARDED_HOST, Cow::Borrowed(request.authority()));
                    }
                    draft.write(":authority", written);
                }
            }
        }
    }

    /// Whether a request that is sent there loses the sender's header of that name.
    pub(crate) fn displaces(&self, route_header: &str, name: &[u8]) -> bool {
        let written = match self {
            Self::To(_) => route_header,
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
            Self::Authority(Authority { host, port: None, .. }) => format!("authority={host}"),
            Self::Authority(Authority { host, port: Some(port), .. }) => format!("authority={host}:{port}"),
        }
    }

    /// Everything that distinguishes this destination from others.
    pub(crate) fn identity(&self, route_header: &str) -> Vec<u8> {
        let mut identity = self.describe().into_bytes();
        let services = match self {
            Self::To(_) => [route_header.as_bytes()].to_vec(),
            Self::Authority(authority) => authority.services.iter().map(|service| &**service).collect(),
        };
        for part in services {
            identity.push(0);
            identity.extend_from_slice(part);
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
            Self::To(_) => None,
            Self::Authority(authority) => Some(&authority.host),
        }
    }
}

impl Authority {
    /// See [`Destination::set_services`].
    pub(crate) fn set_services(&mut self, matches: &[Match]) {
        let services = matches.iter().filter_map(|matches| matches.hosts.as_ref()?.service());
        self.services = services.map(Into::into).collect();
    }

    /// The authority in the caller's own form. A bare service name replaces the first label, so that
    /// `stock.books.svc:8080` becomes `stock-canary.books.svc:8080`. The port stays, because Envoy
    /// chooses the listener by it. A name of only two labels may be any domain: it is a service only if
    /// the policy names it so.
    pub(crate) fn for_caller(&self, request: &Request<'_>) -> Vec<u8> {
        self.for_host(request.host())
    }

    /// The same, for a caller that asked for `host`.
    pub(crate) fn for_host(&self, host: &Host<'_>) -> Vec<u8> {
        let mut written = self.host.as_bytes().to_vec();
        let is_service = || {
            host.name().split(|b| *b == b'.').nth(2) == Some(b"svc")
                || self.services.iter().any(|service| **service == *host.name())
        };
        if !self.host.contains('.') && is_service() {
            written.extend_from_slice(host.domain());
        }
        match (self.port, host.port()) {
            (Some(port), _) => written.extend_from_slice(format!(":{port}").as_bytes()),
            (None, Some(port)) => {
                written.push(b':');
                written.extend_from_slice(port);
            }
            (None, None) => {}
        }
        written
    }
}

impl Authority {
    /// The authority of a redirect: exactly as written, with the request's port only
    /// if neither host nor scheme gives another.
    pub(crate) fn location(&self, other_scheme: bool, request: &Request<'_>) -> Vec<u8> {
        let same_host = self.host.as_bytes() == request.host().name();
        match (self.port, request.host().port()) {
            (Some(port), _) => format!("{}:{port}", self.host).into_bytes(),
            (None, Some(port)) if same_host && !other_scheme => [self.host.as_bytes(), b":", port].concat(),
            _ => self.host.as_bytes().to_vec(),
        }
    }
}

/// Whether an `x-forwarded-host` that is there is the client's own: so at the edge, unless a rule or an
/// earlier filter of this proxy has written it.
pub(crate) fn is_the_clients(draft: &Draft<'_, '_>) -> bool {
    draft.trust == Trust::Edge
        && !draft.writes(FORWARDED_HOST)
        && !sanitize::was_written(draft.request.stripped(), FORWARDED_HOST.as_bytes())
}

/// Reads `host` or `host:port`.
pub(crate) fn authority(tree: &PolicyValue) -> Result<Authority, Invalid> {
    let written = read::text(tree)?;
    let refuse = || {
        Invalid::new(
            Code::BadHost,
            format!("{written:?} cannot be an authority"),
            "write a host, perhaps with a port: \"reviews-canary\" or \"example.com:8443\"",
        )
    };
    if written.len() > limits::VALUE_BYTES {
        return Err(refuse());
    }
    let (host, port) = parse::split_port(written).ok_or_else(refuse)?;
    match parse::host(&PolicyValue::Text(host.to_owned()))? {
        HostPattern::Exact(host) => {
            let host = String::from_utf8(host.into_vec()).map_err(|_| refuse())?;
            Ok(Authority { host: host.into(), port, services: Vec::new() })
        }
        _ => Err(refuse()),
    }
}

/// Reads `routeHeader`.
pub(crate) fn route_header(fields: Fields<'_>) -> Result<Box<str>, Invalid> {
    let header = fields.optional("routeHeader", |t| names::writable_header(read::text(t)?))?;
    Ok(header.unwrap_or_else(|| ROUTE_HEADER.into()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Destination, authority};
    use crate::action::edit::{Draft, Edit};
    use crate::language::modes::Trust;
    use crate::language::policy_value::PolicyValue;
    use crate::matching::parse::{self, Budget};
    use crate::matching::request::Request;

    /// What `from` becomes under a policy for the service `stock.books`.
    fn rewritten(to: &str, from: &str) -> String {
        let matches = PolicyValue::parse(br#"{ "service": "stock.books" }"#).unwrap();
        let mut authority = authority(&PolicyValue::Text(to.into())).unwrap();
        authority.set_services(&[parse::read_match(&matches, &Budget::default()).unwrap()]);
        let request = Request::new([(b":authority".as_slice(), from.as_bytes())]);
        String::from_utf8(authority.for_caller(&request)).unwrap()
    }

    #[test]
    fn port_and_form_are_the_callers() {
        assert_eq!(rewritten("stock-canary", "stock:8080"), "stock-canary:8080");
        assert_eq!(rewritten("stock-canary", "stock"), "stock-canary");
        assert_eq!(rewritten("stock-canary", "Stock.books:8080"), "stock-canary.books:8080");
        assert_eq!(
            rewritten("stock-canary", "Stock.books.svc.cluster.local"),
            "stock-canary.books.svc.cluster.local"
        );
        assert_eq!(rewritten("stock-canary.other", "stock.books:8080"), "stock-canary.other:8080");
        assert_eq!(rewritten("example.com:8443", "stock:8080"), "example.com:8443");
        assert_eq!(rewritten("canary", "shop.example.com"), "canary");
        assert_eq!(rewritten("canary", "[::1]:80"), "canary:80");
    }

    #[test]
    fn a_domain_of_two_labels_is_no_service() {
        assert_eq!(rewritten("canary", "example.com:80"), "canary:80");
        assert_eq!(rewritten("canary", "other.books"), "canary");
    }

    #[test]
    fn nothing_is_written_twice() {
        let headers: [(&[u8], &[u8]); 3] =
            [(b":authority", b"stock:80"), (b"x-narrows-route", b"v2"), (b"x-forwarded-host", b"first")];
        let request = Request::new(headers);
        let mut draft = Draft::new(&request, Trust::Mesh);
        let to = Destination::To("v2".into());
        to.apply("x-narrows-route", &mut draft);
        let canary = Destination::Authority(authority(&PolicyValue::Text("canary".into())).unwrap());
        canary.apply("x-narrows-route", &mut draft);
        let (edits, already_set) = draft.finish();
        assert_eq!(edits, [Edit::Set(":authority".into(), b"canary:80".to_vec().into())]);
        assert_eq!(already_set, ["x-narrows-route"]);
    }
}
