//! What does not switch a canary off.

use std::time::Duration;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::books::STOCK;
use serde_json::json;

use super::rig::{Live, policy};

/// Requests of a phase.
const REQUESTS: usize = 1_200;

#[test]
fn nothing_else_switches_it_off() -> anyhow::Result<()> {
    // Whoever leaves after half a second has met a slow canary, and that is another class.
    let mut live = Live::new(&policy(10, &json!({ "errors": "enforce", "latency": "off" })))?;
    one_client(&mut live, 10)?;
    one_client(&mut live, 1)?;
    who_leaves(&mut live)?;
    calls_of_grpc(&mut live)?;
    errors(&mut live, "the baseline is worse", |percent, is_canary| !is_canary && percent < 20)?;
    errors(&mut live, "both fail", |percent, _| percent < 20)
}

fn fine(live: &Live, name: &str) -> anyhow::Result<()> {
    // The tick in which the last requests count.
    std::thread::sleep(Duration::from_secs(2));
    let trips = live.trips()?;
    anyhow::ensure!(trips == [0; 3], "{name}: {trips:?}\n{}", live.envoy.log());
    Ok(())
}

/// So many errors of one user of the canary, and as many good requests of others for each second.
fn one_client(live: &mut Live, at_once: usize) -> anyhow::Result<()> {
    let mut users = live.users.iter().filter(|user| live.oracle.backend(user) == "canary");
    let user = users.next().cloned().unwrap_or_default();
    for number in 0..100 {
        let request = Request::get(STOCK, "/status/503").header("x-user-id", &user);
        for _ in 0..at_once {
            live.ask(number, &request)?;
        }
        for more in 0..6 {
            let (request, _) = live.request();
            live.ask(number + more, &request)?;
        }
    }
    fine(live, "one client")
}

/// One in ten of the canary's does not wait.
fn who_leaves(live: &mut Live) -> anyhow::Result<()> {
    let address = live.envoy.listener("http")?;
    for number in 0..REQUESTS {
        let (request, is_canary) = live.request();
        if is_canary && live.chance.below(2) == 0 {
            let request = request.header("x-echo-delay-ms", "500");
            let mut client = http1::Connection::connect(address)?;
            client.send_raw(&http1::request_bytes(&request))?;
            // Envoy has begun to serve it.
            std::thread::sleep(Duration::from_millis(20));
        } else {
            live.ask(number, &request)?;
        }
    }
    fine(live, "clients that leave")
}

/// Trailers alone: status 1, and 3 to 11, of every call of the canary.
fn calls_of_grpc(live: &mut Live) -> anyhow::Result<()> {
    let mut client = Client::connect(Protocol::Http2, live.envoy.listener("http")?)?;
    for number in 0..REQUESTS {
        let (request, is_canary) = live.request();
        let status = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11][number % 10];
        // 4 is a failure, and is left out.
        let status = if is_canary && status != 4 { status } else { 0 };
        let request = Request::new("POST", STOCK, "/books.Stock/List")
            .header("x-user-id", request.headers.text("x-user-id").unwrap_or_default())
            .header("content-type", "application/grpc")
            .header("x-echo-grpc-status", status.to_string());
        client.exchange(&request)?;
    }
    fine(live, "gRPC")
}

fn errors(live: &mut Live, name: &str, fails: fn(u64, bool) -> bool) -> anyhow::Result<()> {
    for number in 0..REQUESTS {
        let (request, is_canary) = live.request();
        let fails = fails(live.chance.below(100), is_canary);
        let request = if fails { request.header("x-echo-status", "503") } else { request };
        live.ask(number, &request)?;
    }
    fine(live, name)
}
