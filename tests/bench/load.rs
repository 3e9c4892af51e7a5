//! The client: one connection to each chain, one request at a time.

use std::net::SocketAddr;

use anyhow::Context;
use narrows_harness::client::Protocol;
use narrows_harness::message::Response;
use narrows_harness::{http1, http2};

use super::chain::{Behind, Chain, End};

/// A connection to a chain, and the request that it repeats.
pub(super) struct Load {
    connection: Connection,
    /// The cost is Envoy's alone, so the client may be slow; but a request is written only once.
    bytes: Vec<u8>,
    chain: Chain,
    behind: Behind,
}

enum Connection {
    Http1(http1::Connection),
    Http2(http2::Connection),
}

impl Load {
    pub(super) fn to(
        at: SocketAddr,
        chain: &Chain,
        protocol: Protocol,
        behind: Behind,
    ) -> anyhow::Result<Self> {
        let connection = match protocol {
            Protocol::Http1 => Connection::Http1(http1::Connection::connect(at)?),
            Protocol::Http2 => Connection::Http2(http2::Connection::connect(at)?),
        };
        Ok(Self { connection, bytes: http1::request_bytes(&chain.request), chain: chain.clone(), behind })
    }

    /// See [`Chain::group`].
    pub(super) fn group(&self) -> &str {
        &self.chain.group
    }

    /// Sends the request so many times, or fewer if it is dear, and says how many times. Every answer
    /// must be the right one.
    pub(super) fn send(&mut self, times: u32) -> anyhow::Result<u32> {
        let times = (times / self.chain.scarcity).max(1);
        for _ in 0..times {
            let answer = match &mut self.connection {
                Connection::Http1(connection) => {
                    connection.send_raw(&self.bytes)?;
                    connection.receive("GET")?
                }
                Connection::Http2(connection) => connection.exchange(&self.chain.request)?,
            };
            self.check(&answer).with_context(|| self.chain.name.clone())?;
        }
        Ok(times)
    }

    fn check(&self, answer: &Response) -> anyhow::Result<()> {
        let end = match (self.behind, answer.status) {
            (_, 403) => End::Refused,
            (Behind::Nothing, 200) => End::Stable,
            (Behind::Nothing, 204) => End::Canary,
            (Behind::Application, 200) => {
                let app = answer.headers.first("x-app").context("no application answered")?;
                if app == b"canary" { End::Canary } else { End::Stable }
            }
            (_, status) => anyhow::bail!("status {status}: {}", answer.text()),
        };
        anyhow::ensure!(end == self.chain.end, "the request ended at {end:?}, not at {:?}", self.chain.end);
        Ok(())
    }
}
