//! A user stays where the arithmetic puts them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use narrows_harness::bootstrap::wasm_config;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::Envoy;
use narrows_harness::http2;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use serde_json::{Value, json};

use narrows_tests::books::{Books, Oracle, STOCK, allow_any, app, by, filter, module, policy, routes, users};

const USERS: usize = 1_000;
const REQUESTS: usize = 20;
const PUSHES: usize = 50;

#[test]
fn nobody_moves_between_processes_workers_connections_and_protocols() -> anyhow::Result<()> {
    let books = Books::new()?;
    let policy = policy(20, &json!({}));
    let envoys = [(); 2].map(|()| books.sidecar(filter(&policy)?, &routes(&allow_any())));
    let envoys = envoys.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let users = users(USERS);
    let oracle = Oracle::new(&policy, &users);
    let mut on_canary = 0;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        // Eight connections at once to each: both workers have some of them.
        let connect = |number: usize| Client::connect(protocol, envoys[number % 2].listener("http")?);
        let mut clients = (0..16).map(connect).collect::<Result<Vec<_>, _>>()?;
        for round in 0..REQUESTS {
            for (number, user) in users.iter().enumerate() {
                let place = (number + round) % 16;
                let answer = clients[place].exchange(&asked(user, protocol, round));
                let answered = app(&envoys[place % 2].context(answer)?)?;
                assert_eq!(answered, oracle.backend(user), "{user} in round {round}");
                on_canary += usize::from(answered == "canary");
            }
        }
    }
    let expected = users.iter().filter(|user| oracle.backend(user) == "canary").count();
    assert_eq!(on_canary, expected * REQUESTS * 2);
    assert!((150..250).contains(&expected), "{expected} of {USERS}, for a fifth");
    for (envoy, worker) in envoys.iter().flat_map(|envoy| [(envoy, 0), (envoy, 1)]) {
        let connections = envoy.stat(&format!("listener.127.0.0.1_0.worker_{worker}.downstream_cx_total"))?;
        assert!(connections > 0, "worker {worker} has had no connection");
    }
    Ok(())
}

/// The same request in every second round, but for what must not matter: other headers
/// before and behind, and over HTTP/1.1 the case of the name.
fn asked(user: &str, protocol: Protocol, round: usize) -> Request {
    if round.is_multiple_of(2) {
        return by(user);
    }
    let name = if protocol == Protocol::Http1 { "X-USER-ID" } else { "x-user-id" };
    let other = Request::get(STOCK, "/books").header("x-other", format!("{round}"));
    other.header(name, user).header("accept", "*/*")
}

#[test]
fn streams_of_one_connection_agree() -> anyhow::Result<()> {
    let books = Books::new()?;
    let policy = policy(50, &json!({}));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    let users = users(100);
    let oracle = Oracle::new(&policy, &users);
    let requests: Vec<_> = users.iter().map(|user| by(user)).collect();
    let answers = http2::Connection::connect(envoy.listener("http")?)?.exchange_all(&requests)?;
    for (user, answer) in users.iter().zip(&answers) {
        assert_eq!(app(answer)?, oracle.backend(user), "{user}");
    }
    Ok(())
}

