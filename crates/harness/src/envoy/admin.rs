//! Questions to an Envoy's admin interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::http1;
use crate::message::Request;
use crate::prometheus::{self, Sample};
use crate::wait;

use super::{Envoy, PATIENCE};

impl Envoy {
    /// The body of an admin page.
    pub fn admin_get(&self, path: &str) -> anyhow::Result<String> {
        self.context(get(self.admin, path))
    }

    /// Posts to an admin page, without a body; the answer's body.
    pub fn admin_post(&self, path: &str) -> anyhow::Result<String> {
        self.context(ask(self.admin, "POST", path))
    }

    /// Where a listener listens; one on all addresses is reached on loopback.
    pub fn listener(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let page: Value = serde_json::from_str(&self.admin_get("/listeners?format=json")?)?;
        let listeners = page["listener_statuses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = listeners.iter().find(|listener| listener["name"] == name);
        let found = found.with_context(|| format!("{} has no listener `{name}`: {page}", self.name));
        let found = self.context(found)?;
        let address = &found["local_address"]["socket_address"];
        let ip: IpAddr = address["address"].as_str().unwrap_or_default().parse()?;
        let port = address["port_value"].as_u64().context("a listener without a port")?;
        let ip = if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip };
        Ok(SocketAddr::new(ip, u16::try_from(port)?))
    }

    /// All counters and gauges.
    pub fn stats(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let page = self.admin_get("/stats")?;
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(": ")?;
            // A histogram or a text is no number.
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(page.lines().filter_map(number).collect())
    }

    /// One counter or gauge; 0 if there is none, because Envoy makes many of
    /// them on first use.
    pub fn stat(&self, name: &str) -> anyhow::Result<u64> {
        Ok(self.stats()?.get(name).copied().unwrap_or(0))
    }

    /// Waits, ten seconds at most, until a counter or gauge has an expected
    /// value; returns that value.
    pub fn wait_for_stat(&self, name: &str, expected: impl Fn(u64) -> bool) -> anyhow::Result<u64> {
        let mut last = None;
        let what = format!("{} to count {name} as expected", self.name);
        let waited = wait::until(&what, PATIENCE, || {
            last = self.stats()?.get(name).copied();
            Ok(last.filter(|value| expected(*value)))
        });
        let waited = waited.with_context(|| match last {
            Some(value) => format!("{name} is {value}"),
            None => format!("there is no {name}"),
        });
        self.context(waited)
    }

    /// All series as Prometheus reads them.
    pub fn prometheus(&self) -> anyhow::Result<Vec<Sample>> {
        prometheus::parse(&self.admin_get("/stats/prometheus")?)
    }
}

/// Reads an admin page.
pub(super) fn get(admin: SocketAddr, path: &str) -> anyhow::Result<String> {
    ask(admin, "GET", path)
}

fn ask(admin: SocketAddr, method: &str, path: &str) -> anyhow::Result<String> {
    let mut connection = http1::Connection::connect_within(admin, LIMIT)?;
    let request = Request::new(method, "admin", path).header("connection", "close");
    let response = connection.exchange(&request)?;
    anyhow::ensure!(
        response.status == 200,
        "the admin page {path} answers {}: {}",
        response.status,
        response.text()
    );
    Ok(response.text())
}

// A module is compiled on the thread that answers.
const LIMIT: Duration = Duration::from_secs(30);
