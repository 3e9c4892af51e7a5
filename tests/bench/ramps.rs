//! Two ramps, three ways to split, ten thousand users, one real Envoy each: who moves,
//! and who is sent back? Prints a table in Markdown, and fails if our filter sends
//! anybody back or from one canary to another.
//!
//! ```text
//! make filters envoy
//! cargo run -p narrows-tests --bin narrows-ramps
//! ```

use std::collections::BTreeMap;

use anyhow::Context;
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster, wasm_filter};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions, version};
use narrows_harness::http2;
use narrows_harness::message::Request;
use narrows_runners::Filter;
use serde_json::{Value, json};

const USERS: usize = 10_000;
/// Streams at a time: what one connection takes.
const BATCH: usize = 100;
/// The baseline first.
const APPS: [&str; 3] = ["stable", "a", "b"];
/// Weights before and after, as an operator writes them.
const RAMPS: [[&[u32]; 2]; 2] = [[&[90, 10], &[90, 20]], [&[80, 10, 10], &[70, 10, 20]]];

/// How users are divided.
#[derive(Clone, Copy)]
enum Method {
    Narrows,
    UseHashPolicy,
    Random,
}

/// How many users went where.
#[derive(Default)]
struct Moves {
    to_canary: usize,
    sent_back: usize,
    between: usize,
}

fn main() -> anyhow::Result<()> {
    let echoes = APPS
        .iter()
        .map(|name| Echo::start(name, EchoOptions::default()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let version = version()?;
    println!("{USERS} users on Envoy {}", version.rsplit("version: ").next().unwrap_or(&version));
    println!();
    println!(
        "| ramp | split by | on canaries before → after | moved | into a canary | sent back | between canaries |"
    );
    println!("|---|---|---|---|---|---|---|");
    for [before, after] in RAMPS {
        for method in [Method::Narrows, Method::UseHashPolicy, Method::Random] {
            let [from, to] = [served(method, before, &echoes)?, served(method, after, &echoes)?];
            let moves = Moves::between(&from, &to);
            println!(
                "| {} → {} | {} | {} → {} | {} | {} | {} | {} |",
                written(before),
                written(after),
                method.name(),
                from.iter().filter(|app| **app != 0).count(),
                to.iter().filter(|app| **app != 0).count(),
                moves.to_canary + moves.sent_back + moves.between,
                moves.to_canary,
                moves.sent_back,
                moves.between,
            );
            anyhow::ensure!(
                !matches!(method, Method::Narrows) || (moves.sent_back == 0 && moves.between == 0),
                "canary-split sent {} back and moved {} between canaries",
                moves.sent_back,
                moves.between,
            );
        }
    }
    Ok(())
}

/// Which application serves each user.
fn served(method: Method, weights: &[u32], echoes: &[Echo]) -> anyhow::Result<Vec<usize>> {
    let clusters: Vec<Value> =
        APPS.iter().zip(echoes).map(|(name, echo)| static_cluster(name, echo.addr(), false)).collect();
    let filters = match method {
        Method::Narrows => vec![narrows(weights)?],
        Method::UseHashPolicy | Method::Random => Vec::new(),
    };
    let routes = json!({ "name": "local", "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": method.routes(weights) }] });
    let config = bootstrap(&[listener("http", &filters, &routes)], &clusters);
    let envoy = Envoy::start(config, EnvoyOptions { concurrency: 2, ..EnvoyOptions::named(method.name()) })?;
    let mut connection = http2::Connection::connect(envoy.listener("http")?)?;
    let requests: Vec<Request> = (0..USERS)
        .map(|user| Request::get("stock", "/books").header("x-user-id", format!("user-{user}")))
        .collect();
    let apps: BTreeMap<&str, usize> = APPS.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let mut served = Vec::with_capacity(USERS);
    for batch in requests.chunks(BATCH) {
        for response in envoy.context(connection.exchange_all(batch))? {
            let name = response.headers.text("x-app").context("no application answered")?;
            served.push(*apps.get(&*name).context("an unknown application answered")?);
        }
    }
    Ok(served)
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Narrows => "canary-split",
            Self::UseHashPolicy => "weighted_clusters, use_hash_policy",
            Self::Random => "weighted_clusters, random",
        }
    }

    fn routes(self, weights: &[u32]) -> Value {
        let everything = json!({ "prefix": "/" });
        let weighted: Vec<Value> = APPS
            .iter()
            .zip(weights)
            .map(|(name, weight)| json!({ "name": name, "weight": weight }))
            .collect();
        match self {
            Self::Narrows => {
                let by_header = |name: &&str| {
                    let header = json!({ "name": "x-narrows-route", "string_match": { "exact": name } });
                    json!({ "match": { "prefix": "/", "headers": [header] }, "route": { "cluster": name } })
                };
                let rest = json!({ "match": everything, "route": { "cluster": APPS[0] } });
                APPS.iter().skip(1).map(by_header).chain([rest]).collect()
            }
            Self::UseHashPolicy => json!([{ "match": everything, "route": {
                "weighted_clusters": { "clusters": weighted, "use_hash_policy": true },
                "hash_policy": [{ "header": { "header_name": "x-user-id" } }],
            } }]),
            Self::Random => {
                json!([{ "match": everything, "route": { "weighted_clusters": { "clusters": weighted } } }])
            }
        }
    }
}

/// The same weights for our filter: what is not a canary's is the baseline's.
fn narrows(weights: &[u32]) -> anyhow::Result<Value> {
    let mut backends = vec![json!({ "name": APPS[0], "baseline": true })];
    for (name, weight) in APPS.iter().zip(weights).skip(1) {
        backends.push(json!({ "name": name, "to": name, "weight": weight, "maxWeight": 50 }));
    }
    let policy = json!({ "trust": "mesh", "splits": [{
        "name": "stock", "hosts": ["stock"], "key": [{ "header": "x-user-id" }], "backends": backends }] });
    let module = Filter::named("canary-split")?.wasm()?;
    Ok(wasm_filter("canary-split", &module, &policy.to_string(), Some("{\"strict\": true}"), "FAIL_RELOAD"))
}

impl Moves {
    fn between(from: &[usize], to: &[usize]) -> Self {
        let mut moves = Self::default();
        for (from, to) in from.iter().zip(to).filter(|(from, to)| from != to) {
            match (from, to) {
                (0, _) => moves.to_canary += 1,
                (_, 0) => moves.sent_back += 1,
                _ => moves.between += 1,
            }
        }
        moves
    }
}

fn written(weights: &[u32]) -> String {
    weights.iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
}
