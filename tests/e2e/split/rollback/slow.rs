//! A canary that is slow, or hangs.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::http1;
use narrows_tests::books::{Oracle, by};
use serde_json::json;

use super::rig::{Chance, Live, USERS, policy};

/// Clients at once: most of the time they wait.
const CLIENTS: u64 = 24;
/// How long a response takes: so many milliseconds, and up to as many more.
const USUAL: u64 = 40;

/// Clients that ask all the time.
struct Load {
    /// How much longer the canary takes, in times.
    times: AtomicUsize,
    /// The requests of the canary.
    requests: AtomicUsize,
    ends: AtomicBool,
}

impl Load {
    fn client(
        &self,
        number: u64,
        address: SocketAddr,
        users: &[String],
        oracle: &Oracle,
    ) -> anyhow::Result<()> {
        let mut chance = Chance::new();
        (0..number * 100).for_each(|_| _ = chance.below(2));
        let mut client = Client::connect(Protocol::Http1, address)?;
        while !self.ends.load(Ordering::Relaxed) {
            let user = &users[usize::try_from(chance.below(USERS as u64))?];
            let is_canary = oracle.backend(user) == "canary";
            let times = if is_canary { self.times.load(Ordering::Relaxed) as u64 } else { 1 };
            let delay = times * (USUAL + chance.below(USUAL));
            client.exchange(&by(user).header("x-echo-delay-ms", delay.to_string()))?;
            self.requests.fetch_add(usize::from(is_canary), Ordering::Relaxed);
        }
        Ok(())
    }
}

#[test]
fn a_slow_canary_and_one_that_hangs_are_switched_off() -> anyhow::Result<()> {
    for hangs in [false, true] {
        let live = Live::new(&policy(10, &json!({ "latency": "enforce" })))?;
        let load =
            Load { times: AtomicUsize::new(1), requests: AtomicUsize::new(0), ends: AtomicBool::new(false) };
        let address = live.envoy.listener("http")?;
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (load, live) = (&load, &live);
                scope.spawn(move || load.client(number, address, &live.users, &live.oracle));
            }
            let seen = watch(&live, &load, hangs);
            load.ends.store(true, Ordering::Relaxed);
            seen
        })?;
    }
    Ok(())
}

fn watch(live: &Live, load: &Load, hangs: bool) -> anyhow::Result<()> {
    // What is usual must be known first: of the baseline, two hundred requests and more.
    while load.requests.load(Ordering::Relaxed) < 60 {
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_millis(2_500));
    anyhow::ensure!(live.trips()? == [0; 3]);
    let before = load.requests.load(Ordering::Relaxed);
    let mut hanging = Vec::new();
    if hangs {
        let users = live.users.iter().filter(|user| live.oracle.backend(user) == "canary");
        for user in users.take(40) {
            let mut client = http1::Connection::connect(live.envoy.listener("http")?)?;
            client.send_raw(&http1::request_bytes(&by(user).header("x-echo-delay-ms", "60000")))?;
            hanging.push(client);
        }
    } else {
        load.times.store(3, Ordering::Relaxed);
    }
    let mut ticks = 0;
    while live.state()? != 4 && ticks < 80 {
        thread::sleep(Duration::from_millis(250));
        ticks += 1;
    }
    let requests = load.requests.load(Ordering::Relaxed) - before;
    println!("hangs {hangs}: off after {requests} requests of the canary, and {} s", ticks / 4);
    anyhow::ensure!(
        live.state()? == 4 && live.trips()? == [0, 1, 0],
        "{}\n{}",
        live.state()?,
        live.envoy.log()
    );
    Ok(())
}
