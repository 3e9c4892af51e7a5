//! A request as conditions see it: a message, what the proxy knows about its caller, and what was
//! looked up in it so far.

mod look;
mod passage;
mod table;

use std::ops::Deref;

use crate::language::modes::Callers;
use crate::language::names;
use crate::wire::FieldValue;
use crate::wire::message::Message;
use look::Looked;
pub use passage::{Passage, Recall, Recalled, Trail};

/// A request, as a decision sees it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    message: Message<'a>,
    known: Known<'a>,
    looked: Looked<'a>,
}

/// What the proxy knows about a request besides its message, as far as the policy asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Who sent it.
    pub source: Peer<'a>,
    /// Whether the caller's certificate was verified on this connection.
    pub is_verified: bool,
    /// What is known about the proxy itself and the connection.
    pub stream_info: StreamInfo<'a>,
    /// The headers that an earlier filter of this proxy has stripped already: the value of the filter
    /// state [`crate::action::sanitize::PROVENANCE`].
    pub stripped: Option<&'a [u8]>,
    /// The dynamic metadata that earlier filters of the proxy wrote: the bytes of Envoy's message.
    pub metadata: Option<&'a [u8]>,
    /// The objects of filter state, by name.
    pub filter_state: &'a [(&'a str, Option<Vec<u8>>)],
    /// A number that differs from request to request. Only a split that spreads missing keys at random
    /// reads it.
    pub nonce: u64,
    /// The time, in seconds since the epoch. Only a split with a ramp reads it.
    pub now: u64,
    /// On which side of a workload the request passes. Only a policy with lanes reads it.
    pub passage: Passage<'a>,
}

/// Who sent a request, as far as the proxy knows and the policy asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer<'a> {
    /// The address of the immediate caller, `10.1.2.3:4711` or `[fd00::1]:4711`.
    pub address: Option<&'a [u8]>,
    /// The SPIFFE name in the certificate that the caller presented.
    pub principal: Option<&'a [u8]>,
}

/// What the proxy knows about itself and the connection, as far as the policy asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamInfo<'a> {
    /// The name that the TLS connection was opened to (SNI).
    pub server_name: Option<&'a [u8]>,
    /// The namespace of the workload that the proxy runs beside; none at a gateway.
    pub namespace: Option<&'a [u8]>,
    /// The name of that workload.
    pub workload: Option<&'a [u8]>,
    /// Only for a proxy beside a workload: the cluster to which Envoy's route leads. The route was
    /// matched before any filter changed the request.
    pub cluster: Option<&'a [u8]>,
    /// The virtual host of that route, if the policy asks for it.
    pub virtual_host: Option<&'a [u8]>,
    /// Whether that virtual host has no other route. Known only if the policy asks for it.
    pub is_only_route: bool,
}

/// The header in which Envoy keeps by which scheme a request came.
pub(crate) const FORWARDED_PROTO: &[u8] = b"x-forwarded-proto";

impl<'a> Deref for Request<'a> {
    type Target = Message<'a>;

    fn deref(&self) -> &Message<'a> {
        &self.message
    }
}

impl<'a> Request<'a> {
    /// A request from its headers in order: see `Message::new`.
    pub fn new(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self::of(headers.into_iter().collect())
    }

    /// The same, from a list.
    pub fn of(headers: Vec<(&'a [u8], &'a [u8])>) -> Self {
        Self { message: Message::new(headers), known: Known::default(), looked: Looked::default() }
    }

    /// What the proxy knows about it.
    pub fn known(&self) -> &Known<'a> {
        &self.known
    }

    /// The same, to be filled in place: a request is large, and moving it costs more than reading it.
    pub fn known_mut(&mut self) -> &mut Known<'a> {
        &mut self.known
    }

    /// The same request, of which the proxy knows this.
    #[must_use]
    pub fn knowing(mut self, known: Known<'a>) -> Self {
        self.known = known;
        self
    }

    /// A header as one text, repeated values joined with `,`. It is for quoting and showing; conditions
    /// never use it.
    pub fn header(&self, name: &[u8]) -> FieldValue<'a> {
        FieldValue::joined(&mut self.values(name))
    }

    /// A cookie by name, across repeated `cookie` headers.
    pub fn cookie(&self, name: &[u8]) -> FieldValue<'a> {
        FieldValue::first(&mut self.cookies().filter(|(n, _)| *n == name).map(|(_, value)| value))
    }

    /// Whether it came by https, according to the same header as Envoy's `require_tls`: Envoy itself
    /// writes it, unless it believes the proxy in front. Envoy takes no other spelling of the word.
    pub fn is_https(&self) -> bool {
        let said = self.header(FORWARDED_PROTO);
        let said = said.value().or_else(|| self.message.first(b":scheme"));
        said == Some(b"https")
    }

    /// Who sent it.
    pub fn source(&self) -> Peer<'a> {
        self.known.source
    }

    /// Whether the caller's certificate was verified on this connection.
    pub fn is_verified(&self) -> bool {
        self.known.is_verified
    }

    /// Removes the caller's name if `callers` does not believe it, and returns the name that was
    /// presented.
    pub(crate) fn believe(&mut self, callers: Callers) -> Option<&'a [u8]> {
        let presented = self.known.source.principal;
        if callers == Callers::Verified && !self.known.is_verified {
            self.known.source.principal = None;
        }
        presented
    }

    /// Takes the name in the presented certificate as the caller's, whether it was verified or not.
    pub(crate) fn believe_presented(&mut self, presented: Option<&'a [u8]>) {
        self.known.source.principal = presented;
    }

    /// What the proxy knows about itself and the connection.
    pub fn stream_info(&self) -> StreamInfo<'a> {
        self.known.stream_info
    }

    /// A number that differs from request to request.
    pub fn nonce(&self) -> u64 {
        self.known.nonce
    }

    /// An object of filter state, if it is there.
    pub(crate) fn filter_state(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.known.filter_state.iter().find(|(known, _)| *known == name);
        found.and_then(|(_, value)| value.as_deref())
    }

    /// The time, in seconds since the epoch.
    pub fn now(&self) -> u64 {
        self.known.now
    }

    /// On which side of a workload it passes.
    pub fn passage(&self) -> Passage<'a> {
        self.known.passage
    }

    /// The headers that an earlier filter of this proxy has stripped already.
    pub fn stripped(&self) -> Option<&'a [u8]> {
        self.known.stripped
    }

    /// Removes the headers for which `unwanted` holds; pseudo headers stay.
    /// Returns the names removed, each once.
    pub fn remove_headers(&mut self, mut unwanted: impl FnMut(&[u8]) -> bool) -> Vec<&'a [u8]> {
        let removed = self.message.remove_headers(&mut unwanted);
        if removed.is_empty() {
            return removed;
        }
        self.forget();
        names::distinct(removed)
    }
}

#[cfg(test)]
mod tests;