/// Weights change fifty times under load, as when a `WasmPlugin` is edited; and each
/// time a mistake comes first.
#[test]
fn a_changed_weight_costs_nothing_and_moves_only_whom_it_must() -> anyhow::Result<()> {
    let books = Books::new()?;
    let directory = TempDir::new("weights")?;
    let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/books.canary-split")?;
    // Up and down, to nothing and to everything.
    let weights: Vec<u32> = [0, 5, 25, 100, 60, 61, 30].into_iter().cycle().take(PUSHES + 1).collect();
    let policies: Vec<Value> =
        weights.iter().enumerate().map(|(push, weight)| signed(policy(*weight, &json!({})), push)).collect();
    let users = users(400);
    let oracles: Vec<Oracle> = policies.iter().map(|policy| Oracle::new(policy, &users)).collect();
    let module = module()?;
    // Not strict: that is what Istio runs.
    let config =
        |policy: &Value| wasm_config("canary-split", &module, &policy.to_string(), None, "FAIL_RELOAD");
    ecds.push(&config(&policies[0]))?;
    let envoy = books.sidecar(ecds.filter_entry(&[WASM]), &routes(&allow_any()))?;
    let load = Load::new(&envoy, &oracles);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| -> anyhow::Result<()> {
        let protocols = [Protocol::Http1, Protocol::Http2, Protocol::Http1, Protocol::Http2];
        let clients: Vec<_> = protocols
            .into_iter()
            .zip(users.chunks(100))
            .zip(&load.served)
            .map(|((protocol, users), served)| {
                let (load, stop) = (&load, &stop);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut client = Client::connect(protocol, load.envoy.listener("http")?)?;
                    for user in users.iter().cycle() {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        load.ask(&mut client, user)?;
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok(())
                })
            })
            .collect();
        let pushed = (1..=PUSHES).try_for_each(|push| {
            let bad = signed(policy(101, &json!({})), push);
            anyhow::ensure!(!ecds.push_to(&envoy, &config(&bad))?, "a mistake before push {push} was taken");
            load.everybody_asks()?;
            load.begun.store(push, Ordering::SeqCst);
            anyhow::ensure!(ecds.push_to(&envoy, &config(&policies[push]))?, "push {push} was refused");
            load.done.store(push, Ordering::SeqCst);
            load.everybody_asks()
        });
        stop.store(true, Ordering::SeqCst);
        // A client that ended early says why everybody waited.
        clients.into_iter().try_for_each(|client| client.join().expect("a client ends"))?;
        pushed
    })?;
    let served: usize = load.served.iter().map(|served| served.load(Ordering::SeqCst)).sum();
    println!("{served} requests under {PUSHES} changes of the weight and as many mistakes, none failed");
    // After the last one, exactly the arithmetic.
    for user in &users {
        load.ask(&mut Client::connect(Protocol::Http1, envoy.listener("http")?)?, user)?;
    }
    assert_eq!(envoy.stat(&ecds.stat("update_rejected"))?, u64::try_from(PUSHES)?);
    assert_eq!(envoy.stat(&ecds.stat("update_failure"))?, 0);
    Ok(())
}

/// A policy that says in each response which push it came with.
fn signed(mut policy: Value, push: usize) -> Value {
    for backend in policy["splits"][0]["backends"].as_array_mut().into_iter().flatten() {
        backend["responseHeaders"] = json!({ "set": { "x-push": push.to_string() } });
    }
    policy
}

/// What clients and pushes know of each other.
struct Load<'a> {
    envoy: &'a Envoy,
    oracles: &'a [Oracle],
    begun: AtomicUsize,
    done: AtomicUsize,
    /// Answers, by client.
    served: [AtomicUsize; 4],
}

impl<'a> Load<'a> {
    fn new(envoy: &'a Envoy, oracles: &'a [Oracle]) -> Self {
        let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { envoy, oracles, begun, done, served: [(); 4].map(|()| AtomicUsize::new(0)) }
    }

    /// Asks once: the answer must be of a policy that can have been in force meanwhile,
    /// and exactly what its weight says.
    fn ask(&self, client: &mut Client, user: &str) -> anyhow::Result<()> {
        let from = self.done.load(Ordering::SeqCst);
        let answer = self.envoy.context(client.exchange(&by(user)))?;
        let to = self.begun.load(Ordering::SeqCst);
        let push = answer.headers.text("x-push").and_then(|push| push.parse().ok());
        let push = push.filter(|push| (from..=to).contains(push));
        let push = push.with_context(|| format!("{user}: {:?}, not {from} to {to}", answer.headers))?;
        let (answered, expected) = (app(&answer)?, self.oracles[push].backend(user));
        anyhow::ensure!(answered == expected, "{user} got {answered}, not {expected}, after push {push}");
        Ok(())
    }

    /// Waits until every client has had two more answers: the second was asked for since.
    fn everybody_asks(&self) -> anyhow::Result<()> {
        let counts = || self.served.iter().map(|served| served.load(Ordering::SeqCst));
        let before: Vec<_> = counts().collect();
        wait::until("every client to be served", Duration::from_secs(20), || {
            Ok(counts().zip(&before).all(|(now, before)| now >= before + 2).then_some(()))
        })
    }
}
