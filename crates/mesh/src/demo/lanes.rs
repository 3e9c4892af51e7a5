//! A gray lane through applications that forward nothing but their trace.

use serde_json::Value;

use super::picture::{heading, row_of, say};
use super::promises::Promises;
use crate::{BOOKS, Mesh};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_harness::prometheus::Sample;

pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    heading("Lanes: traffic-lanes at the sidecars, in both directions");
    say("client → ingress gateway → bobbys-front-end → bobbys-helidon-stock-application → bobs-bookstore");
    say("the applications forward their trace headers, and no lane\n");
    let mut client = Connection::connect(mesh.applications.ingress())?;
    let post = || Request::new("POST", BOOKS, "/bobbys-front-end/order").header("content-length", "0");
    let gray = "bobbys-front-end gray → canary gray → bobs-bookstore gray";
    let base = "bobbys-front-end - → stable - → bobs-bookstore -";
    let calls = [
        (
            "cookie: lane=gray",
            post().header("cookie", "lane=gray"),
            gray,
            "who has the cookie is in the gray lane, at every hop",
        ),
        ("no cookie", post(), base, "nobody else is"),
        ("forged x-lane: gray", post().header("x-lane", "gray"), base, "a client chooses no lane"),
    ];
    for (what, request, wanted, promise) in calls {
        let mut told = String::new();
        // Requests of both kinds take turns, so that a lane that leaks shows.
        for _ in 0..20 {
            told = way(client.exchange(&request)?.json()?);
            let other = if wanted == gray { post() } else { post().header("cookie", "lane=gray") };
            client.exchange(&other)?;
            if told != wanted {
                break;
            }
        }
        row_of(what, &told);
        promises.hold(promise, told == wanted, || told.clone());
    }
    let sidecar = &mesh.applications.front_end_sidecar;
    let samples = sidecar.prometheus()?;
    let count = |name: &str| samples.iter().filter(|sample| sample.name == name).map(Sample::count).sum();
    let (remembered, restored): (usize, usize) =
        (count("narrows_lanes_remembered_total"), count("narrows_lanes_restored_total"));
    say(&format!(
        "\n  the sidecar counted {remembered} requests with a lane, and {restored} calls that got it back"
    ));
    promises.hold(
        "every call of a request with a lane got it back",
        remembered == restored && restored > 0,
        || format!("{restored} of {remembered}"),
    );
    Ok(())
}

/// The applications on the way, each with the lane that reached it.
fn way(mut report: Value) -> String {
    let mut way = Vec::new();
    while let Some(app) = report["app"].as_str() {
        let lines = report["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lane = lines.iter().find(|line| line[0] == "x-lane").and_then(|line| line[1].as_str());
        // The versions of the stock application have one name.
        let version = report["version"].as_str().filter(|version| *version != "v1");
        way.push(format!("{} {}", version.unwrap_or(app), lane.unwrap_or("-")));
        report = report["called"]["body"].take();
    }
    way.join(" → ")
}
