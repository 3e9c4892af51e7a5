//! The demo: traffic through the mesh, what happened, and whether it was promised.

mod picture;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use narrows_core::split::bucket;

use super::{BOOKS, HELLO, Mesh};
use crate::http1::Connection;
use crate::message::{Request, Response};
use picture::{bars, heading, say, verdict};

/// Users of the east–west part, and requests of each.
const USERS: usize = 1000;
const REQUESTS: usize = 10;
/// Clients side by side.
const CLIENTS: usize = 8;
/// What is promised, apart from the policy in the sidecar's bootstrap: one in ten.
const PROMISED: u32 = bucket::BUCKETS / 10;

/// A promise, and whether it was kept.
struct Promise {
    what: String,
    kept: Result<(), String>,
}

/// Drives traffic and prints what happened. Returns whether every promise was kept.
pub fn run(mesh: &Mesh) -> anyhow::Result<bool> {
    let start = Instant::now();
    let mut promises = Vec::new();
    north_south(mesh, &mut promises)?;
    east_west(mesh, &mut promises)?;
    heading("What was promised");
    let mut kept = true;
    for promise in &promises {
        verdict(&promise.what, promise.kept.as_ref().err().map(String::as_str));
        kept &= promise.kept.is_ok();
    }
    say(&format!(
        "\n{} in {:.1} s of traffic",
        if kept { "all kept" } else { "BROKEN" },
        start.elapsed().as_secs_f64()
    ));
    Ok(kept)
}

/// The gateway picks a version of hello-helidon by what the request says.
fn north_south(mesh: &Mesh, promises: &mut Vec<Promise>) -> anyhow::Result<()> {
    heading("North–south: header-router at the ingress gateway");
    say(&format!("client → ingress gateway → hello-helidon, http://{HELLO}/greet\n"));
    let plain = || Request::get(HELLO, "/greet");
    let groups: [(&str, Request, &str); 5] = [
        ("no header", plain(), "v1"),
        ("x-user-group: beta", plain().header("x-user-group", "beta"), "v2"),
        ("cookie: beta=1", plain().header("cookie", "theme=dark; beta=1"), "v2"),
        ("x-user-group: gamma", plain().header("x-user-group", "gamma"), "v1"),
        ("forged x-narrows-route: hello-v2", plain().header("x-narrows-route", "hello-v2"), "v1"),
    ];
    let mut client = Connection::connect(mesh.ingress())?;
    for (what, request, wanted) in groups {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..100 {
            *seen.entry(served_by(&client.exchange(&request)?)).or_default() += 1;
        }
        say(&format!("  {what}"));
        bars(&seen, 100);
        promises.push(Promise {
            what: format!("requests with {what} reach {wanted}"),
            kept: only(&seen, wanted),
        });
    }
    let gone = client.exchange(&Request::get(HELLO, "/greet?api=1"))?;
    say(&format!("  ?api=1\n    answered {} by the gateway itself", gone.status));
    promises.push(Promise {
        what: "requests with ?api=1 are answered 410".to_owned(),
        kept: (gone.status == 410).then_some(()).ok_or(format!("answered {}", gone.status)),
    });
    Ok(())
}

