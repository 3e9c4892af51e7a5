//! What Prometheus knows of all this: labels that people chose, and not one more.

use std::collections::BTreeMap;

use super::picture::{heading, row, say};
use super::promises::Promises;
use crate::{HELLO, Mesh};
use narrows_harness::envoy::Envoy;
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_harness::prometheus::{Sample, Server};

/// Paths that no policy names.
const STRAY: usize = 200;

/// Whoever is asked for sums: a Prometheus, or without one each proxy itself.
enum Counters<'a> {
    Prometheus(Server),
    Proxies(&'a Mesh),
}

pub(super) fn show(
    mesh: &Mesh,
    served: &BTreeMap<String, usize>,
    promises: &mut Promises,
) -> anyhow::Result<()> {
    heading("Metrics: metric-tags at the ingress gateway and the front end's sidecar");
    let mut client = Connection::connect(mesh.applications.ingress())?;
    for n in 0..STRAY {
        client.exchange(&Request::get(HELLO, &format!("/stray/{n}")))?;
    }
    let counters = Counters::of(mesh)?;

    let calls = counters.sum("requests_total", &["backend", "operation"])?;
    say("\n  calls of bobbys-front-end: requests_total");
    calls.iter().for_each(|(labels, count)| row(&labels.join("  "), *count));
    let books: BTreeMap<String, usize> = calls
        .iter()
        .filter(|(labels, _)| labels[1] == "/books")
        .map(|(labels, count)| (labels[0].clone(), *count))
        .collect();
    promises.hold(
        "calls are counted by backend and operation as the clients saw them",
        books == *served,
        || format!("{books:?} against {served:?}"),
    );

    let requests = counters.sum("application_requests_total", &["application", "operation"])?;
    say("\n  requests at the gateway: application_requests_total");
    requests.iter().for_each(|(labels, count)| row(&labels.join("  "), *count));
    let stray = requests.get(&["hello-helidon".to_owned(), "unmatched".to_owned()][..]).copied().unwrap_or(0);
    promises.hold(format!("{STRAY} paths that nobody declared are one series"), stray == STRAY, || {
        format!("{requests:?}")
    });
    Ok(())
}

impl<'a> Counters<'a> {
    fn of(mesh: &'a Mesh) -> anyhow::Result<Self> {
        if !Server::is_installed() {
            say("There is no Prometheus on this machine (Debian: apt-get install prometheus),");
            say("so each proxy is asked for what one would read.");
            return Ok(Self::Proxies(mesh));
        }
        say("A Prometheus scrapes the proxies.");
        let server = Server::start(mesh.proxies().map(|proxy| (proxy.name(), proxy.admin())))?;
        server.wait_for_scrape()?;
        Ok(Self::Prometheus(server))
    }

    /// `sum by (labels) (metric)`, by the values of the labels.
    fn sum(&self, metric: &str, labels: &[&str]) -> anyhow::Result<BTreeMap<Vec<String>, usize>> {
        let samples: Vec<Sample> = match self {
            Self::Prometheus(server) => server.ask(&format!("sum by ({}) ({metric})", labels.join(", ")))?,
            Self::Proxies(mesh) => {
                let pages = mesh.proxies().map(Envoy::prometheus);
                let pages = pages.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
                pages.into_iter().flatten().filter(|sample| sample.name == metric).collect()
            }
        };
        let mut sums = BTreeMap::new();
        // The series for what overflows is there from the start.
        for sample in samples.iter().filter(|sample| sample.value > 0.0) {
            let values = labels.iter().map(|label| sample.labels.get(*label).cloned().unwrap_or_default());
            *sums.entry(values.collect()).or_default() += sample.count();
        }
        Ok(sums)
    }
}
