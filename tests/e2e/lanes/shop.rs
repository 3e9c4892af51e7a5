//! A shop of three services, each behind a sidecar of its own: `front` calls `orders`, `orders` calls `stock`, and the
//! applications hand on nothing but what they are told to.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::echo::{Call, Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::{Request, Response};
use narrows_tests::entry;
use serde_json::{Value, json};

/// The lanes of the tests.
pub(super) const LANES: &str =
    r#"{ "trust": "mesh", "lane": { "header": "x-lane", "values": ["gray", "dev-*"] } }"#;

/// A split of one service: what is in the gray lane goes to the gray version.
fn split(service: &str) -> String {
    json!({ "trust": "mesh", "splits": [{
        "name": service,
        "hosts": [service],
        "key": [{ "header": "x-lane" }],
        "include": [{ "matches": [{ "headers": { "x-lane": { "exact": "gray" } } }], "backend": "gray" }],
        "backends": [
            { "name": "base", "baseline": true },
            { "name": "gray", "authority": format!("{service}-gray"), "weight": 0 },
        ] }] })
    .to_string()
}

/// The services, from the last to the first.
pub(super) struct Shop {
    /// Where a request comes in to `front`.
    pub(super) front: SocketAddr,
    /// The sidecars of `stock`, `orders` and `front`.
    pub(super) sidecars: Vec<Envoy>,
    _apps: Vec<Echo>,
}

/// What a sidecar is given besides its own listeners.
struct Sidecar<'s> {
    name: &'s str,
    /// The application, or its versions, each with a listener of its own.
    apps: &'s [(&'s str, SocketAddr)],
    /// The service that it calls: its versions, of which one may have no host.
    calls: Option<(&'s str, Vec<(String, Option<SocketAddr>)>)>,
    tracing: Option<Value>,
}

impl Shop {
    /// A shop whose applications hand on these headers of tracing. Of `orders` there is no gray version that runs.
    pub(super) fn new(traces: &[&str]) -> anyhow::Result<Self> {
        Self::traced(traces, None)
    }

    /// The same with a tracer in each sidecar.
    pub(super) fn traced(traces: &[&str], tracing: Option<Value>) -> anyhow::Result<Self> {
        let app = |name: &str| {
            let traces = Some(traces.iter().map(|name| (*name).to_owned()).collect());
            Echo::start(name, EchoOptions { traces, ..EchoOptions::default() })
        };
        let [front, orders, stock, gray] = [app("front")?, app("orders")?, app("stock")?, app("stock-gray")?];
        let apps = [("stock", stock.addr()), ("stock-gray", gray.addr())];
        let last = Sidecar { name: "stock", apps: &apps, calls: None, tracing: tracing.clone() }.start()?;
        let versions = ["stock", "stock-gray"].map(|name| (name.to_owned(), last.listener(name).ok()));
        let middle = Sidecar {
            name: "orders",
            apps: &[("orders", orders.addr())],
            calls: Some(("stock", versions.into())),
            tracing: tracing.clone(),
        }
        .start()?;
        orders.calls(call("stock", middle.listener("outbound")?));
        let versions =
            vec![("orders".to_owned(), middle.listener("orders").ok()), ("orders-gray".to_owned(), None)];
        let first = Sidecar {
            name: "front",
            apps: &[("front", front.addr())],
            calls: Some(("orders", versions)),
            tracing,
        }
        .start()?;
        front.calls(call("orders", first.listener("outbound")?));
        Ok(Self {
            front: first.listener("front")?,
            sidecars: vec![last, middle, first],
            _apps: vec![front, orders, stock, gray],
        })
    }
}

/// Everything that an application is asked, it asks the next.
fn call(service: &str, via: SocketAddr) -> Call {
    Call {
        path_prefix: String::new(),
        authority: service.to_owned(),
        path: "/".to_owned(),
        via: via.to_string(),
    }
}

impl Sidecar<'_> {
    fn start(self) -> anyhow::Result<Envoy> {
        let mut listeners = Vec::new();
        let mut clusters = Vec::new();
        for (name, address) in self.apps {
            let own = format!("inbound-{name}");
            let filters = [entry("traffic-lanes", LANES)];
            let mut inbound = listener(name, &filters, &route_config(&[cluster_route(&own)]));
            inbound["traffic_direction"] = json!("INBOUND");
            self.trace(&mut inbound);
            listeners.push(inbound);
            clusters.push(static_cluster(&own, *address, false));
        }
        if let Some((service, versions)) = &self.calls {
            let filters = [entry("traffic-lanes", LANES), entry("canary-split", &split(service))];
            let hosts = versions
                .iter()
                .map(|(name, _)| json!({ "name": name, "domains": [name], "routes": [cluster_route(name)] }));
            let routes = json!({ "name": "out", "virtual_hosts": hosts.collect::<Vec<_>>() });
            let mut outbound = listener("outbound", &filters, &routes);
            outbound["traffic_direction"] = json!("OUTBOUND");
            self.trace(&mut outbound);
            listeners.push(outbound);
            for (name, address) in versions {
                let mut cluster = static_cluster(name, address.unwrap_or(self.apps[0].1), false);
                if address.is_none() {
                    cluster["load_assignment"]["endpoints"] = json!([]);
                }
                clusters.push(cluster);
            }
        }
        if self.tracing.is_some() {
            // Nobody listens there: spans are lost, ids are made.
            clusters.push(static_cluster("collector", SocketAddr::from(([127, 0, 0, 1], 9)), true));
        }
        let options = EnvoyOptions { concurrency: 2, ..EnvoyOptions::named(self.name) };
        Envoy::start(bootstrap(&listeners, &clusters), options)
    }

    fn trace(&self, listener: &mut Value) {
        if let Some(tracing) = &self.tracing {
            listener["filter_chains"][0]["filters"][0]["typed_config"]["tracing"] = tracing.clone();
        }
    }
}

/// The applications that a request went through, each with the lane that reached it.
pub(super) fn way(response: &Response) -> anyhow::Result<String> {
    let mut way = Vec::new();
    let (mut app, mut report) = (response.headers.text("x-app"), response.json()?);
    while let Some(name) = app {
        let lane = report["headers"].as_array().into_iter().flatten().find(|line| line[0] == "x-lane");
        let lane = lane.and_then(|line| line[1].as_str()).unwrap_or("-").to_owned();
        way.push(format!("{name} {lane}"));
        app = report["called"]["app"].as_str().map(str::to_owned);
        report = report["called"]["body"].take();
    }
    Ok(way.join(", "))
}

/// A request with a trace of its own; `number` makes its id.
pub(super) fn asked(number: u64, lane: Option<&str>) -> Request {
    let request = Request::get("front", "/")
        .header("traceparent", format!("00-4bf92f3577b34da6{number:016x}-00f067aa0ba902b7-01"));
    match lane {
        Some(lane) => request.header("x-lane", lane),
        None => request,
    }
}
