//! One request as a filter sees it: borrowed bytes, read once.

pub mod cookie;
pub mod field;
pub mod found;
pub mod held;
pub mod host;
mod look;
pub mod percent;
pub mod query;
mod table;

use std::borrow::Cow;

use crate::names;
use crate::policy::Callers;

pub use found::Found;
pub use host::Host;
use look::Looked;

/// A request, as a decision sees it.
///
/// Everything is bytes: nothing here assumes that a header is text.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    /// Names of headers that came with blanks around a value.
    padded: Vec<&'a [u8]>,
    method: &'a [u8],
    authority: &'a [u8],
    host: Host<'a>,
    target: &'a [u8],
    path: &'a [u8],
    query: Option<&'a [u8]>,
    source: Source<'a>,
    verified: bool,
    surroundings: Surroundings<'a>,
    stripped: Option<&'a [u8]>,
    nonce: u64,
    looked: Looked<'a>,
}

/// Who sent a request, as far as the proxy knows and the policy asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The address of the immediate caller, `10.1.2.3:4711` or `[fd00::1]:4711`.
    pub address: Option<&'a [u8]>,
    /// The SPIFFE name in the certificate that the caller presented.
    pub principal: Option<&'a [u8]>,
}

/// What the proxy knows of itself and of the connection, as far as the policy asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The name that the TLS connection was opened to (SNI).
    pub server_name: Option<&'a [u8]>,
    /// The namespace of the workload beside which the proxy stands; none at a gateway.
    pub namespace: Option<&'a [u8]>,
    /// The name of that workload.
    pub workload: Option<&'a [u8]>,
    /// Beside a workload: the cluster to which Envoy's route leads, matched before any
    /// filter changed the request.
    pub cluster: Option<&'a [u8]>,
    /// The virtual host of that route, if [`Policy::asks`] for it.
    ///
    /// [`Policy::asks`]: crate::Policy::asks
    pub virtual_host: Option<&'a [u8]>,
    /// Whether that virtual host has no other route; not known unless asked for.
    pub is_only_route: bool,
}

impl<'a> Request<'a> {
    /// A request from its headers in order, pseudo headers included. Names are
    /// lower-case, as HTTP/2 and Envoy have them. Blanks around a header's value are no part of
    /// it: HTTP/1 drops them, and what HTTP/2 and HTTP/3 carry is dropped by whoever reads it next.
    pub fn new(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut padded = Vec::new();
        let lines = headers.into_iter();
        let mut headers = Vec::with_capacity(lines.size_hint().1.unwrap_or_default());
        lines.for_each(|(name, value)| {
            // Of a pseudo header Envoy takes no blanks.
            let bare = if name.starts_with(b":") { value } else { field::bare(value) };
            if bare.len() < value.len() {
                padded.push(name);
            }
            headers.push((name, bare));
        });
        let first = |wanted: &[u8]| {
            headers.iter().find(|(name, _): &&(&[u8], _)| *name == wanted).map(|(_, value)| *value)
        };
        let authority = first(b":authority").or_else(|| first(b"host")).unwrap_or_default();
        let target = first(b":path").unwrap_or_default();
        let (path, query) = split_target(target);
        Self {
            method: first(b":method").unwrap_or_default(),
            authority,
            host: Host::of(authority),
            target,
            path,
            query,
            headers,
            padded,
            source: Source::default(),
            verified: false,
            surroundings: Surroundings::default(),
            stripped: None,
            nonce: 0,
            looked: Looked::default(),
        }
    }

    /// The same request, sent by `source`.
    #[must_use]
    pub fn from_source(mut self, source: Source<'a>) -> Self {
        self.source = source;
        self
    }

    /// The same request, whose caller's certificate was verified on this connection,
    /// or was not.
    #[must_use]
    pub fn verified(mut self, verified: bool) -> Self {
        self.verified = verified;
        self
    }