/// The front end's sidecar divides its calls to the stock application.
fn east_west(mesh: &Mesh, promises: &mut Vec<Promise>) -> anyhow::Result<()> {
    heading("East–west: canary-split at the sidecar of bobbys-front-end");
    say("client → ingress gateway → bobbys-front-end → sidecar → bobbys-helidon-stock-application");
    say(&format!("no VirtualService, no weighted route; {USERS} users, {REQUESTS} requests each\n"));
    let seen = calls_of_users(mesh)?;
    let total =
        |version: &str| seen.iter().map(|sides| sides.get(version).copied().unwrap_or(0)).sum::<usize>();
    let requests =
        BTreeMap::from([("stable".to_owned(), total("stable")), ("canary".to_owned(), total("canary"))]);
    say("  requests served by");
    bars(&requests, USERS * REQUESTS);

    let loyal = seen.iter().filter(|sides| sides.len() == 1).count();
    let on_canary: Vec<usize> = (0..USERS).filter(|user| seen[*user].contains_key("canary")).collect();
    say(&format!("\n  {loyal} of {USERS} users stayed on one side over {REQUESTS} requests"));
    say(&format!("  {} users on the canary", on_canary.len()));
    promises.push(Promise {
        what: format!("each of {USERS} users stays on one side over {REQUESTS} requests"),
        kept: (loyal == USERS).then_some(()).ok_or(format!("{} users saw both sides", USERS - loyal)),
    });
    let below: Vec<usize> =
        (0..USERS).filter(|n| bucket::bucket(b"stock", user(*n).as_bytes()) < PROMISED).collect();
    promises.push(Promise {
        what: format!(
            "the canary serves the {} users whose bucket is below {PROMISED}, and nobody else",
            below.len()
        ),
        kept: (on_canary == below).then_some(()).ok_or(format!(
            "it served {} users; is the weight in envoy-configs/sidecar-bobbys-front-end.yaml 10 of 100?",
            on_canary.len()
        )),
    });
    let answered = requests.values().sum::<usize>();
    promises.push(Promise {
        what: "no request is lost".to_owned(),
        kept: (answered == USERS * REQUESTS)
            .then_some(())
            .ok_or(format!("{answered} of {} answered", USERS * REQUESTS)),
    });
    let counted = counted(mesh)?;
    say("\n  the sidecar counted (narrows_split_requests_total)");
    for (backend, count) in &counted {
        say(&format!("    {backend:8} {count}"));
    }
    promises.push(Promise {
        what: "the sidecar's counters say what the clients saw".to_owned(),
        kept: (counted == requests).then_some(()).ok_or(format!("{counted:?} against {requests:?}")),
    });
    Ok(())
}

/// For each user, which version of the stock application served how many requests.
fn calls_of_users(mesh: &Mesh) -> anyhow::Result<Vec<BTreeMap<String, usize>>> {
    let seen = Mutex::new(vec![BTreeMap::new(); USERS]);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|first| {
                let seen = &seen;
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut client = Connection::connect(mesh.ingress())?;
                    // Users take turns, so that no run of requests is one user's.
                    for (n, start) in (0..REQUESTS)
                        .flat_map(|start| (first..USERS).step_by(CLIENTS).map(move |n| (n, start)))
                    {
                        let target = format!("/bobbys-front-end/books?start={start}");
                        let request = Request::get(BOOKS, &target).header("x-user-id", user(n));
                        let side = called(&client.exchange(&request)?);
                        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        *seen[n].entry(side).or_default() += 1;
                    }
                    Ok(())
                })
            })
            .collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().unwrap_or_else(|_| anyhow::bail!("a client panicked")))
    })?;
    Ok(seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// What the sidecar's own counters say, by backend.
fn counted(mesh: &Mesh) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut counted = BTreeMap::new();
    for sample in mesh.front_end_sidecar.prometheus()? {
        if sample.name == "narrows_split_requests_total" && sample.value > 0.0 {
            let backend = sample.labels.get("backend").cloned().unwrap_or_default();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of requests"
            )]
            let count = sample.value as usize;
            *counted.entry(backend).or_default() += count;
        }
    }
    Ok(counted)
}

/// The name of the n-th user.
pub fn user(n: usize) -> String {
    format!("user-{n:04}")
}

fn served_by(response: &Response) -> String {
    let version = response.json().ok().and_then(|body| Some(body["version"].as_str()?.to_owned()));
    version.unwrap_or_else(|| format!("status {}", response.status))
}

fn called(response: &Response) -> String {
    let version =
        response.json().ok().and_then(|body| Some(body["called"]["body"]["version"].as_str()?.to_owned()));
    version.unwrap_or_else(|| format!("status {}", response.status))
}

fn only(seen: &BTreeMap<String, usize>, wanted: &str) -> Result<(), String> {
    if seen.len() == 1 && seen.contains_key(wanted) { Ok(()) } else { Err(format!("served by {seen:?}")) }
}
