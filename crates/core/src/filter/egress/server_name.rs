//! `sni`: what becomes of a request on a TLS connection that was opened to another name.

use super::destination::{Destination, Host};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::read::{self, Fields};

/// Which name a connection must have been opened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ServerName {
    /// The request's own.
    #[default]
    Same,
    /// One that the rules allow as well.
    Rules,
    /// Any.
    Ignore,
}

const WORDS: [(&str, ServerName); 3] =
    [("same", ServerName::Same), ("rules", ServerName::Rules), ("ignore", ServerName::Ignore)];

/// `sni` of a policy.
pub(super) const SNI: Field = field!(
    "sni",
    Words(|| words(&WORDS)),
    Says("same"),
    "The name to which a TLS connection was opened: the request's host, one that is allowed too, or any."
);

/// What a connection's name is to a request.
pub(super) enum Opened<'n> {
    /// Nothing against it.
    Fine,
    /// Another host, which the rules must allow too.
    Elsewhere(Destination<'n>),
    /// Another name, which is not allowed.
    Wrong,
}

impl ServerName {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Invalid> {
        Ok(fields.optional(SNI.name, |t| read::word(t, &WORDS))?.unwrap_or_default())
    }

    /// Compares the name that a connection was opened to with the host of a request. Istio's own names
    /// (`outbound_.443_._.gateway…`) name the gateway, not the destination of the request.
    pub(super) fn judge<'n>(self, name: &'n [u8], host: &Host<'_>) -> Opened<'n> {
        if self == Self::Ignore || name.is_empty() || name.starts_with(b"outbound_.") {
            return Opened::Fine;
        }
        match Destination::of(name) {
            Ok(opened) if opened.host == *host => Opened::Fine,
            Ok(opened) if self == Self::Rules => Opened::Elsewhere(opened),
            _ => Opened::Wrong,
        }
    }
}
