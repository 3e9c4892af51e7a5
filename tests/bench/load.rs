//! The client: eight requests at a time to each chain.
//!
//! One at a time would let the worker sleep between any two, and each would find the caches cold: a proxy whose
//! processor time matters is busy.

use std::net::SocketAddr;

use anyhow::Context;
use narrows_harness::client::Protocol;
use narrows_harness::message::Response;
use narrows_harness::{http1, http2};

use super::chain::{Behind, Chain, End};

/// As many requests are under way together.
pub(super) const TOGETHER: u32 = 8;

/// The connections to a chain, and the request that they repeat.
pub(super) struct Load {
    connections: Connections,
    /// The cost is Envoy's alone, so the client may be slow; but a request is written only once.
    bytes: Vec<u8>,
    chain: Chain,
    behind: Behind,
}

enum Connections {
    /// One for each request of those that are under way together.
    Http1(Vec<http1::Connection>),
    /// One, with a stream for each.
    Http2(http2::Connection),
}

impl Load {
    pub(super) fn to(
        at: SocketAddr,
        chain: &Chain,
        protocol: Protocol,
        behind: Behind,
    ) -> anyhow::Result<Self> {
        let connections = match protocol {
            Protocol::Http1 => Connections::Http1(
                (0..TOGETHER).map(|_| http1::Connection::connect(at)).collect::<anyhow::Result<_>>()?,
            ),
            Protocol::Http2 => Connections::Http2(http2::Connection::connect(at)?),
        };
        Ok(Self { connections, bytes: http1::request_bytes(&chain.request), chain: chain.clone(), behind })
    }

    /// See [`Chain::group`].
    pub(super) fn group(&self) -> &str {
        &self.chain.group
    }

    /// Sends the request so many times, or fewer if it is dear, and says how many times. Every answer
    /// must be the right one.
    pub(super) fn send(&mut self, times: u32) -> anyhow::Result<u32> {
        let times = (times / self.chain.scarcity).max(1);
        let mut left = times;
        while left > 0 {
            let together = left.min(TOGETHER);
            for answer in self.ask(together)? {
                self.check(&answer).with_context(|| self.chain.name.clone())?;
            }
            left -= together;
        }
        Ok(times)
    }

    /// Sends so many requests, at most [`TOGETHER`], before it reads an answer.
    fn ask(&mut self, together: u32) -> anyhow::Result<Vec<Response>> {
        match &mut self.connections {
            Connections::Http1(connections) => {
                let connections = connections.iter_mut().take(together as usize);
                let mut asked = Vec::new();
                for connection in connections {
                    connection.send_raw(&self.bytes)?;
                    asked.push(connection);
                }
                asked.into_iter().map(|connection| connection.receive("GET")).collect()
            }
            Connections::Http2(connection) => {
                connection.exchange_all(&vec![self.chain.request.clone(); together as usize])
            }
        }
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
