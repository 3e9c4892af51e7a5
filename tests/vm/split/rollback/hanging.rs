//! Requests that hang, by the thousands: what is kept of them has a bound.

use std::time::Duration;

use narrows_tests::books::{Oracle, users};
use narrows_vm::Response;
use serde_json::json;

use super::rig::{Proxy, policy};

const WORKERS: usize = 2;
/// The requests that hang at once, half of them on the canary.
const HANGING: usize = 10_000;
/// What is remembered as open, of each side and worker.
const OPEN: usize = 64;
/// What the VMs may share: of each class 256 users and as many of each side's tick, at seven bytes, and a tenth
/// of that for everything else.
const SHARED: usize = 3 * 3 * 256 * 7 * 11 / 10;
/// What a VM may take: its own 1.25 MiB, and some two hundred bytes for each of its five thousand requests, which
/// every filter needs while they are open.
const MEMORY: usize = 3 * 1024 * 1024;

/// A second in which everything is as usual.
fn usual(proxy: &mut Proxy) {
    proxy.timed(400, 2_000, |_, _| (Duration::from_millis(10), Response::ok()));
}

/// Requests of one side that nobody answers, on all workers in turn.
fn hang(proxy: &mut Proxy, users: &[String]) -> Vec<(usize, u32)> {
    let users = users.iter().cycle().take(HANGING / 2).enumerate();
    users.map(|(number, user)| (number % WORKERS, proxy.open(number % WORKERS, user))).collect()
}

#[test]
fn of_ten_thousand_requests_that_hang_few_are_kept() -> anyhow::Result<()> {
    let policy = policy(10, &json!({ "errors": "report", "latency": "report", "clientErrors": "report" }));
    let users = users(5_000);
    let oracle = Oracle::new(&policy, &users);
    let (canary, baseline): (Vec<_>, Vec<_>) =
        users.iter().cloned().partition(|user| oracle.backend(user) == "canary");
    let mut proxy = Proxy::new(WORKERS, &policy)?;
    for _ in 0..3 {
        usual(&mut proxy);
    }
    let mut memory = Vec::new();
    for round in 0..3 {
        let mut open = hang(&mut proxy, &baseline);
        usual(&mut proxy);
        open.extend(hang(&mut proxy, &canary));
        usual(&mut proxy);
        assert_eq!(proxy.value("rollback_open"), Some(u64::try_from(HANGING / 2)?), "all are open");
        usual(&mut proxy);
        for (worker, stream) in open {
            proxy.close(worker, stream);
        }
        proxy.wait(Duration::from_secs(2));
        assert_eq!(proxy.value("rollback_open"), Some(0));
        println!("round {round}: {:?} bytes, {} shared", proxy.memory(), proxy.shared_bytes());
        assert!(proxy.shared_bytes() <= SHARED, "{}", proxy.shared_bytes());
        memory.push(proxy.memory());
    }
    assert!(memory.iter().flatten().all(|bytes| *bytes <= MEMORY), "{memory:?}");
    assert_eq!(memory[1], memory[2], "what has ended is forgotten");
    // Nothing else was slow, so that is what was counted of both sides.
    let line = proxy.said().into_iter().find(|line| line.contains("only reported, by latency"));
    let line = line.unwrap_or_else(|| panic!("no line: {:?}", proxy.said()));
    let counted = WORKERS * OPEN;
    let says = |text: String| assert!(line.contains(&text), "{text:?} is not in {line:?}");
    says(format!("by latency: {counted} of "));
    says(format!("in ten seconds, and {counted} of "));
    Ok(())
}
