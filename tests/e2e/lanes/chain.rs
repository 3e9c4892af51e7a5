//! Gray, base, gray; and nobody in a lane that is not theirs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::http1;
use narrows_harness::wait;

use super::shop::{Shop, asked, way};

/// As many as the guard of a split lets fail, with two workers that hear of it within a second.
const LOST: usize = 10;

#[test]
fn a_request_leaves_its_lane_where_there_is_none_and_is_back_at_the_next_hop() -> anyhow::Result<()> {
    let shop = Shop::new(&["traceparent"])?;
    // The gray version of orders has no host: the guard finds out, and the baseline serves.
    let mut number = 0;
    let mut lost = 0;
    let served = wait::until("the baseline to serve", Duration::from_secs(10), || {
        number += 1;
        let answer = http1::exchange(shop.front, &asked(number, Some("gray")))?;
        lost += usize::from(answer.status != 200);
        Ok((answer.status == 200).then_some(()))
    });
    served?;
    std::thread::sleep(Duration::from_millis(1_500));
    for _ in 0..40 {
        number += 1;
        let answer = http1::exchange(shop.front, &asked(number, Some("gray")))?;
        if answer.status != 200 {
            lost += 1;
            continue;
        }
        assert_eq!(way(&answer)?, "front gray, orders gray, stock-gray gray");
        let answer = http1::exchange(shop.front, &asked(1_000 + number, None))?;
        assert_eq!(way(&answer)?, "front -, orders -, stock -");
        // No service has a version for this lane, and it is carried all the same.
        let answer = http1::exchange(shop.front, &asked(2_000 + number, Some("dev-7")))?;
        assert_eq!(way(&answer)?, "front dev-7, orders dev-7, stock dev-7");
        // What no policy lists is no lane.
        let answer = http1::exchange(shop.front, &asked(3_000 + number, Some("blue")))?;
        assert_eq!(way(&answer)?, "front blue, orders -, stock -");
    }
    assert!(lost <= LOST, "{lost} requests were lost to a host that is gone");
    println!("{lost} of {number} gray requests were lost to a host that is gone");
    Ok(())
}

#[test]
fn of_fifty_lanes_at_once_nobody_is_in_a_wrong_one() -> anyhow::Result<()> {
    const CLIENTS: u64 = 8;
    const REQUESTS: u64 = 1_250;
    let shop = Shop::new(&["traceparent"])?;
    let wrong = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (shop, wrong) = (&shop, &wrong);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut connection = Client::connect(Protocol::Http1, shop.front)?;
                    for request in 0..REQUESTS {
                        let number = client * REQUESTS + request + 1;
                        let lane = (!number.is_multiple_of(5)).then(|| format!("dev-{}", number % 50));
                        let answer = connection.exchange(&asked(number, lane.as_deref()))?;
                        let lane = lane.as_deref().unwrap_or("-");
                        let meant = format!("front {lane}, orders {lane}, stock {lane}");
                        if way(&answer)? != meant {
                            wrong.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().expect("a client ends"))
    })?;
    assert_eq!(wrong.into_inner(), 0, "of {} requests", CLIENTS * REQUESTS);
    let laned = CLIENTS * REQUESTS * 4 / 5;
    for sidecar in &shop.sidecars[1..] {
        let count = |what: &str| sidecar.stat(&format!("wasmcustom.{what}"));
        assert_eq!(count("lane=.=dev-*;.;narrows_lanes_remembered_total")?, laned);
        assert_eq!(count("lane=.=dev-*;.;narrows_lanes_restored_total")?, laned);
        for what in ["evicted", "shared", "conflict"] {
            assert_eq!(count(&format!("narrows_lanes_{what}_total"))?, 0, "{what}");
        }
        // In on one worker, out on the other: both have had connections of both sides.
        for worker in 0..2 {
            let stats = sidecar.stats()?;
            let of_worker = |name: &String| name.ends_with(&format!("worker_{worker}.downstream_cx_total"));
            let connections: u64 =
                stats.iter().filter(|(name, _)| of_worker(name)).map(|(_, count)| count).sum();
            assert!(connections > 0, "worker {worker} has had no connection");
        }
    }
    Ok(())
}

/// A trace that several requests share: the lane is nobody's until it expires, and the request id still tells
/// them apart.
#[test]
fn a_shared_trace_has_no_lane() -> anyhow::Result<()> {
    let shop = Shop::new(&["traceparent"])?;
    let send = |number, lane| way(&http1::exchange(shop.front, &asked(number, lane))?);
    assert_eq!(send(7, Some("dev-1"))?, "front dev-1, orders dev-1, stock dev-1");
    assert_eq!(send(7, None)?, "front -, orders -, stock -");
    assert_eq!(send(7, Some("dev-1"))?, "front dev-1, orders -, stock -", "it is mixed now");
    assert_eq!(send(8, Some("dev-1"))?, "front dev-1, orders dev-1, stock dev-1");
    assert_eq!(send(8, Some("dev-2"))?, "front dev-2, orders -, stock -");
    let front = &shop.sidecars[2];
    assert_eq!(front.stat("wasmcustom.narrows_lanes_shared_total")?, 1);
    assert_eq!(front.stat("wasmcustom.narrows_lanes_conflict_total")?, 1);
    front.wait_for_log("carries no lane until it expires")?;
    let lines = front.log().matches("carries no lane until it expires").count();
    assert_eq!(lines, 1, "one line a minute");
    let both = Shop::new(&["traceparent", "x-request-id"])?;
    let send = |number, lane| way(&http1::exchange(both.front, &asked(number, lane))?);
    assert_eq!(send(7, Some("dev-1"))?, "front dev-1, orders dev-1, stock dev-1");
    assert_eq!(send(7, None)?, "front -, orders -, stock -");
    assert_eq!(send(7, Some("dev-1"))?, "front dev-1, orders dev-1, stock dev-1");
    Ok(())
}
