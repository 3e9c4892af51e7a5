//! A long look at nothing: two versions that are the same, before a real Envoy whose rollback is on. Some
//! users always fail, some are always slow, and bursts fail at everybody. Fails if the rollback finds the
//! canary worse, or if it does not when the canary fails in the end.
//!
//! ```text
//! make soak DURATION=1800
//! ```

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use narrows_core::split::rollback::Health;
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster, wasm_filter};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions, version};
use narrows_harness::http2::Connection;
use narrows_harness::message::Request;
use narrows_runners::Filter;
use serde_json::json;

const USERS: u64 = 5_000;
/// Requests in a second, over two connections.
const RATE: u64 = 300;
/// One user in so many always fails, one is always slow.
const FAILS: u64 = 50;
const SLOW: u64 = 25;
/// In one second of so many, every third request fails, whoever asks.
const BURST: u64 = 20;
/// How often it says how things are, in seconds.
const SAID: u64 = 60;
/// How long a canary that fails may last in the end.
const LASTS: u64 = 30;
/// The header by which the canary fails.
const BREAKS: &str = "x-breaks";

fn main() -> anyhow::Result<()> {
    let seconds = std::env::args().nth(1).context("say for how many seconds")?.parse()?;
    let version = version()?;
    println!("{USERS} users, {RATE} requests a second, one in ten on the canary, {seconds} s");
    println!("Envoy {}", version.rsplit("version: ").next().unwrap_or(&version));
    let mut soak = Soak::start()?;
    println!("| second | requests | failed | slow | state | seconds suspect |");
    println!("|---|---|---|---|---|---|");
    for second in 1..=seconds {
        soak.second(second, second.is_multiple_of(BURST), false)?;
        if second.is_multiple_of(SAID) || second == seconds {
            soak.say(second);
        }
        let trips = soak.trips()?;
        anyhow::ensure!(
            trips == 0,
            "found worse in second {second}, and it is the same\n{}",
            soak.envoy.log()
        );
    }
    anyhow::ensure!(soak.unknown * 10 < seconds, "for {} of {seconds} s nothing was compared", soak.unknown);
    println!("\nno trip in {seconds} s. Now every user of the canary fails:");
    for second in 1..=LASTS {
        soak.second(seconds + second, false, true)?;
        if soak.state == u64::from(Health::Off) {
            println!("off after {second} s");
            return Ok(());
        }
    }
    anyhow::bail!("a canary that fails every request is on after {LASTS} s")
}

struct Soak {
    envoy: Envoy,
    clients: Vec<Connection>,
    _servers: [Echo; 2],
    random: u64,
    requests: u64,
    failed: u64,
    slow: u64,
    state: u64,
    suspect: u64,
    unknown: u64,
}

