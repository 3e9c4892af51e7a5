//! The sections of the bill: the same chains over both versions of HTTP, and before an application.

use std::rc::Rc;

use narrows_harness::bootstrap::{bootstrap, static_cluster};
use narrows_harness::client::Protocol;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::temp::TempDir;
use serde_json::Value;

use super::calls;
use super::chain::{Behind, Chain};
use super::form::Modules;
use super::load::Load;
use super::ours::{self, Choice};
use super::peers;
use super::rounds::{Extent, measure};

/// What was measured in one Envoy.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// What it is about.
    pub(super) title: &'static str,
    /// The chains, in the order of the table.
    pub(super) rows: Vec<Row>,
}

/// What was measured of one chain.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) note: &'static str,
    /// Microseconds for each request, by round.
    pub(super) samples: Vec<f64>,
}

pub(super) const HTTP1: &str = "HTTP/1.1, answered by Envoy";
pub(super) const HTTP2: &str = "HTTP/2, answered by Envoy";
pub(super) const CALLS: &str = "What a host call costs";
pub(super) const UPSTREAM: &str = "HTTP/1.1, answered by an application";

/// Measures all sections, with the modules of one commit or of two.
pub(super) fn sections(modules: &Modules, extent: Extent) -> anyhow::Result<Vec<Section>> {
    let empty = Empty::new()?;
    let few = few(modules, &empty);
    let plain = Running::start(all(modules, &empty), Behind::Nothing)?;
    let first = plain.section(HTTP1, Protocol::Http1, extent)?;
    let second = plain.keep(&few).section(HTTP2, Protocol::Http2, extent.halved())?;
    let behind = [few, vec![peers::weighted_clusters()]].concat();
    let third =
        Running::start(behind, Behind::Application)?.section(UPSTREAM, Protocol::Http1, extent.halved())?;
    let calls = [peers::bases(&empty.path), calls::chains(&empty.directory)?].concat();
    let fourth = Running::start(calls, Behind::Nothing)?.section(CALLS, Protocol::Http1, extent.halved())?;
    Ok(vec![first, second, third, fourth])
}

/// The chains of two commits, in one Envoy.
pub(super) fn pair(here: &Modules, other: &Modules, extent: Extent) -> anyhow::Result<Section> {
    let empty = Empty::new()?;
    let chains =
        [peers::bases(&empty.path), ours::chains(here, Choice::All), ours::chains(other, Choice::All)]
            .concat();
    Running::start(chains, Behind::Nothing)?.section(HTTP1, Protocol::Http1, extent)
}

/// Sends a few requests through all chains, which must all end where they should.
pub fn smoke() -> anyhow::Result<usize> {
    let empty = Empty::new()?;
    let beside = [calls::chains(&empty.directory)?, vec![peers::weighted_clusters()]].concat();
    let chains = [all(&Modules::here(), &empty), beside].concat();
    let running = Running::start(chains, Behind::Application)?;
    running.section(UPSTREAM, Protocol::Http1, Extent::SMOKE)?;
    Ok(running.section(HTTP2, Protocol::Http2, Extent::SMOKE)?.rows.len())
}

fn all(modules: &Modules, empty: &Empty) -> Vec<Chain> {
    let rbac = vec![peers::rbac()];
    [peers::bases(&empty.path), ours::chains(modules, Choice::All), peers::lua(), peers::routes(), rbac]
        .concat()
}

/// Those that the sections after the first have.
fn few(modules: &Modules, empty: &Empty) -> Vec<Chain> {
    [peers::bases(&empty.path), ours::chains(modules, Choice::Few), peers::lua(), vec![peers::rbac()]]
        .concat()
}

/// An Envoy with one worker and a listener for each chain.
pub(super) struct Running {
    chains: Vec<(String, Chain)>,
    envoy: Rc<Envoy>,
    behind: Behind,
    /// They live as long as the Envoy before them.
    applications: Rc<[Echo; 2]>,
}

impl Running {
    pub(super) fn start(chains: Vec<Chain>, behind: Behind) -> anyhow::Result<Self> {
        let applications =
            [Echo::start("stable", EchoOptions::default())?, Echo::start("canary", EchoOptions::default())?];
        let cluster = |(name, app): (&&str, &Echo)| static_cluster(name, app.addr(), false);
        let clusters: Vec<Value> = ["stable", "canary"].iter().zip(&applications).map(cluster).collect();
        let chains: Vec<(String, Chain)> =
            chains.into_iter().enumerate().map(|(place, chain)| (format!("chain-{place}"), chain)).collect();
        let listeners: Vec<Value> = chains.iter().map(|(name, chain)| chain.listener(name, behind)).collect();
        let options = EnvoyOptions {
            log_level: "warning".to_owned(),
            ready_within: READY_WITHIN,
            ..EnvoyOptions::named("bill")
        };
        let envoy = Rc::new(Envoy::start(bootstrap(&listeners, &clusters), options)?);
        Ok(Self { chains, envoy, behind, applications: Rc::new(applications) })
    }

    /// The same Envoy, of which only these chains are asked.
    fn keep(&self, few: &[Chain]) -> Self {
        let wanted = |chain: &Chain| few.iter().any(|other| other.name == chain.name);
        let chains = self.chains.iter().filter(|(_, chain)| wanted(chain)).cloned().collect();
        Self {
            chains,
            envoy: self.envoy.clone(),
            behind: self.behind,
            applications: self.applications.clone(),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.envoy.pid()
    }

    /// The clients of all chains, in their order.
    pub(super) fn loads(&self, protocol: Protocol) -> anyhow::Result<Vec<Load>> {
        let load = |(listener, chain): &(String, Chain)| {
            Load::to(self.envoy.listener(listener)?, chain, protocol, self.behind)
        };
        self.chains.iter().map(load).collect()
    }

    fn section(&self, title: &'static str, protocol: Protocol, extent: Extent) -> anyhow::Result<Section> {
        let loads = self.loads(protocol)?;
        let samples = self.envoy.context(measure(self.envoy.pid(), loads, extent))?;
        let row = |((_, chain), samples): (&(String, Chain), _)| Row {
            name: chain.name.clone(),
            note: chain.note,
            samples,
        };
        Ok(Section { title, rows: self.chains.iter().zip(samples).map(row).collect() })
    }
}

/// The module of the filter that does nothing, written where Envoy can read it.
pub(super) struct Empty {
    pub(super) path: std::path::PathBuf,
    directory: TempDir,
}

impl Empty {
    pub(super) fn new() -> anyhow::Result<Self> {
        let directory = TempDir::new("empty")?;
        let path = directory.write("empty.wasm", wat::parse_str(include_str!("empty.wat"))?)?;
        Ok(Self { path, directory })
    }
}

/// Each module is compiled, and each policy of ten thousand rules is read, in every VM.
pub(super) const READY_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);
