//! What differs wherever a certain thing is converted.

use std::ops::Range;

use super::difference::Log;
use super::old::Redirect;

/// A condition on a query parameter.
pub(super) fn parameters(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "query parameters are percent-decoded before they are compared; Envoy compares them as they were sent",
        "write the value decoded",
    );
}

/// A redirect.
pub(super) fn redirects(redirect: &Redirect, at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "a redirect that would lead to the request itself lets it pass; Envoy answers it",
        "nothing: the client would have come back for ever",
    );
    if redirect.host.is_none() {
        log.differs(
            at,
            "the host of the location is in lower case; Envoy leaves it as the client wrote it",
            "nothing: a host has no letter case",
        );
    }
    if redirect.scheme.is_some() && redirect.port.is_none() {
        log.differs(
            at,
            "a port that the caller wrote is left out under another scheme; Envoy keeps one that is not usual",
            "write \"port\" if another port than the scheme's is meant",
        );
    }
}

/// An answer in place of the upstream.
pub(super) fn answers(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "a gRPC caller gets a gRPC status in place of the body",
        "nothing, unless gRPC callers read the body",
    );
}

/// A path that is rewritten.
pub(super) fn rewrites(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "where a rewrite leaves the path as it is, no x-envoy-original-path is written; Envoy always writes one",
        "nothing, unless an application needs the header on every request",
    );
}