    /// The same request, in these surroundings.
    #[must_use]
    pub fn within(mut self, surroundings: Surroundings<'a>) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// The same request, with what the policy asked for of the route on which Envoy has it.
    #[must_use]
    pub fn on_route(mut self, virtual_host: Option<&'a [u8]>, is_only: bool) -> Self {
        self.surroundings = Surroundings { virtual_host, is_only_route: is_only, ..self.surroundings };
        self
    }

    /// The same request, with what an earlier filter of this proxy has stripped
    /// already (the value of the filter state [`crate::strip::STATE`]).
    #[must_use]
    pub fn already_stripped(mut self, names: Option<&'a [u8]>) -> Self {
        self.stripped = names;
        self
    }

    /// The same request, with a number that differs from request to request.
    /// Only a split whose missing keys are spread at random reads it.
    #[must_use]
    pub fn with_nonce(mut self, nonce: u64) -> Self {
        self.nonce = nonce;
        self
    }

    /// All headers in order, pseudo headers included.
    pub fn headers(&self) -> &[(&'a [u8], &'a [u8])] {
        &self.headers
    }

    /// A header as one text, repeats joined with `,`: what is quoted or shown, never what a
    /// condition looks at.
    pub fn header(&self, name: &[u8]) -> Found<'a> {
        Found::joined(&mut self.values(name))
    }

    /// Whether a value of this header came with blanks around it, so that it is not written as
    /// [`Self::values`] has it.
    pub(crate) fn is_padded(&self, name: &[u8]) -> bool {
        self.padded.contains(&name)
    }

    /// Whether it is a gRPC call, as Envoy tells one (`Grpc::Common::isGrpcRequestHeaders`): to
    /// the byte, for Envoy words its answer by it.
    pub(crate) fn is_grpc(&self) -> bool {
        let kind = self.values(b"content-type").next().filter(|_| !self.is_padded(b"content-type"));
        let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
    }

    /// A cookie by name, across repeated `cookie` headers.
    pub fn cookie(&self, name: &[u8]) -> Found<'a> {
        Found::first(&mut self.cookies().filter(|(n, _)| *n == name).map(|(_, value)| value))
    }

    /// All cookies in order.
    pub fn cookies(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.headers.iter().filter(|(name, _)| *name == b"cookie").flat_map(|(_, value)| cookie::pairs(value))
    }

    /// All query parameters in order, percent-decoded.
    pub fn query_params(&self) -> impl Iterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> {
        query::pairs(self.query.unwrap_or_default())
    }

    /// The method, such as `GET`.
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// `:authority` (or `Host`) as sent.
    pub fn authority(&self) -> &'a [u8] {
        self.authority
    }

    /// The host of the authority: lower case, no port, no trailing dot.
    pub fn host(&self) -> &Host<'a> {
        &self.host
    }

    /// `:path` as sent, the query included.
    pub fn target(&self) -> &'a [u8] {
        self.target
    }

    /// The path without the query.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The query without the `?`; `None` if there is no `?`.
    pub fn query(&self) -> Option<&'a [u8]> {
        self.query
    }

    /// Who sent it.
    pub fn source(&self) -> Source<'a> {
        self.source
    }

    /// Whether the caller's certificate was verified on this connection.
    pub fn is_verified(&self) -> bool {
        self.verified
    }

    /// Forgets the name of a caller that `callers` does not believe.
    pub(crate) fn believe(&mut self, callers: Callers) {
        if callers == Callers::Verified && !self.verified {
            self.source.principal = None;
        }
    }

    /// What the proxy knows of itself and of the connection.
    pub fn surroundings(&self) -> Surroundings<'a> {
        self.surroundings
    }

    /// A number that differs from request to request.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// What an earlier filter of this proxy has stripped already.
    pub fn stripped(&self) -> Option<&'a [u8]> {
        self.stripped
    }

    /// Removes the headers for which `unwanted` holds; pseudo headers stay.
    /// Returns the names removed, each once.
    pub fn remove_headers(&mut self, mut unwanted: impl FnMut(&[u8]) -> bool) -> Vec<&'a [u8]> {
        let mut removed: Vec<&'a [u8]> = Vec::new();
        self.headers.retain(|(name, _)| {
            let gone = !name.starts_with(b":") && unwanted(name);
            removed.extend(gone.then_some(*name));
            !gone
        });
        self.forget();
        names::distinct(removed)
    }
}

fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|b| *b == b'?') {
        None => (target, None),
        Some(mark) => {
            let (path, query) = target.split_at(mark);
            (path, query.get(1..))
        }
    }
}

#[cfg(test)]
mod tests;
