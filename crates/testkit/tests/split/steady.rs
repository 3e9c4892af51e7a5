//! A user stays where the arithmetic puts them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use narrows_testkit::bootstrap::wasm_config;
use narrows_testkit::ecds::{Ecds, WASM};
use narrows_testkit::envoy::Envoy;
use narrows_testkit::http2;
use narrows_testkit::message::{Client, Protocol};
use narrows_testkit::temp::TempDir;
use serde_json::{Value, json};

use crate::books::{Books, Oracle, allow_any, app, by, filter, module, policy, routes, users};

const USERS: usize = 1_000;
const REQUESTS: usize = 20;
const PUSHES: usize = 50;

#[test]
fn nobody_moves_between_workers_connections_and_protocols() -> anyhow::Result<()> {
    let books = Books::new()?;
    let policy = policy(20, &json!({}));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    let users = users(USERS);
    let oracle = Oracle::new(&policy, &users);
    let address = envoy.listener("http")?;
    let mut on_canary = 0;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        // Eight connections at once: both workers have some of them.
        let mut clients =
            (0..8).map(|_| Client::connect(protocol, address)).collect::<Result<Vec<_>, _>>()?;
        for round in 0..REQUESTS {
            for (number, user) in users.iter().enumerate() {
                let client = &mut clients[(number + round) % 8];
                let answered = app(&envoy.context(client.exchange(&by(user)))?)?;
                assert_eq!(answered, oracle.backend(user), "{user} in round {round}");
                on_canary += usize::from(answered == "canary");
            }
        }
    }
    let expected = users.iter().filter(|user| oracle.backend(user) == "canary").count();
    assert_eq!(on_canary, expected * REQUESTS * 2);
    assert!((150..250).contains(&expected), "{expected} of {USERS}, for a fifth");
    for worker in 0..2 {
        let connections = envoy.stat(&format!("listener.127.0.0.1_0.worker_{worker}.downstream_cx_total"))?;
        assert!(connections > 0, "worker {worker} has had no connection");
    }
    Ok(())
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

/// Weights change fifty times under load, as when a `WasmPlugin` is edited.
#[test]
fn a_changed_weight_costs_nothing_and_moves_only_whom_it_must() -> anyhow::Result<()> {
    let books = Books::new()?;
    let directory = TempDir::new("weights")?;
    let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/books.canary-split")?;
    // Up and down, to nothing and to everything.
    let weights: Vec<u32> = [0, 5, 25, 100, 60, 61, 30].into_iter().cycle().take(PUSHES + 1).collect();
    let policies: Vec<Value> = weights.iter().map(|weight| policy(*weight, &json!({}))).collect();
    let users = users(400);
    let oracles: Vec<Oracle> = policies.iter().map(|policy| Oracle::new(policy, &users)).collect();
    let module = module()?;
    let config = |policy: &Value| {
        wasm_config("canary-split", &module, &policy.to_string(), Some("{\"strict\": true}"), "FAIL_RELOAD")
    };
    ecds.push(&config(&policies[0]))?;
    let envoy = books.sidecar(ecds.filter_entry(&[WASM]), &routes(&allow_any()))?;
    let load =
        Load { envoy: &envoy, oracles: &oracles, begun: AtomicUsize::new(0), done: AtomicUsize::new(0) };
    let (stop, served) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| -> anyhow::Result<()> {
        let clients: Vec<_> = [Protocol::Http1, Protocol::Http2, Protocol::Http1, Protocol::Http2]
            .into_iter()
            .zip(users.chunks(100))
            .map(|(protocol, users)| {
                let (load, stop, served) = (&load, &stop, &served);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut client = Client::connect(protocol, load.envoy.listener("http")?)?;
                    for user in users.iter().cycle() {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        load.ask(&mut client, user)?;
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let pushed = (1..=PUSHES).try_for_each(|push| {
            load.begun.store(push, Ordering::SeqCst);
            anyhow::ensure!(ecds.push_to(&envoy, &config(&policies[push]))?, "push {push} was refused");
            load.done.store(push, Ordering::SeqCst);
            Ok(())
        });
        stop.store(true, Ordering::SeqCst);
        pushed?;
        clients.into_iter().try_for_each(|client| client.join().expect("a client ends"))
    })?;
    let served = served.load(Ordering::Relaxed);
    assert!(served > 1_000, "only {served} requests under load");
    println!("{served} requests under {PUSHES} changes of the weight, none failed");
    // After the last one, exactly the arithmetic.
    for user in &users {
        load.ask(&mut Client::connect(Protocol::Http1, envoy.listener("http")?)?, user)?;
    }
    for event in ["update_rejected", "update_failure", "config_fail"] {
        assert_eq!(envoy.stat(&ecds.stat(event))?, 0, "{event}");
    }
    Ok(())
}

/// What clients and pushes know of each other.
struct Load<'a> {
    envoy: &'a Envoy,
    oracles: &'a [Oracle],
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl Load<'_> {
    /// Asks once: the answer must be what one of the weights says that can have been
    /// in force meanwhile.
    fn ask(&self, client: &mut Client, user: &str) -> anyhow::Result<()> {
        let from = self.done.load(Ordering::SeqCst);
        let answered = app(&self.envoy.context(client.exchange(&by(user)))?)?;
        let to = self.begun.load(Ordering::SeqCst);
        let allowed: BTreeSet<_> =
            self.oracles[from..=to].iter().map(|oracle| oracle.backend(user)).collect();
        anyhow::ensure!(allowed.contains(&*answered), "{user} got {answered}, not one of {allowed:?}");
        Ok(())
    }
}
