//! A canary that begins to fail: the sidecar of the front end switches it off by itself.

use std::time::{Duration, Instant};

use super::picture::{heading, row_of, say};
use super::promises::Promises;
use super::user;
use crate::{BOOKS, Mesh};
use narrows_core::split::bucket;
use narrows_core::split::rollback::Health;
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;

const USERS: usize = 1000;
/// Nobody waits for longer in a demo.
const PATIENCE: Duration = Duration::from_secs(30);
/// What one thread of a proxy finds, the others read once a second; the gauge has it at once.
const HEARSAY: Duration = Duration::from_secs(2);
/// One in ten is on the canary.
const SHARE: u32 = bucket::BUCKETS / 10;
/// What the gauge shows of a canary that is switched off.
const OFF: usize = Health::Off as usize;

pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    heading("A bad canary: the rollback of canary-split, in the same sidecar");
    say("no Prometheus and no controller: a tenth of the users should have a tenth of the failures\n");
    mesh.applications.canary.force_status(Some(500));
    let told = traffic(mesh, promises);
    mesh.applications.canary.force_status(None);
    told
}

/// Users take turns, as many as may be, until the canary is off.
fn traffic(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    let mut client = Connection::connect(mesh.applications.ingress())?;
    let mut ask = |user: usize, chosen: Option<&'static str>| -> anyhow::Result<u16> {
        let mut request =
            Request::get(BOOKS, "/bobbys-front-end/books").header("x-user-id", super::user(user));
        if let Some(backend) = chosen {
            request = request.header("x-canary", backend);
        }
        Ok(client.exchange(&request)?.status)
    };
    let is_on_canary = |n: usize| bucket::bucket(b"stock", user(n).as_bytes()) < SHARE;
    let start = Instant::now();
    let (mut failed, mut strangers, mut asked) = (0, 0, 0);
    while state(mesh)? != OFF && start.elapsed() < PATIENCE {
        for n in (0..USERS).skip(asked % USERS).take(50) {
            if ask(n, None)? >= 500 {
                failed += 1;
                strangers += usize::from(!is_on_canary(n));
            }
        }
        asked += 50;
    }
    let seconds = start.elapsed().as_secs_f64();
    row_of(
        "the canary answers 500",
        &format!("off after {failed} failures in {asked} requests, {seconds:.1} s"),
    );
    promises.hold("a canary that fails is switched off", state(mesh)? == OFF, || {
        format!("not in {:.0} s", PATIENCE.as_secs_f64())
    });
    promises.hold("only its own users met a failure", strangers == 0, || format!("{strangers} others did"));

    std::thread::sleep(HEARSAY);
    let after = (0..USERS).try_fold(0, |failed, n| anyhow::Ok(failed + usize::from(ask(n, None)? >= 500)))?;
    row_of("the same users again", &format!("{after} of {USERS} requests fail"));
    promises.hold("two seconds later nobody meets another one", after == 0, || format!("{after} did"));
    let chosen = ask(0, Some("always"))?;
    row_of("x-canary: always", &format!("status {chosen}: whoever may choose still gets there, to look"));
    promises.hold("an override still reaches it", chosen == 500, || format!("status {chosen}"));
    Ok(())
}

/// What the sidecar finds of its canary.
fn state(mesh: &Mesh) -> anyhow::Result<usize> {
    let samples = mesh.applications.front_end_sidecar.prometheus()?;
    let mut states = samples.iter().filter(|sample| sample.name == "narrows_split_rollback_state");
    Ok(states.next().map(narrows_harness::prometheus::Sample::count).unwrap_or_default())
}
