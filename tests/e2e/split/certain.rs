//! Where a canary cannot be reached, and Envoy answers all the same: it is noticed, and nobody pays.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::echo::{Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Response;
use serde_json::{Value, json};

use narrows_tests::books::{
    CANARY, STABLE, STOCK, allow_any, app, by, emptied, filter, policy, route, routes, series,
};

const USERS: u64 = 40;
/// Each of two workers may send one user to a canary that is not there.
const WORKERS: u64 = 2;

/// A proxy, and the address that callers dial.
struct Place {
    envoy: Envoy,
    dialled: SocketAddr,
}

impl Place {
    /// All users are of the canary. `clusters` are besides the stable one.
    fn new(node: &str, routes: &Value, clusters: &[Value], dialled: SocketAddr) -> anyhow::Result<Self> {
        let mut listener = listener("http", &[filter(&policy(100, &json!({})))?], routes);
        // A test has no `iptables`: the address that a caller dialled comes in a line of its own.
        listener["listener_filters"] = json!([{ "name": "envoy.filters.listener.proxy_protocol", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol" } }]);
        let mut all = clusters.to_vec();
        all.push(static_cluster(STABLE, dialled, false));
        let mut config = bootstrap(&[listener], &all);
        config["node"] = json!({ "id": node, "cluster": "front-end.books" });
        let options = EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("certain") };
        Ok(Self { envoy: Envoy::start(config, options)?, dialled })
    }

    fn ask(&self, user: u64) -> anyhow::Result<Response> {
        let port = self.dialled.port();
        let mut bytes = format!("PROXY TCP4 127.0.0.1 127.0.0.1 50000 {port}\r\n").into_bytes();
        bytes.extend(http1::request_bytes(&by(&format!("user-{user}"))));
        http1::exchange_raw(self.envoy.listener("http")?, &bytes)
    }

    /// How many users do not get the stable application under the host that they asked for. Then the
    /// canary is off, and each of them was counted.
    fn lost(&self) -> anyhow::Result<u64> {
        let mut lost = 0;
        for user in 0..USERS {
            let answer = self.ask(user)?;
            let is_well = answer.status == 200
                && app(&answer)? == "stable"
                && Received::from_response(&answer)?.authority == STOCK;
            lost += u64::from(!is_well);
        }
        self.envoy.wait_for_stat(&series("guard"), |off| off == 1)?;
        self.envoy.wait_for_stat(&series("mismatch_total"), |count| count == lost)?;
        Ok(lost)
    }
}

const SIDECAR: &str = "sidecar~10.0.0.1~front-end-1.books~books.svc.cluster.local";

/// Istiod's cluster of a Service with `clusterIP: None`, in a sidecar.
fn headless() -> Value {
    json!({ "name": CANARY, "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", "connect_timeout": "2s" })
}

fn echo(name: &str) -> anyhow::Result<Echo> {
    Echo::start(name, EchoOptions::default())
}

#[test]
fn a_canary_without_a_cluster_ip() -> anyhow::Result<()> {
    let stable = echo("stable")?;
    let place = Place::new(SIDECAR, &routes(&allow_any()), &[headless()], stable.addr())?;
    let lost = place.lost()?;
    assert!((1..=WORKERS).contains(&lost), "{lost} of {USERS}");
    Ok(())
}

/// The same callers, and a canary with addresses of its own, at one of which they may have dialled.
#[test]
fn a_canary_with_addresses_of_its_own() -> anyhow::Result<()> {
    let (stable, canary) = (echo("stable")?, echo("canary")?);
    let cluster = static_cluster(CANARY, canary.addr(), false);
    let place = Place::new(SIDECAR, &routes(&allow_any()), &[cluster], stable.addr())?;
    for user in 0..USERS {
        assert_eq!(app(&place.ask(user)?)?, "canary");
    }
    let requests =
        "wasmcustom.split=.=stock;.;backend=.=canary;.;code_class=.=2xx;.;narrows_split_requests_total";
    place.envoy.wait_for_stat(requests, |count| count == USERS)?;
    assert_eq!(place.envoy.stat(&series("mismatch_total"))?, 0);
    assert_eq!(place.envoy.stat(&series("guard"))?, 0);
    Ok(())
}

/// Istiod's route table of a port whose protocol it has to sniff: one virtual host, which has the name
/// of the service and every domain.
#[test]
fn a_port_that_is_sniffed() -> anyhow::Result<()> {
    let stable = echo("stable")?;
    let name = "stock.books.svc.cluster.local:8080";
    let table = json!({ "name": name, "validate_clusters": false, "ignore_port_in_host_matching": true,
        "virtual_hosts": [{ "name": name, "domains": ["*"], "routes": [route(STABLE)] }] });
    let lost = Place::new(SIDECAR, &table, &[], stable.addr())?.lost()?;
    assert!((1..=WORKERS).contains(&lost), "{lost} of {USERS}");
    Ok(())
}

/// `outboundTrafficPolicy.egressProxy`, and a `VirtualService` of every host: the canary's host is unknown
/// there, and the gateway does not know it either.
#[test]
fn an_egress_proxy() -> anyhow::Result<()> {
    let (stable, gateway) = (echo("stable")?, echo("gateway")?);
    gateway.force_status(Some(404));
    let egress = "outbound|8080||istio-egressgateway.istio-system.svc.cluster.local";
    for name in ["allow_any", "*:8080"] {
        let mut table = routes(&route(egress));
        table["virtual_hosts"][2]["name"] = json!(name);
        table["virtual_hosts"].as_array_mut().expect("it is a list").remove(1);
        let clusters = [static_cluster(egress, gateway.addr(), false)];
        let lost = Place::new(SIDECAR, &table, &clusters, stable.addr())?.lost()?;
        assert!((1..=WORKERS).contains(&lost), "{name}: {lost} of {USERS}");
    }
    Ok(())
}

/// A waypoint has one virtual host for every name of its service.
#[test]
fn a_waypoint() -> anyhow::Result<()> {
    let stable = echo("stable")?;
    let own = "inbound-vip|8080|http|stock.books.svc.cluster.local";
    let table = json!({ "name": own, "validate_clusters": false,
        "virtual_hosts": [{ "name": "inbound|http|8080", "domains": ["*"], "routes": [route(own)] }] });
    let clusters = [static_cluster(own, stable.addr(), false)];
    let node = "waypoint~10.0.0.2~waypoint-1.books~books.svc.cluster.local";
    let lost = Place::new(node, &table, &clusters, stable.addr())?.lost()?;
    assert!((1..=WORKERS).contains(&lost), "{lost} of {USERS}");
    Ok(())
}

/// The canary's host has a virtual host of its own, whose route leads to another service: that is what
/// somebody wrote, and only counted.
#[test]
fn a_route_of_the_canarys_own() -> anyhow::Result<()> {
    let (stable, other) = (echo("stable")?, echo("other")?);
    let elsewhere = "outbound|8080||stock-v2.books.svc.cluster.local";
    let mut table = routes(&allow_any());
    table["virtual_hosts"][1]["name"] = json!("stock-canary.books.svc.cluster.local:8080");
    table["virtual_hosts"][1]["routes"] = json!([route(elsewhere)]);
    let clusters = [
        static_cluster(elsewhere, other.addr(), false),
        emptied(static_cluster(CANARY, other.addr(), false)),
    ];
    let place = Place::new(SIDECAR, &table, &clusters, stable.addr())?;
    for user in 0..USERS {
        assert_eq!(app(&place.ask(user)?)?, "other");
    }
    place.envoy.wait_for_stat(&series("mismatch_total"), |count| count == USERS)?;
    assert_eq!(place.envoy.stat(&series("guard"))?, 0);
    Ok(())
}
