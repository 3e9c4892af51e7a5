//! A gateway before two applications: routes of every kind, and a split of every request.

use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, listener, native_filter, refusing_filter, static_cluster};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::{Value, json};

/// The host that everybody asks for.
pub(super) const HOST: &str = "shop.example.com";
pub(super) const SOON: Duration = Duration::from_secs(15);

/// Two applications and what stands before them.
pub(super) struct Shop {
    pub(super) stable: Echo,
    pub(super) canary: Echo,
}

/// How the canary is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum By {
    Header,
    Host,
}

impl By {
    pub(super) const ALL: [Self; 2] = [Self::Header, Self::Host];

    /// A policy that sends every request to the canary; `more` are fields of its split.
    pub(super) fn policy(self, more: &Value) -> Value {
        let to = match self {
            Self::Header => json!({ "name": "canary", "to": "v2" }),
            Self::Host => json!({ "name": "canary", "authority": "canary.example.com" }),
        };
        let mut split = json!({ "name": "s", "onMissingKey": "canary",
            "backends": [{ "name": "stable", "baseline": true }, to] });
        for (name, value) in more.as_object().into_iter().flatten() {
            split[name] = value.clone();
        }
        json!({ "trust": "edge", "splits": [split] })
    }
}

impl Shop {
    pub(super) fn new() -> anyhow::Result<Self> {
        let app = |name: &str| Echo::start(name, EchoOptions::default());
        Ok(Self { stable: app("stable")?, canary: app("canary")? })
    }

    /// The gateway, with as many workers.
    pub(super) fn gateway(&self, filters: &[Value], routes: &Value, workers: u32) -> anyhow::Result<Envoy> {
        let mut filters = filters.to_vec();
        // Behind the split: one filter that refuses, and one that fails as a client says.
        filters.push(refusing_filter("x-refused"));
        filters.push(native_filter(
            "envoy.filters.http.fault",
            "envoy.extensions.filters.http.fault.v3.HTTPFault",
            json!({ "abort": { "header_abort": {}, "percentage": { "numerator": 100 } } }),
        ));
        let mut listener = listener("main", &filters, routes);
        listener["filter_chains"][0]["filters"][0]["typed_config"]["http2_protocol_options"] =
            json!({ "allow_connect": true });
        let empty = |name: &str| json!({ "name": name, "type": "STATIC", "load_assignment": { "cluster_name": name } });
        let clusters = [
            static_cluster("stable", self.stable.addr(), false),
            static_cluster("canary", self.canary.addr(), false),
            static_cluster("PassthroughCluster", self.stable.addr(), false),
            empty("legacy"),
            empty("no-hosts"),
        ];
        let options = EnvoyOptions { concurrency: workers, ..EnvoyOptions::named("guard") };
        Envoy::start(bootstrap(&[listener], &clusters), options)
    }
}

/// The filter with a policy.
pub(super) fn split(policy: &Value) -> Value {
    entry("canary-split", &policy.to_string())
}

/// A route below a prefix.
pub(super) fn route(prefix: &str, cluster: &str) -> Value {
    json!({ "match": { "prefix": prefix }, "route": { "cluster": cluster } })
}

/// The same, for a value of the route header.
pub(super) fn by_header(prefix: &str, value: &str, cluster: &str) -> Value {
    let mut route = route(prefix, cluster);
    route["match"]["headers"] = json!([{ "name": "x-narrows-route", "string_match": { "exact": value } }]);
    route
}

/// A route table as a gateway has it: `shop` are the routes of its one host, before those
/// below `/api`, and `canary` leads to the canary, by header or by its own host.
pub(super) fn table(shop: &[Value], canary: &str) -> Value {
    let mut routes = shop.to_vec();
    routes.push(by_header("/api", "v2", canary));
    routes.push(route("/api", "stable"));
    let mut own = shop.to_vec();
    own.push(route("/api", canary));
    hosts(&[(HOST, routes), ("canary.example.com", own)])
}

/// A route table of these hosts.
pub(super) fn hosts(hosts: &[(&str, Vec<Value>)]) -> Value {
    let host =
        |(name, routes): &(&str, Vec<Value>)| json!({ "name": name, "domains": [name], "routes": routes });
    json!({
        "name": "main",
        "validate_clusters": false,
        "ignore_port_in_host_matching": true,
        "virtual_hosts": hosts.iter().map(host).collect::<Vec<_>>(),
    })
}

/// A series of the canary.
pub(super) fn series(name: &str) -> String {
    format!("wasmcustom.split=.=s;.;backend=.=canary;.;narrows_split_{name}")
}

/// Which application serves the next user, or the status if none does.
pub(super) fn next(envoy: &Envoy) -> anyhow::Result<String> {
    at(envoy, HOST, "/api/books")
}

/// The same, of another host or path.
pub(super) fn at(envoy: &Envoy, host: &str, path: &str) -> anyhow::Result<String> {
    let answer = http1::exchange(envoy.listener("main")?, &Request::get(host, path))?;
    Ok(answer.headers.text("x-app").unwrap_or_else(|| answer.status.to_string()))
}
