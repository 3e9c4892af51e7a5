//! An old configuration and its policy, side by side on one Envoy.

use std::collections::BTreeMap;
use std::time::Duration;

use narrows::migrate::difference::{Difference, Kind};
use narrows::migrate::{Made, migrate};
use narrows::source::SourceFile;
use narrows_core::PolicyValue;
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::{Value, json};

/// Both sides.
pub(crate) struct Sides {
    _envoy: Envoy,
    echo: Echo,
    clients: [Client; 2],
    /// The clusters among which somebody chooses by weight.
    pub(crate) drawn: Vec<String>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) cluster: Option<String>,
    pub(crate) location: Option<String>,
    /// The body, if the upstream did not make it.
    pub(crate) body: Option<Vec<u8>>,
    /// What the upstream got: target, host, and the headers that somebody may have edited.
    pub(crate) upstream: Option<(String, String, BTreeMap<String, String>)>,
    /// The response's headers, likewise.
    pub(crate) response: BTreeMap<String, String>,
}

/// A conversion that must succeed.
pub(crate) fn converted(text: &str, key: &[PolicyValue]) -> (Made, Vec<Difference>) {
    let source = SourceFile { path: "old.yaml".to_owned(), text: text.to_owned() };
    let Ok(migration) = migrate(&[source], key) else { panic!("nothing is converted of\n{text}") };
    let refused: Vec<_> = migration.differences.iter().filter(|one| one.kind == Kind::Refused).collect();
    assert!(refused.is_empty(), "{refused:#?}\n{text}");
    (migration.made.expect("nothing was refused"), migration.differences)
}

/// A value as JSON.
pub(crate) fn json_of(tree: &PolicyValue) -> Value {
    serde_json::from_str(&narrows::write::json::lines(tree)).unwrap()
}

impl Sides {
    /// Starts both: the old virtual hosts, and the policy before the new ones.
    pub(crate) fn start(old: &[Value], made: &Made, new: &[Value]) -> Self {
        let echo = Echo::start("app", EchoOptions::default()).unwrap();
        let table = |hosts: &[Value]| {
            json!({ "name": "table", "virtual_hosts": hosts, "ignore_port_in_host_matching": true,
                "response_headers_to_add": [{ "header": { "key": "x-cluster", "value": "%UPSTREAM_CLUSTER%" } }] })
        };
        let filter = entry(made.filter.name(), &json_of(&made.policy).to_string());
        let listeners = [listener("theirs", &[], &table(old)), listener("ours", &[filter], &table(new))];
        let mut clusters = Vec::new();
        old.iter().chain(new).for_each(|host| names(host, &mut clusters));
        clusters.sort();
        clusters.dedup();
        let clusters: Vec<Value> =
            clusters.iter().map(|name| static_cluster(name, echo.addr(), false)).collect();
        let envoy = Envoy::start(
            bootstrap(&listeners, &clusters),
            EnvoyOptions { ready_within: Duration::from_mins(2), ..EnvoyOptions::named("migrate") },
        );
        let envoy = envoy.unwrap_or_else(|e| panic!("{e:#}\n{:#}", json_of(&made.policy)));
        let clients = ["theirs", "ours"]
            .map(|name| Client::connect(Protocol::Http1, envoy.listener(name).unwrap()).unwrap());
        let mut drawn = Vec::new();
        old.iter().for_each(|host| weighted(host, &mut drawn));
        Self { _envoy: envoy, echo, clients, drawn }
    }

    /// Sends a request to one side.
    pub(crate) fn send(&mut self, side: usize, request: &Request) -> Seen {
        let before = self.echo.requests();
        let answer = self.clients[side].exchange(request).unwrap_or_else(|e| panic!("{e:#}: {request:?}"));
        let is_through = self.echo.requests() > before;
        let upstream = is_through
            .then(|| self.echo.last().unwrap())
            .map(|got| (got.target.clone(), got.authority.clone(), edited(got.headers.iter())));
        Seen {
            status: answer.status,
            cluster: answer.headers.text("x-cluster").filter(|_| is_through),
            location: answer.headers.text("location"),
            body: (!is_through && answer.status != 404).then(|| answer.body.clone()),
            upstream,
            response: edited(answer.headers.iter()),
        }
    }
}

/// The headers that somebody may have edited; those of Envoy and of the transport are left out.
fn edited<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let others = [
            "x-narrows-route",
            "x-request-id",
            "x-envoy-expected-rq-timeout-ms",
            "x-cluster",
            "x-envoy-upstream-service-time",
            "date",
            "content-length",
            "location",
            "server",
            "host",
            "x-forwarded-proto",
            "transfer-encoding",
            "content-type",
            "connection",
        ];
        if !others.contains(&&*name) {
            let value = String::from_utf8_lossy(value).into_owned();
            all.entry(name).and_modify(|known| *known = format!("{known},{value}")).or_insert(value);
        }
    }
    all
}

/// The clusters that a tree names.
fn names(tree: &Value, found: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("cluster", Value::String(cluster)) => found.push(cluster.clone()),
                    ("clusters", Value::Array(list)) => {
                        found.extend(list.iter().filter_map(|one| Some(one["name"].as_str()?.to_owned())));
                    }
                    _ => names(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| names(one, found)),
        _ => {}
    }
}

/// The clusters that have weights.
fn weighted(tree: &Value, found: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "weighted_clusters" {
                    names(&json!({ name: value }), found);
                } else {
                    weighted(value, found);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| weighted(one, found)),
        _ => {}
    }
}
