//! One client for both versions of HTTP.

use std::net::SocketAddr;

use crate::message::{Request, Response};
use crate::{http1, http2};

/// Which HTTP to speak: the same test can run over each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1, written by hand so that nothing is tidied up.
    Http1,
    /// HTTP/2 over clear text with prior knowledge.
    Http2,
}

/// One connection of either version.
#[derive(Debug)]
pub enum Client {
    /// Over HTTP/1.1.
    Http1(http1::Connection),
    /// Over HTTP/2.
    Http2(http2::Connection),
}

// === impl Client ===

impl Client {
    /// Connects.
    pub fn connect(protocol: Protocol, address: SocketAddr) -> anyhow::Result<Self> {
        Ok(match protocol {
            Protocol::Http1 => Self::Http1(http1::Connection::connect(address)?),
            Protocol::Http2 => Self::Http2(http2::Connection::connect(address)?),
        })
    }

    /// Sends one request and waits for its whole answer.
    pub fn exchange(&mut self, request: &Request) -> anyhow::Result<Response> {
        match self {
            Self::Http1(connection) => connection.exchange(request),
            Self::Http2(connection) => connection.exchange(request),
        }
    }
}
