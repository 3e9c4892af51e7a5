//! `bobbys-front-end` calls the stock application through its sidecar: a real Envoy
//! with routes and clusters as Istio makes them, and the filter from `dist`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use narrows_core::split::Splitter;
use narrows_core::{Policy, PolicyValue, Request as Asked};
use narrows_harness::bootstrap::{bootstrap, listener, static_cluster, wasm_filter};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_harness::temp::TempDir;
use serde_json::{Value, json};

/// The service that is called, as an application writes it.
pub const STOCK: &str = "stock:8080";
/// The cluster of its baseline.
pub const STABLE: &str = "outbound|8080||stock.books.svc.cluster.local";
/// The cluster of its canary.
pub const CANARY: &str = "outbound|8080||stock-canary.books.svc.cluster.local";

/// Two applications, and the clusters that Envoy knows, which may change.
pub struct Books {
    /// The baseline.
    pub stable: Echo,
    /// The canary.
    pub canary: Echo,
    directory: TempDir,
}

impl Books {
    /// The applications, and Envoy's clusters to begin with.
    pub fn new() -> anyhow::Result<Self> {
        let books = Self {
            stable: Echo::start("stable", EchoOptions::default())?,
            canary: Echo::start("canary", EchoOptions::default())?,
            directory: TempDir::new("books")?,
        };
        books.clusters(&[books.canary_cluster()])?;
        Ok(books)
    }

    /// A sidecar with two workers.
    pub fn sidecar(&self, filter: Value, routes: &Value) -> anyhow::Result<Envoy> {
        self.sidecar_with(&[filter], routes)
    }

    /// A sidecar with two workers and several filters.
    pub fn sidecar_with(&self, filters: &[Value], routes: &Value) -> anyhow::Result<Envoy> {
        let mut listener = listener("http", filters, routes);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        // A weight that counts nothing else: no connection is closed in the middle.
        manager["common_http_protocol_options"] = json!({ "idle_timeout": "300s" });
        let address = self.stable.addr();
        let static_clusters =
            [static_cluster(STABLE, address, false), static_cluster("PassthroughCluster", address, false)];
        let mut config = bootstrap(&[listener], &static_clusters);
        config["dynamic_resources"] = json!({ "cds_config": {
            "resource_api_version": "V3",
            "path_config_source": {
                "path": self.directory.path().join(CDS),
                "watched_directory": { "path": self.directory.path() },
            },
        } });
        Envoy::start(config, EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("sidecar") })
    }

    /// The canary's cluster, with its one host.
    pub fn canary_cluster(&self) -> Value {
        static_cluster(CANARY, self.canary.addr(), false)
    }

    /// Publishes the clusters that exist besides the stable one.
    pub fn clusters(&self, clusters: &[Value]) -> anyhow::Result<()> {
        let resources: Vec<Value> = clusters
            .iter()
            .map(|cluster| {
                let mut cluster = cluster.clone();
                cluster["@type"] = json!("type.googleapis.com/envoy.config.cluster.v3.Cluster");
                cluster
            })
            .collect();
        let draft = self.directory.write("draft", json!({ "resources": resources }).to_string())?;
        Ok(std::fs::rename(draft, self.directory.path().join(CDS))?)
    }
}

/// The same cluster without hosts: a Service without ready pods.
pub fn emptied(mut cluster: Value) -> Value {
    cluster["load_assignment"]["endpoints"] = json!([]);
    cluster
}

/// Routes as Istio makes them for a port that it knows to be HTTP: a virtual host for
/// each service, and one for everything else.
pub fn routes(rest: &Value) -> Value {
    let service = |name: &str, cluster: &str| {
        let domains = [name.to_owned(), format!("{name}.books"), format!("{name}.books.svc.cluster.local")];
        json!({ "name": cluster, "domains": domains, "routes": [route(cluster)] })
    };
    json!({
        "name": "8080",
        "validate_clusters": false,
        "ignore_port_in_host_matching": true,
        "virtual_hosts": [
            service("stock", STABLE),
            service("stock-canary", CANARY),
            { "name": "rest", "domains": ["*"], "routes": [rest] },
        ],
    })
}

/// Istio's answer to unknown hosts, by default.
pub fn allow_any() -> Value {
    route("PassthroughCluster")
}

/// A route of everything.
pub fn route(cluster: &str) -> Value {
    json!({ "match": { "prefix": "/" }, "route": { "cluster": cluster } })
}

/// A policy for the stock application; `more` are further fields of its one split.
pub fn policy(weight: u32, more: &Value) -> Value {
    let mut split = json!({
        "name": "stock",
        "service": "stock.books",
        "key": [{ "header": "x-user-id" }],
        "backends": [
            { "name": "stable", "baseline": true },
            { "name": "canary", "authority": "stock-canary", "weight": weight, "maxWeight": 100 },
        ],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        split[name] = value.clone();
    }
    json!({ "trust": "mesh", "splits": [split] })
}

/// The filter's entry in a listener.
pub fn filter(policy: &Value) -> anyhow::Result<Value> {
    let strict = Some("{\"strict\": true}");
    Ok(wasm_filter("canary-split", &module()?, &policy.to_string(), strict, "FAIL_RELOAD"))
}

/// The module under test.
pub fn module() -> anyhow::Result<PathBuf> {
    narrows_harness::module("canary-split").and_then(|path| Ok(Path::canonicalize(&path)?))
}

/// A request of a user.
pub fn by(user: &str) -> Request {
    Request::get(STOCK, "/books").header("x-user-id", user)
}

/// Which application answered.
pub fn app(response: &Response) -> anyhow::Result<String> {
    anyhow::ensure!(response.status == 200, "{}: {}", response.status, response.text());
    response.headers.text("x-app").context("no application answered")
}

/// Asks once for a user, on a connection of its own.
pub fn ask(envoy: &Envoy, user: &str) -> anyhow::Result<Response> {
    http1::exchange(envoy.listener("http")?, &by(user))
}

/// What the arithmetic says, without any proxy.
pub struct Oracle(BTreeMap<String, String>);

impl Oracle {
    /// The backend of each user under a policy, for the stock application.
    ///
    /// # Panics
    /// If the policy is not good.
    pub fn new(policy: &Value, users: &[String]) -> Self {
        Self::of(policy, STOCK, users)
    }

    /// The same for another service.
    ///
    /// # Panics
    /// If the policy is not good.
    pub fn of(policy: &Value, service: &str, users: &[String]) -> Self {
        let tree = PolicyValue::parse(policy.to_string().as_bytes()).expect("the policy is JSON");
        let splitter = Splitter::compile(&tree).expect("the policy is good");
        let backend = |user: &String| {
            let headers = [(":authority", service), (":path", "/books"), ("x-user-id", user)];
            let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let verdict = splitter.decide(Asked::new(lines)).1.expect("it is the split's");
            splitter.backend(verdict.split, verdict.backend).expect("it has a name").to_owned()
        };
        Self(users.iter().map(|user| (user.clone(), backend(user))).collect())
    }

    /// The backend of a user.
    pub fn backend(&self, user: &str) -> &str {
        &self.0[user]
    }
}

/// A series of the canary as Envoy names it.
pub fn series(name: &str) -> String {
    format!("wasmcustom.split=.=stock;.;backend=.=canary;.;narrows_split_{name}")
}

/// Users by number.
pub fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user-{number}")).collect()
}

const CDS: &str = "clusters.json";