impl Soak {
    fn start() -> anyhow::Result<Self> {
        // One server for both: a canary with a server of its own has less to do, and is slower for that.
        let [both, broken] =
            [Echo::start("both", EchoOptions::default())?, Echo::start("broken", EchoOptions::default())?];
        broken.force_status(Some(500));
        let module = Filter::named("canary-split")?.wasm()?;
        let policy = json!({ "trust": "mesh", "splits": [{
            "name": "soak", "hosts": ["soak"], "key": [{ "header": "x-user-id" }],
            "rollback": { "errors": "enforce", "latency": "enforce", "clientErrors": "enforce", "warmup": "10s" },
            "backends": [{ "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 10 }] }] });
        let filter = wasm_filter(
            "canary-split",
            &module,
            &policy.to_string(),
            Some("{\"strict\": true}"),
            "FAIL_RELOAD",
        );
        let is = |name: &str, value: &str| json!({ "name": name, "string_match": { "exact": value } });
        let chosen = is("x-narrows-route", "canary");
        let failing = [chosen.clone(), is(BREAKS, "yes")];
        let routes = json!({ "name": "local", "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
            { "match": { "prefix": "/", "headers": failing }, "route": { "cluster": "broken" } },
            { "match": { "prefix": "/", "headers": [chosen] }, "route": { "cluster": "canary" } },
            { "match": { "prefix": "/" }, "route": { "cluster": "stable" } }] }] });
        let cluster = |name: &str, echo: &Echo| static_cluster(name, echo.addr(), true);
        let clusters = [cluster("stable", &both), cluster("canary", &both), cluster("broken", &broken)];
        let config = bootstrap(&[listener("http", &[filter], &routes)], &clusters);
        let envoy = Envoy::start(config, EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("soak") })?;
        let at = envoy.listener("http")?;
        Ok(Self {
            clients: vec![Connection::connect(at)?, Connection::connect(at)?],
            envoy,
            _servers: [both, broken],
            random: 1,
            requests: 0,
            failed: 0,
            slow: 0,
            state: Health::Unknown.into(),
            suspect: 0,
            unknown: 0,
        })
    }

    /// A second of traffic, in ten batches, and what the rollback says after it.
    fn second(&mut self, number: u64, is_burst: bool, is_broken: bool) -> anyhow::Result<()> {
        let start = Instant::now();
        let breaks = if is_broken { "yes" } else { "no" };
        for tenth in 1..=10u32 {
            let request = |_| self.request(is_burst).header(BREAKS, breaks);
            let batch: Vec<Request> = (0..RATE / 10).map(request).collect();
            let at = usize::try_from(number + u64::from(tenth))? % self.clients.len();
            let client = self.clients.get_mut(at).context("there are two")?;
            let answers = self.envoy.context(client.exchange_all(&batch))?;
            self.requests += RATE / 10;
            self.failed += answers.iter().filter(|answer| answer.status >= 500).map(|_| 1).sum::<u64>();
            thread::sleep((Duration::from_millis(100) * tenth).saturating_sub(start.elapsed()));
        }
        self.state = self.sum("narrows_split_rollback_state")?.context("the rollback has no gauge")?;
        self.suspect += u64::from(self.state == u64::from(Health::Suspect));
        self.unknown += u64::from(self.state == u64::from(Health::Unknown));
        Ok(())
    }

    /// A request of any user.
    fn request(&mut self, is_burst: bool) -> Request {
        let user = self.number() % USERS;
        let request = Request::get("soak", "/").header("x-user-id", format!("user-{user}"));
        let is_hit = is_burst && self.number().is_multiple_of(3);
        if user.is_multiple_of(FAILS) || is_hit {
            return request.header("x-echo-status", "503");
        }
        // One in fifty is refused now and then, on both sides.
        if user % FAILS == 1 && self.number().is_multiple_of(3) {
            return request.header("x-echo-status", "404");
        }
        if user % SLOW == 2 {
            self.slow += 1;
            return request.header("x-echo-delay-ms", (20 + self.number() % 20).to_string());
        }
        request
    }

    /// The same numbers in every run (`SplitMix64`).
    fn number(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
            mixed = (mixed ^ mixed >> shift).wrapping_mul(factor);
        }
        mixed ^ mixed >> 31
    }

    /// How often the canary was found worse, in any class.
    fn trips(&self) -> anyhow::Result<u64> {
        Ok(self.sum("narrows_split_rollbacks_total")?.unwrap_or_default())
    }

    /// The series of one name, together.
    fn sum(&self, name: &str) -> anyhow::Result<Option<u64>> {
        let stats = self.envoy.stats()?;
        let of_name = stats.iter().filter(|(series, _)| series.ends_with(name)).map(|(_, value)| *value);
        Ok(of_name.reduce(|sum, value| sum + value))
    }

    fn say(&self, second: u64) {
        let Self { requests, failed, slow, state, suspect, .. } = self;
        println!("| {second} | {requests} | {failed} | {slow} | {state} | {suspect} |");
    }
}
