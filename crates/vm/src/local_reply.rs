//! A local reply, as the filter gave it.

use super::headers::Headers;

/// A reply that the filter sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalReply {
    /// The status.
    pub status: u32,
    /// The headers that the filter gave; the client's are in [`Outcome::response`](super::Outcome::response).
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The gRPC status, if the filter gave one.
    pub grpc_status: Option<u32>,
    /// `%RESPONSE_CODE_DETAILS%`, spaces replaced as Envoy does.
    pub details: String,
}
