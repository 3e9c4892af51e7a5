//! What both forms do with one request, compared.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use narrows_cases::Case;
use narrows_harness::client::Client;
use narrows_harness::echo::Echo;
use narrows_harness::envoy::Envoy;
use narrows_harness::message::Response;
use narrows_runners::STATE;
use narrows_runners::envoy::request;

use super::protocol;

/// The same combination in two forms on one Envoy.
pub(super) struct Both<'e> {
    envoy: &'e Envoy,
    echo: &'e Echo,
    at: [SocketAddr; 2],
}

/// What became of a request, as lines that can be compared.
type Lines = BTreeSet<String>;

impl<'e> Both<'e> {
    pub(super) fn new(envoy: &'e Envoy, echo: &'e Echo, number: usize) -> anyhow::Result<Self> {
        let at = |kind: &str| envoy.listener(&format!("{kind}-{number}"));
        Ok(Self { envoy, echo, at: [at("chain")?, at("merged")?] })
    }

    /// Everything in which the two differ on a case's request.
    pub(super) fn disagreements(&self, case: &Case) -> anyhow::Result<Vec<String>> {
        let [chain, merged] = self.at;
        let (chain, merged) = (self.lines(case, chain)?, self.lines(case, merged)?);
        let only = |who: &str, one: &Lines, other: &Lines| {
            one.difference(other).map(|line| format!("only {who}: {line}")).collect::<Vec<_>>()
        };
        Ok([only("the chain", &chain, &merged), only("the merged plugin", &merged, &chain)].concat())
    }

    fn lines(&self, case: &Case, at: SocketAddr) -> anyhow::Result<Lines> {
        let (served, before) = (self.echo.requests(), self.settled()?);
        let sent = request(case);
        let response = Client::connect(protocol(case), at)?.exchange(&sent)?;
        let mut lines = Lines::new();
        if self.echo.requests() > served
            && let Some(received) = self.echo.last()
        {
            lines.insert(format!("upstream {} {} {}", received.method, received.authority, received.target));
            // The order of different names makes no difference; that of one name does.
            let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in received.headers.iter().filter(|(name, _)| *name != b"x-request-id") {
                values.entry(text(name)).or_default().push(text(value));
            }
            lines.extend(values.iter().map(|(name, values)| format!("upstream {name}: {values:?}")));
        }
        let client: BTreeSet<String> =
            sent.headers.iter().map(|(name, _)| text(name).to_ascii_lowercase()).collect();
        answer(&response, self.echo.requests() > served, &client, &mut lines);
        for (name, value) in self.settled()? {
            let moved = value.saturating_sub(before.get(&name).copied().unwrap_or_default());
            // These move on a tick, or are of the log that the plugins of a filter share.
            let apart = [
                "narrows_tags_series",
                "narrows_egress_unlisted_total",
                "narrows_egress_learned_hosts",
                "narrows_split_buckets",
            ];
            if moved > 0 && !apart.iter().any(|end| name.ends_with(end)) {
                lines.insert(format!("count {name} +{moved}"));
            }
        }
        Ok(lines)
    }

    /// The counters, once they no longer move: some are counted after the answer.
    fn settled(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let ours = |stats: BTreeMap<String, u64>| -> BTreeMap<String, u64> {
            stats.into_iter().filter(|(name, _)| name.starts_with("wasmcustom.")).collect()
        };
        let mut last = ours(self.envoy.stats()?);
        loop {
            std::thread::sleep(Duration::from_millis(15));
            let now = ours(self.envoy.stats()?);
            if now == last {
                return Ok(now);
            }
            last = now;
        }
    }
}

/// What the caller got; `client` are the names of the headers that it had sent.
fn answer(response: &Response, is_served: bool, client: &BTreeSet<String>, lines: &mut Lines) {
    lines.insert(format!("status {}", response.status));
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers.iter() {
        let (name, mut value) = (text(name).to_ascii_lowercase(), text(value));
        if ["date", "x-envoy-upstream-service-time", "content-length"].contains(&&*name) {
            continue;
        }
        // The words stand in the order in which they were said. In a chain, filters behind one that
        // answers say nothing.
        if name == format!("{STATE}narrows-stripped") {
            if !is_served {
                continue;
            }
            let mut words: BTreeSet<&str> = value.split(',').collect();
            // The plugin strips for all parts before the first one decides. In a chain, an earlier filter may
            // have written over what the client sent: then nothing is left to be stripped.
            let is_over = |word: &&str| word.strip_prefix('=').is_some_and(|name| client.contains(name));
            if words.iter().any(is_over) {
                words.remove("<");
            }
            value = words.into_iter().collect::<Vec<_>>().join(",");
        }
        // An id is another one each time.
        if let Some((id, attributes)) = value.split_once(';').filter(|_| name == "set-cookie") {
            value = format!("{};{attributes}", id.split('=').next().unwrap_or_default());
        }
        // A second may pass between the two.
        if let Some((before, after)) = value.split_once("; at=") {
            let rest = after.split_once(';').map_or("", |(_, rest)| rest);
            value = format!("{before};{rest}");
        }
        values.entry(name).or_default().push(value);
    }
    lines.extend(values.iter().map(|(name, values)| format!("response {name}: {values:?}")));
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
