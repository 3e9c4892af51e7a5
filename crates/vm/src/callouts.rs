//! Callouts: what the filter asked other services, and what a test lets them answer.

use std::time::Duration;

use super::headers::Headers;

/// A request that the filter sent on its own account.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// Names the call when its answer comes.
    pub token: u32,
    /// The root context that owns it.
    pub root: u32,
    /// The cluster it was sent to.
    pub cluster: String,
    /// Its headers, pseudo headers first.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// How long the filter will wait; zero is for ever.
    pub timeout: Duration,
}

/// An answer to a callout. No headers at all is how Envoy reports a failed transport.
#[derive(Clone, Default, Debug)]
pub struct CallResponse {
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// Its trailers.
    pub trailers: Headers,
}

impl CallResponse {
    /// An answer with a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { headers: Headers::new().with(":status", status.to_string()), ..Self::default() }
    }

    /// The callback with no headers: the connection broke.
    pub fn failed() -> Self {
        Self::default()
    }
}
