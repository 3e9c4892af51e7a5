//! The client: several requests at once to each chain, so that the worker seldom sleeps.
//!
//! A worker that waits for the next request has cold caches when it comes, and pays for waking up. Both
//! are larger than a filter, vary from round to round, and are not what a busy proxy pays.

use std::net::SocketAddr;

use anyhow::Context;
use narrows_harness::client::Protocol;
use narrows_harness::message::{Request, Response};
use narrows_harness::{http1, http2};

use super::chain::{Behind, Chain, End};

/// How many requests are under way at once.
pub(super) const AT_ONCE: usize = 8;

/// Connections to a chain, and the request that they repeat.
pub(super) struct Load {
    connections: Connections,
    /// The cost is Envoy's alone, so the client may be slow; but the requests are written only once.
    bytes: Vec<u8>,
    requests: Vec<Request>,
    chain: Chain,
    behind: Behind,
}

enum Connections {
    /// One for each request that is under way.
    Http1(Vec<http1::Connection>),
    /// One for all of them.
    Http2(http2::Connection),
}

impl Load {
    pub(super) fn to(
        at: SocketAddr,
        chain: &Chain,
        protocol: Protocol,
        behind: Behind,
    ) -> anyhow::Result<Self> {
        let one = |_| http1::Connection::connect(at);
        let connections = match protocol {
            Protocol::Http1 => Connections::Http1((0..AT_ONCE).map(one).collect::<anyhow::Result<_>>()?),
            Protocol::Http2 => Connections::Http2(http2::Connection::connect(at)?),
        };
        let requests = vec![chain.request.clone(); AT_ONCE];
        let bytes = http1::request_bytes(&chain.request);
        Ok(Self { connections, bytes, requests, chain: chain.clone(), behind })
    }

    /// See [`Chain::group`].
    pub(super) fn group(&self) -> &str {
        &self.chain.group
    }

    /// Sends the request so many times, or fewer if it is dear, and says how many times: a multiple of
    /// [`AT_ONCE`]. Every answer must be the right one.
    pub(super) fn send(&mut self, times: u32) -> anyhow::Result<u32> {
        let all_at_once = u32::try_from(AT_ONCE)?;
        let turns = (times / self.chain.scarcity).div_ceil(all_at_once).max(1);
        for _ in 0..turns {
            for answer in self.exchange()? {
                self.check(&answer).with_context(|| self.chain.name.clone())?;
            }
        }
        Ok(turns * all_at_once)
    }

    fn exchange(&mut self) -> anyhow::Result<Vec<Response>> {
        match &mut self.connections {
            Connections::Http1(all) => {
                all.iter_mut().try_for_each(|connection| connection.send_raw(&self.bytes))?;
                all.iter_mut().map(|connection| connection.receive("GET")).collect()
            }
            Connections::Http2(connection) => connection.exchange_all(&self.requests),
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
