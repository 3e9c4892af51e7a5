//! A canary that is slow, or does not answer.

use std::time::Duration;

use narrows_vm::{Exchange, Response};
use serde_json::json;

use super::rig::{Chance, Proxy, Shape, left, policy};

/// Ten to thirty milliseconds, now and then a hundred.
fn usual(chance: &mut Chance) -> Duration {
    Duration::from_millis(if chance.percent() < 2 { 100 } else { 10 + chance.percent() / 5 })
}

#[test]
fn a_slow_canary_is_switched_off() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({ "latency": "enforce" })))?;
    for _ in 0..10 {
        proxy.timed(200, 2_000, |chance, _| (usual(chance), Response::ok()));
    }
    assert_eq!(proxy.trips(), [0; 3]);
    let mut seconds = 0;
    while proxy.value("rollback_state") != Some(4) && seconds < 14 {
        seconds += 1;
        proxy.timed(200, 2_000, |chance, is_canary| {
            (usual(chance) * if is_canary { 3 } else { 1 }, Response::ok())
        });
    }
    println!("three times as slow: off after {seconds} s");
    assert_eq!(proxy.trips(), [0, 1, 0]);
    assert_eq!(proxy.value("rollback_state"), Some(4));
    Ok(())
}

#[test]
fn both_slow_is_not_slow() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({ "latency": "enforce" })))?;
    for second in 0..40 {
        proxy
            .timed(200, 2_000, |chance, _| (usual(chance) * if second < 20 { 1 } else { 3 }, Response::ok()));
    }
    assert_eq!(proxy.trips(), [0; 3]);
    Ok(())
}

/// A difference of a few milliseconds is the proxy's own, until the policy says otherwise.
#[test]
fn what_comes_soon_enough_is_not_slow() -> anyhow::Result<()> {
    for (above, trips) in [(None, 0), (Some("5ms"), 1)] {
        let mut rollback = json!({ "latency": "enforce" });
        if let Some(above) = above {
            rollback["slowAbove"] = json!(above);
        }
        let mut proxy = Proxy::new(1, &policy(10, &rollback))?;
        for second in 0..20 {
            proxy.timed(200, 2_000, |chance, is_canary| {
                let usual = 1_000 + chance.percent() * 10;
                let more = if is_canary && second >= 5 { 6_000 } else { 0 };
                (Duration::from_micros(usual + more), Response::ok())
            });
        }
        assert_eq!(proxy.trips(), [0, trips, 0], "{above:?}");
    }
    Ok(())
}

/// No answer, and no end: the requests that are open are slow.
#[test]
fn a_canary_that_hangs_is_switched_off() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({ "latency": "enforce" })))?;
    for _ in 0..5 {
        proxy.timed(200, 2_000, |chance, _| (usual(chance), Response::ok()));
    }
    let users = canary_users(&mut proxy, 60);
    let mut users = users.iter();
    let mut seconds = 0;
    while proxy.value("rollback_state") != Some(4) && seconds < 6 {
        seconds += 1;
        users.by_ref().take(10).for_each(|user| assert!(proxy.hang(seconds % 2, user)));
        proxy.timed(100, 2_000, |chance, _| (usual(chance), Response::ok()));
    }
    println!("a hang: off after {seconds} s, {:?} open", proxy.value("rollback_open"));
    assert_eq!(proxy.trips(), [0, 1, 0]);
    assert!(proxy.value("rollback_open") > Some(9));
    Ok(())
}

/// Who does not wait for an answer has met a slow canary; who leaves at once has not.
#[test]
fn who_leaves_a_slow_canary_has_seen_it() -> anyhow::Result<()> {
    for (after, trips) in [(1, 0), (500, 1)] {
        let mut proxy = Proxy::new(1, &policy(10, &json!({ "latency": "enforce" })))?;
        for _ in 0..3 {
            proxy.timed(200, 2_000, |chance, _| (usual(chance), Response::ok()));
        }
        for _ in 0..6 {
            proxy.timed(200, 2_000, |chance, is_canary| {
                if is_canary {
                    (Duration::from_millis(after), left())
                } else {
                    (usual(chance), Response::ok())
                }
            });
        }
        assert_eq!(proxy.trips(), [0, trips, 0], "after {after} ms");
    }
    Ok(())
}

