//! Where a request is sent: by the route header or by the authority.
//!
//! A Wasm filter cannot name an Envoy cluster. It changes what Envoy's route table
//! sees, and Envoy matches the route again.

use std::borrow::Cow;

use crate::edit::Edit;
use crate::invalid::{Code, Invalid};
use crate::limits;
use crate::matcher::hosts::HostPattern;
use crate::matcher::parse;
use crate::names;
use crate::read::{self, Fields};
use crate::request::{Host, Request};
use crate::tree::Tree;

/// The route header unless a policy names another.
pub const ROUTE_HEADER: &str = "x-narrows-route";
/// Where the caller's authority is kept when it is rewritten.
pub const FORWARDED_HOST: &str = "x-forwarded-host";

/// The fields that name a destination.
pub(crate) const FIELDS: &[&str] = &["to", "authority"];

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
}

impl Destination {
    /// Reads the destination among `fields`, if there is one.
    pub(crate) fn read(fields: Fields<'_>) -> Result<Option<Self>, Invalid> {
        if !FIELDS.iter().any(|name| fields.has(name)) {
            return Ok(None);
        }
        fields.exactly_one(FIELDS)?;
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

    /// Adds the edits that send `request` there; none for what it says already.
    pub(crate) fn apply<'a>(
        &'a self,
        request: &Request<'a>,
        route_header: &'a str,
        edits: &mut Vec<Edit<'a>>,
    ) {
        match self {
            Self::To(value) => {
                let same = request.header(route_header.as_bytes()).value() == Some(value.as_bytes());
                if !same {
                    edits.push(Edit::Set(route_header, Cow::Borrowed(value.as_bytes())));
                }
            }
            Self::Authority(authority) => {
                let written = authority.for_caller(request);
                if written != request.authority() {
                    if request.header(FORWARDED_HOST.as_bytes()).value().is_none() {
                        edits.push(Edit::Set(FORWARDED_HOST, Cow::Borrowed(request.authority())));
                    }
                    edits.push(Edit::Set(":authority", Cow::Owned(written)));
                }
            }
        }
    }

    /// For people: `to=reviews-v2` or `authority=reviews-canary`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::To(value) => format!("to={value}"),
            Self::Authority(Authority { host, port: None }) => format!("authority={host}"),
            Self::Authority(Authority { host, port: Some(port) }) => format!("authority={host}:{port}"),
        }
    }

    /// The host that a rewritten request asks for, if this rewrites.
    pub(crate) fn authority(&self) -> Option<&str> {
        match self {
            Self::To(_) => None,
            Self::Authority(authority) => Some(&authority.host),
        }
    }
}

impl Authority {
    /// The authority in the caller's own form: a bare service name takes the place
    /// of the first label, so that `stock.books.svc:8080` becomes
    /// `stock-canary.books.svc:8080`; the port stays, for the listener is chosen by it.
    pub(crate) fn for_caller(&self, request: &Request<'_>) -> Vec<u8> {
        self.for_host(request.host())
    }

    /// The same, for a caller that asked for `host`.
    pub(crate) fn for_host(&self, host: &Host<'_>) -> Vec<u8> {
        let mut written = self.host.as_bytes().to_vec();
        if !self.host.contains('.') && is_service_form(host.name()) {
            let domain = host.parents().next().unwrap_or_default();
            written.extend_from_slice(domain);
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

/// Whether a host is a Kubernetes Service in a form with its namespace, so that its
/// first label is the Service: `name.ns`, `name.ns.svc`, `name.ns.svc.cluster.local`.
fn is_service_form(host: &[u8]) -> bool {
    let mut labels = host.split(|b| *b == b'.');
    let (name, namespace, svc) = (labels.next(), labels.next(), labels.next());
    name.is_some() && namespace.is_some_and(|ns| !ns.is_empty()) && svc.is_none_or(|label| label == b"svc")
}

/// Reads `host` or `host:port`.
pub(crate) fn authority(tree: &Tree) -> Result<Authority, Invalid> {
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
    let (host, port) = match written.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port: u16 = port.parse().map_err(|_| refuse())?;
            (host, Some(port).filter(|port| *port > 0))
        }
        _ => (written, None),
    };
    match parse::host(&Tree::Text(host.to_owned()))? {
        HostPattern::Exact(host) => {
            let host = String::from_utf8(host.into_vec()).map_err(|_| refuse())?;
            Ok(Authority { host: host.into(), port })
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
    use crate::edit::Edit;
    use crate::request::Request;
    use crate::tree::Tree;

    fn rewritten(to: &str, from: &str) -> String {
        let authority = authority(&Tree::Text(to.into())).unwrap();
        let request = Request::new([(b":authority".as_slice(), from.as_bytes())]);
        String::from_utf8(authority.for_caller(&request)).unwrap()
    }

    #[test]
    fn port_and_form_are_the_callers() {
        assert_eq!(rewritten("stock-canary", "stock:8080"), "stock-canary:8080");
        assert_eq!(rewritten("stock-canary", "stock"), "stock-canary");
        assert_eq!(rewritten("stock-canary", "stock.books:8080"), "stock-canary.books:8080");
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
    fn nothing_is_written_twice() {
        let headers: [(&[u8], &[u8]); 3] =
            [(b":authority", b"stock:80"), (b"x-narrows-route", b"v2"), (b"x-forwarded-host", b"first")];
        let request = Request::new(headers);
        let mut edits = Vec::new();
        let to = Destination::To("v2".into());
        to.apply(&request, "x-narrows-route", &mut edits);
        assert_eq!(edits, []);
        let canary = Destination::Authority(authority(&Tree::Text("canary".into())).unwrap());
        canary.apply(&request, "x-narrows-route", &mut edits);
        assert_eq!(edits, [Edit::Set(":authority", b"canary:80".to_vec().into())]);
    }
}
