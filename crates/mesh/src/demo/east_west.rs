//! The front end's sidecar divides its calls to the stock application.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use narrows_core::split::bucket;

use super::answered_by;
use super::picture::{bars, heading, say};
use super::promises::Promises;
use crate::{BOOKS, Mesh};
use narrows_harness::http1::Connection;
use narrows_harness::message::{Request, Response};

const USERS: usize = 1000;
const REQUESTS: usize = 10;
/// Clients side by side.
const CLIENTS: usize = 8;
/// What is promised, apart from the policy in the sidecar's bootstrap: one in ten.
const PROMISED: u32 = bucket::BUCKETS / 10;

/// Returns how many calls each version of the stock application served.
pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<BTreeMap<String, usize>> {
    heading("East–west: canary-split at the sidecar of bobbys-front-end");
    say("client → ingress gateway → bobbys-front-end → sidecar → bobbys-helidon-stock-application");
    say(&format!("no VirtualService, no weighted route; {USERS} users, {REQUESTS} requests each\n"));
    let seen = calls_of_users(mesh)?;
    let mut requests = BTreeMap::from([("stable".to_owned(), 0), ("canary".to_owned(), 0)]);
    for (side, count) in seen.iter().flatten() {
        *requests.entry(side.clone()).or_default() += count;
    }
    say("  requests served by");
    bars(&requests, USERS * REQUESTS);

    let loyal = seen.iter().filter(|sides| sides.len() == 1).count();
    let on_canary: Vec<usize> = (0..USERS).filter(|user| seen[*user].contains_key("canary")).collect();
    say(&format!("\n  {loyal} of {USERS} users stayed on one side over {REQUESTS} requests"));
    say(&format!("  {} users on the canary", on_canary.len()));
    promises.hold(
        format!("each of {USERS} users stays on one side over {REQUESTS} requests"),
        loyal == USERS,
        || format!("{} users saw both sides", USERS - loyal),
    );
    let below: Vec<usize> =
        (0..USERS).filter(|n| bucket::bucket(b"stock", user(*n).as_bytes()) < PROMISED).collect();
    promises.hold(
        format!(
            "the canary serves the {} users whose bucket is below {PROMISED}, and nobody else",
            below.len()
        ),
        on_canary == below,
        || {
            format!(
                "it served {} users; is the weight in envoy-configs/sidecar-bobbys-front-end.yaml 10 of 100?",
                on_canary.len()
            )
        },
    );
    let answered = requests["stable"] + requests["canary"];
    promises.hold("no request is lost", answered == USERS * REQUESTS, || {
        format!("{answered} of {} answered: {requests:?}", USERS * REQUESTS)
    });
    let counted = counted(mesh)?;
    say("\n  the sidecar counted (narrows_split_requests_total)");
    for (backend, count) in &counted {
        say(&format!("    {backend:8} {count}"));
    }
    promises.hold("the sidecar's counters say what the clients saw", counted == requests, || {
        format!("{counted:?} against {requests:?}")
    });
    order(mesh, promises)?;
    Ok(requests)
}

/// An order goes further: from the stock application to the bookstore.
fn order(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    let mut client = Connection::connect(mesh.applications.ingress())?;
    let mut post = Request::new("POST", BOOKS, "/bobbys-front-end/order");
    post = post.header("x-canary", "never").header("content-length", "0");
    let placed = client.exchange(&post)?.json()?;
    let bookstore = &placed["called"]["body"]["called"]["body"];
    let reached = bookstore["app"] == "bobs-bookstore"
        && bookstore["target"] == "/bobs-bookstore-order-manager/order"
        && bookstore["method"] == "POST";
    say("\n  POST /bobbys-front-end/order");
    say("    bobbys-front-end → bobbys-helidon-stock-application → bobs-bookstore");
    promises
        .hold("an order reaches the bookstore through the stock application", reached, || placed.to_string());
    let books = client.exchange(&Request::get(BOOKS, "/books/7"))?;
    promises.hold(
        "robert-helidon has the rest of Bob's Books",
        answered_by(&books) == "robert-helidon",
        || answered_by(&books),
    );
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
                    let mut client = Connection::connect(mesh.applications.ingress())?;
                    // Users take turns, so that no run of requests is one user's.
                    for (n, start) in (0..REQUESTS)
                        .flat_map(|start| (first..USERS).step_by(CLIENTS).map(move |n| (n, start)))
                    {
                        let target = format!("/bobbys-front-end/books?start={start}");
                        let request = Request::get(BOOKS, &target).header("x-user-id", user(n));
                        let side = called(&client.exchange(&request)?);
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
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
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the sidecar's own counters say, by backend. They count when a call has ended,
/// which may be a moment after its answer.
fn counted(mesh: &Mesh) -> anyhow::Result<BTreeMap<String, usize>> {
    let sidecar = &mesh.applications.front_end_sidecar;
    let mut counted = BTreeMap::new();
    for _ in 0..100 {
        counted = BTreeMap::from([("stable".to_owned(), 0), ("canary".to_owned(), 0)]);
        for sample in sidecar.prometheus()?.iter().filter(|s| s.name == "narrows_split_requests_total") {
            let backend = sample.labels.get("backend").cloned().unwrap_or_default();
            *counted.entry(backend).or_default() += sample.count();
        }
        if counted.values().sum::<usize>() >= USERS * REQUESTS {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(counted)
}

/// The name of the n-th user.
pub fn user(n: usize) -> String {
    format!("user-{n:04}")
}

fn called(response: &Response) -> String {
    let version =
        response.json().ok().and_then(|body| Some(body["called"]["body"]["version"].as_str()?.to_owned()));
    version.unwrap_or_else(|| format!("status {}", response.status))
}
