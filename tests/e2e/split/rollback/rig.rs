//! A sidecar, and users who ask through it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use narrows_harness::bootstrap::wasm_config;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::Envoy;
use narrows_harness::message::{Request, Response};
use narrows_harness::temp::TempDir;
use serde_json::{Value, json};

use narrows_tests::books::{Books, Oracle, allow_any, by, module, routes, series, users};

/// The users.
pub(super) const USERS: usize = 2_000;
/// Connections, to both workers.
const CONNECTIONS: usize = 6;
/// From one look at the gauge to the next, in requests.
const LOOK: usize = 40;

/// What the canary does.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// So many of a hundred fail.
    Errors(u64),
    /// It breaks each connection.
    Reset,
}

/// Numbers that look random, the same in every run.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(super) fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// How a canary was switched off, or was not.
#[derive(Debug, Default)]
pub(super) struct Off {
    pub(super) tripped: bool,
    /// The requests of the canary until then.
    pub(super) requests: usize,
    pub(super) most_in_a_second: usize,
    /// Said, and not tested.
    pub(super) took: Duration,
}

/// A sidecar with a policy.
pub(super) struct Live {
    _books: Books,
    pub(super) envoy: Envoy,
    ecds: Ecds,
    _directory: TempDir,
    clients: BTreeMap<usize, Client>,
    pub(super) users: Vec<String>,
    pub(super) oracle: Oracle,
    pub(super) chance: Chance,
    pushes: usize,
}

/// A policy with a rollback.
pub(super) fn policy(weight: u32, rollback: &Value) -> Value {
    let mut rollback = rollback.clone();
    rollback["warmup"] = json!("0s");
    narrows_tests::books::policy(weight, &json!({ "rollback": rollback }))
}

/// How a module is given to Envoy: each push has another text, and `vm` is the VM's configuration.
fn config(policy: &Value, push: usize, vm: Option<&str>) -> anyhow::Result<Value> {
    let mut policy = policy.clone();
    let signed = json!({ "set": { "x-push": push.to_string() } });
    policy["splits"][0]["backends"][1]["responseHeaders"] = signed;
    Ok(wasm_config("canary-split", &module()?, &policy.to_string(), vm, "FAIL_RELOAD"))
}

impl Live {
    pub(super) fn new(policy: &Value) -> anyhow::Result<Self> {
        let books = Books::new()?;
        let directory = TempDir::new("rollback")?;
        let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/books.canary-split")?;
        ecds.push(&config(policy, 0, None)?)?;
        let envoy = books.sidecar(ecds.filter_entry(&[WASM]), &routes(&allow_any()))?;
        let users = users(USERS);
        let oracle = Oracle::new(policy, &users);
        Ok(Self {
            _books: books,
            envoy,
            ecds,
            _directory: directory,
            clients: BTreeMap::new(),
            users,
            oracle,
            chance: Chance::new(),
            pushes: 0,
        })
    }

    /// Pushes a policy; `vm` is the VM's configuration, and another one makes new VMs.
    pub(super) fn push(&mut self, policy: &Value, vm: Option<&str>) -> anyhow::Result<()> {
        self.pushes += 1;
        let config = config(policy, self.pushes, vm)?;
        anyhow::ensure!(self.ecds.push_to(&self.envoy, &config)?, "push {} was refused", self.pushes);
        self.oracle = Oracle::new(policy, &self.users);
        Ok(())
    }

    /// Asks over one of the connections, in turn.
    pub(super) fn ask(&mut self, number: usize, request: &Request) -> anyhow::Result<Response> {
        let at = number % CONNECTIONS;
        let address = self.envoy.listener("http")?;
        let client = match self.clients.remove(&at) {
            Some(client) => client,
            None => Client::connect(Protocol::Http1, address)?,
        };
        let mut client = client;
        let response = self.envoy.context(client.exchange(request))?;
        self.clients.insert(at, client);
        Ok(response)
    }

    /// A random user's request, and whether the user is the canary's.
    pub(super) fn request(&mut self) -> (Request, bool) {
        let at = usize::try_from(self.chance.below(USERS as u64)).unwrap_or_default();
        let user = &self.users[at];
        (by(user), self.oracle.backend(user) == "canary")
    }

    /// Asks until the canary is off, or has had so many requests.
    pub(super) fn until_off(&mut self, most: usize, shape: Shape) -> anyhow::Result<Off> {
        let (mut off, begun) = (Off::default(), Instant::now());
        let (mut second, mut in_second) = (Instant::now(), 0);
        for number in 0.. {
            let (request, is_canary) = self.request();
            let request = match shape {
                _ if !is_canary => request,
                Shape::Errors(percent) if self.chance.below(100) < percent => {
                    request.header("x-echo-status", "503")
                }
                Shape::Errors(_) => request,
                Shape::Reset => request.header("x-echo-fault", "reset"),
            };
            self.ask(number, &request)?;
            off.requests += usize::from(is_canary);
            in_second += usize::from(is_canary);
            if second.elapsed() >= Duration::from_secs(1) {
                off.most_in_a_second = off.most_in_a_second.max(in_second);
                (second, in_second) = (Instant::now(), 0);
            }
            if number % LOOK == 0 {
                off.tripped = self.state()? == 4;
                if off.tripped || off.requests >= most {
                    break;
                }
            }
        }
        off.most_in_a_second = off.most_in_a_second.max(in_second);
        off.took = begun.elapsed();
        Ok(off)
    }

    /// How many of so many users of the canary get there, each over another connection.
    pub(super) fn canaries(&mut self, count: usize) -> anyhow::Result<usize> {
        // The other worker hears of it within a tick.
        std::thread::sleep(Duration::from_millis(2_500));
        let users: Vec<String> = self.users.clone();
        let users = users.into_iter().filter(|user| self.oracle.backend(user) == "canary");
        let users: Vec<String> = users.take(count).collect();
        let mut went = 0;
        for (number, user) in users.iter().enumerate() {
            let response = self.ask(number, &by(user))?;
            went += usize::from(response.headers.text("x-app").as_deref() == Some("canary"));
        }
        Ok(went)
    }

    /// What the gauge says of the canary.
    pub(super) fn state(&self) -> anyhow::Result<u64> {
        self.envoy.stat(&series("rollback_state"))
    }

    /// How often it was found worse, by class.
    pub(super) fn trips(&self) -> anyhow::Result<[u64; 3]> {
        let stats = self.envoy.stats()?;
        Ok(["errors", "latency", "client_errors"].map(|class| {
            let labels = format!("split=.=stock;.;backend=.=canary;.;fault=.={class};.;");
            stats
                .get(&format!("wasmcustom.{labels}narrows_split_rollbacks_total"))
                .copied()
                .unwrap_or_default()
        }))
    }
}
