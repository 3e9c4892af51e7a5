//! One request message: bytes that are borrowed and read once.

use std::borrow::Cow;

use super::host::Host;
use super::{cookie, field, query};

/// The head of a request, as HTTP has it.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    /// Names of headers that came with blanks around a value.
    padded: Vec<&'a [u8]>,
    method: &'a [u8],
    authority: &'a [u8],
    host: Host<'a>,
    target: &'a [u8],
    path: &'a [u8],
    query: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// A message from its headers in order, pseudo headers included. Names are in lower case, as HTTP/2
    /// and Envoy have them. Blanks around a header's value are not part of it: HTTP/1 drops them, and
    /// if HTTP/2 or HTTP/3 carry them, the next reader drops them.
    pub fn new(mut headers: Vec<(&'a [u8], &'a [u8])>) -> Self {
        let mut padded = Vec::new();
        let (mut authority, mut host, mut target, mut method) = (None, None, None, None);
        for (name, value) in &mut headers {
            // Envoy accepts no blanks around the value of a pseudo header.
            let is_pseudo = name.starts_with(b":");
            if !is_pseudo && !field::is_bare(value) {
                *value = field::bare(value);
                padded.push(*name);
            }
            // The first of several lines counts.
            let place = match *name {
                b":authority" if is_pseudo => &mut authority,
                b":path" if is_pseudo => &mut target,
                b":method" if is_pseudo => &mut method,
                b"host" if !is_pseudo => &mut host,
                _ => continue,
            };
            place.get_or_insert(*value);
        }
        let authority = authority.or(host).unwrap_or_default();
        let target = target.unwrap_or_default();
        let (path, query) = split_target(target);
        Self {
            method: method.unwrap_or_default(),
            authority,
            host: Host::of(authority),
            target,
            path,
            query,
            headers,
            padded,
        }
    }

    /// All headers in order, pseudo headers included.
    pub fn headers(&self) -> &[(&'a [u8], &'a [u8])] {
        &self.headers
    }

    /// Whether a value of this header came with blanks around it. Then it was not written as
    /// [`Self::headers`] has it.
    pub(crate) fn is_padded(&self, name: &[u8]) -> bool {
        self.padded.contains(&name)
    }

    /// Whether it is a gRPC call, by the same check as Envoy's (`Grpc::Common::isGrpcRequestHeaders`).
    /// It must agree to the byte, because Envoy chooses the form of its answer by it.
    pub(crate) fn is_grpc(&self) -> bool {
        let kind = self.first(b"content-type").filter(|_| !self.is_padded(b"content-type"));
        let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
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

    /// Removes the headers for which `unwanted` holds; pseudo headers stay. Returns their names in
    /// order, each as often as it was there.
    pub(crate) fn remove_headers(&mut self, unwanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<&'a [u8]> {
        let mut removed: Vec<&'a [u8]> = Vec::new();
        self.headers.retain(|(name, _)| {
            let gone = !name.starts_with(b":") && unwanted(name);
            removed.extend(gone.then_some(*name));
            !gone
        });
        removed
    }

    /// The first value of a header, by its lower-case name.
    pub(crate) fn first(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
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