/// Nothing is judged until the canary is warm.
#[test]
fn a_canary_gets_its_time_to_warm_up() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(1, &policy(10, &json!({ "latency": "enforce", "warmup": "20s" })))?;
    let slow = |chance: &mut Chance, is_canary: bool| {
        (usual(chance) * if is_canary { 10 } else { 1 }, Response::ok())
    };
    let mut seconds = 0;
    while proxy.value("rollback_state") != Some(4) && seconds < 30 {
        seconds += 1;
        proxy.timed(200, 2_000, slow);
    }
    assert!((20..25).contains(&seconds), "{seconds}");
    Ok(())
}

/// A request with a method and further headers.
fn sends(mut exchange: Exchange, method: &str, headers: &[(&str, &str)]) -> Exchange {
    exchange.headers.set(b":method", method.as_bytes());
    headers.iter().fold(exchange, |exchange, (name, value)| exchange.header(name, value))
}

/// Requests, and whether the time to their responses is the backend's.
const SHAPES: [(&str, Shape, bool); 14] = [
    ("a GET", |e| e, true),
    ("a POST of nothing", |e| sends(e, "POST", &[("content-length", "0")]), true),
    ("an upload of 64 KiB", |e| sends(e, "POST", &[("content-length", "65536")]), true),
    ("an upload of a byte more", |e| sends(e, "POST", &[("content-length", "65537")]), false),
    ("one of a GiB", |e| sends(e, "PUT", &[("content-length", "1073741824")]), false),
    ("a POST of unknown length", |e| sends(e, "POST", &[]), false),
    ("a PUT of unknown length", |e| sends(e, "PUT", &[]), false),
    ("a PATCH of unknown length", |e| sends(e, "PATCH", &[]), false),
    ("a POST in chunks", |e| sends(e, "POST", &[("transfer-encoding", "chunked")]), false),
    ("a DELETE in chunks", |e| sends(e, "DELETE", &[("transfer-encoding", "chunked")]), false),
    ("a call of gRPC", |e| sends(e, "POST", &[("content-type", "application/grpc")]), true),
    ("a web socket", |e| sends(e, "GET", &[("connection", "upgrade"), ("upgrade", "websocket")]), false),
    ("another upgrade", |e| sends(e, "POST", &[("upgrade", "tcp"), ("content-length", "0")]), false),
    ("a tunnel", |e| sends(e, "CONNECT", &[]), false),
];

/// What takes long by itself says nothing of a canary; the other shapes, which are as slow, do.
#[test]
fn uploads_and_tunnels_do_not_count() -> anyhow::Result<()> {
    for (name, shape, is_timed) in SHAPES {
        let mut proxy = Proxy::new(1, &policy(10, &json!({ "latency": "enforce" })))?;
        for _ in 0..6 {
            proxy.shape = std::convert::identity;
            proxy.timed(200, 2_000, |chance, _| (usual(chance), Response::ok()));
            proxy.shape = shape;
            proxy.timed(200, 2_000, |chance, is_canary| {
                (usual(chance) * if is_canary { 10 } else { 1 }, Response::ok())
            });
        }
        assert_eq!(proxy.trips()[1], u64::from(is_timed), "{name}");
    }
    Ok(())
}

/// The same while they have no answer: a tunnel may be open for hours.
#[test]
fn uploads_and_tunnels_that_are_open_do_not_hang() -> anyhow::Result<()> {
    for (name, shape, is_timed) in SHAPES {
        let mut proxy = Proxy::new(1, &policy(10, &json!({ "latency": "enforce" })))?;
        for _ in 0..3 {
            proxy.timed(200, 2_000, |chance, _| (usual(chance), Response::ok()));
        }
        let users = canary_users(&mut proxy, 60);
        for users in users.chunks(10) {
            proxy.shape = shape;
            let open = users.iter().filter(|user| proxy.hang(0, user)).count();
            let is_off = proxy.value("rollback_state") == Some(4);
            assert_eq!(open, if is_off { 0 } else { 10 }, "{name}");
            proxy.shape = std::convert::identity;
            proxy.timed(100, 2_000, |chance, _| (usual(chance), Response::ok()));
        }
        assert_eq!(proxy.trips()[1], u64::from(is_timed), "{name}");
    }
    Ok(())
}

fn canary_users(proxy: &mut Proxy, count: usize) -> Vec<String> {
    let users = (0..2_000).map(|number| format!("user-{number}"));
    users.filter(|user| proxy.ask(0, user, &Response::ok)).take(count).collect()
}
