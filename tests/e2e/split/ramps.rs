//! Weights that follow the clock: at each second, whoever is on the canary is there by an xxHash that is
//! not ours, and nobody leaves it again.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narrows_core::moment;
use narrows_harness::bootstrap::wasm_config;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::Envoy;
use narrows_harness::temp::TempDir;
use serde_json::{Value, json};

use narrows_tests::books::{Books, allow_any, app, by, filter, module, policy, routes, series};

/// Buckets under the salt "stock": see users.py beside it.
const USERS: &str = include_str!("../../data/users.json");
/// What is enough for two Envoys to start, in seconds.
const START: u64 = 8;

/// A ramp of seconds: from each, so many hundredths of all buckets.
#[derive(Clone)]
struct Plan {
    steps: Vec<(u64, u64)>,
    is_linear: bool,
}

impl Plan {
    fn steps(first: u64) -> Self {
        let weights = [1, 5, 20, 50, 100];
        let steps = (0..).zip(weights).map(|(number, weight)| (first + 2 * number, weight));
        Self { steps: steps.collect(), is_linear: false }
    }

    /// All users within ten seconds.
    fn line(first: u64) -> Self {
        Self { steps: vec![(first, 0), (first + 10, 100)], is_linear: true }
    }

    fn end(&self) -> u64 {
        self.steps.last().map_or(0, |(at, _)| *at)
    }

    /// By hand, in millionths: the core is not asked.
    fn buckets(&self, now: u64) -> u64 {
        let next = self.steps.iter().position(|(at, _)| *at > now);
        match next {
            Some(0) => 0,
            None => self.steps.last().map_or(0, |(_, weight)| weight * 10_000),
            Some(next) => {
                let ((from, low), (to, high)) = (self.steps[next - 1], self.steps[next]);
                let more =
                    if self.is_linear { (high - low) * 10_000 * (now - from) / (to - from) } else { 0 };
                low * 10_000 + more
            }
        }
    }

    fn policy(&self) -> Value {
        let step = |(at, weight): &(u64, u64)| json!({ "at": moment::utc(*at), "weight": weight });
        let mut policy = policy(0, &json!({}));
        let canary = &mut policy["splits"][0]["backends"][1];
        canary.as_object_mut().expect("it is a table").remove("weight");
        canary["ramp"] = json!({ "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "between": if self.is_linear { "linear" } else { "step" } });
        policy
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

fn users() -> BTreeMap<String, u64> {
    let vectors: Value = serde_json::from_str(USERS).expect("it is JSON");
    let buckets = vectors["buckets"].as_object().expect("it is a table");
    buckets.iter().map(|(user, bucket)| (user.clone(), bucket.as_u64().expect("a bucket"))).collect()
}

/// What was seen of one proxy: who has been on the canary.
#[derive(Default)]
struct Seen {
    canary: BTreeSet<String>,
    asked: usize,
    /// The seconds in which somebody was asked about.
    seconds: BTreeSet<u64>,
}

impl Seen {
    /// Asks for some users, each over a connection to another worker in turn.
    fn ask(&mut self, envoy: &Envoy, plan: &Plan, users: &[(String, u64)]) -> anyhow::Result<()> {
        let connect = |_| Client::connect(Protocol::Http1, envoy.listener("http")?);
        let mut clients = (0..4).map(connect).collect::<Result<Vec<_>, _>>()?;
        for (number, (user, bucket)) in users.iter().enumerate() {
            let from = now();
            let answer = envoy.context(clients[number % 4].exchange(&by(user)))?;
            let seconds = from..=now();
            let is_canary = app(&answer)? == "canary";
            let may_be = |second: u64| (*bucket < plan.buckets(second)) == is_canary;
            anyhow::ensure!(
                seconds.clone().any(may_be),
                "{user} of bucket {bucket}: canary {is_canary} at {seconds:?}, with {} buckets",
                plan.buckets(from)
            );
            anyhow::ensure!(is_canary || !self.canary.contains(user), "{user} was sent back at {from}");
            self.canary.extend(is_canary.then(|| user.clone()));
            self.asked += 1;
            self.seconds.extend(seconds);
        }
        Ok(())
    }
}

/// Somebody must have asked in each second of the ramp.
fn in_each_second(plan: &Plan, seen: &Seen) {
    let missed: Vec<u64> = (plan.steps[0].0..=plan.end()).filter(|at| !seen.seconds.contains(at)).collect();
    assert!(missed.is_empty(), "nobody asked at {missed:?}");
}

/// Asks all the time, from before the first step until after the last. `between` is called after each
/// round.
fn follow(
    plan: &Plan,
    envoy: &mut Envoy,
    between: &mut dyn FnMut(&mut Envoy) -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    let users: Vec<(String, u64)> = users().into_iter().collect();
    let mut seen = Seen::default();
    for round in users.chunks(100).cycle() {
        seen.ask(envoy, plan, round)?;
        if now() > plan.end() + 1 {
            break;
        }
        between(envoy)?;
        thread::sleep(Duration::from_millis(50));
    }
    seen.ask(envoy, plan, &users)?;
    println!("{} requests, {} users on the canary", seen.asked, seen.canary.len());
    Ok(seen)
}

#[test]
fn steps_of_two_seconds() -> anyhow::Result<()> {
    let books = Books::new()?;
    let plan = Plan::steps(now() + START);
    let mut envoy = books.sidecar(filter(&plan.policy())?, &routes(&allow_any()))?;
    anyhow::ensure!(now() < plan.steps[0].0, "the machine is too slow for {START} s");
    let seen = follow(&plan, &mut envoy, &mut |_| Ok(()))?;
    assert_eq!(seen.canary.len(), 1000);
    in_each_second(&plan, &seen);
    envoy.wait_for_stat(&series("buckets"), |buckets| buckets == 1_000_000)?;
    Ok(())
}

#[test]
fn a_line_moves_every_second() -> anyhow::Result<()> {
    let books = Books::new()?;
    let plan = Plan::line(now() + START);
    let mut envoy = books.sidecar(filter(&plan.policy())?, &routes(&allow_any()))?;
    let mut shown = BTreeSet::new();
    let seen = follow(&plan, &mut envoy, &mut |envoy| {
        shown.insert(envoy.stat(&series("buckets"))?);
        Ok(())
    })?;
    assert_eq!(seen.canary.len(), 1000);
    in_each_second(&plan, &seen);
    // The gauge is what the line has at whole seconds, and at most a tick behind.
    let promised: BTreeSet<u64> = (0..=10).map(|second| second * 100_000).collect();
    assert!(shown.is_subset(&promised) && shown.len() >= 5, "{shown:?}");
    Ok(())
}

/// The second proxy knows nothing of the first.
#[test]
fn a_restart_in_the_middle_moves_nobody() -> anyhow::Result<()> {
    let books = Books::new()?;
    let plan = Plan::steps(now() + START);
    let start = || books.sidecar(filter(&plan.policy())?, &routes(&allow_any()));
    let (mut envoy, mut restarts) = (start()?, 0);
    follow(&plan, &mut envoy, &mut |envoy| {
        if restarts == 0 && now() >= plan.steps[2].0 {
            *envoy = start()?;
            restarts += 1;
        }
        Ok(())
    })?;
    assert_eq!(restarts, 1);
    Ok(())
}

/// The steps of the second come five seconds later, as if its clock were behind.
#[test]
fn two_proxies_whose_clocks_differ() -> anyhow::Result<()> {
    let books = Books::new()?;
    let first = now() + START;
    let plans = [Plan::steps(first), Plan::steps(first + 5)];
    let sidecar = |plan: &Plan| books.sidecar(filter(&plan.policy())?, &routes(&allow_any()));
    let envoys = [sidecar(&plans[0])?, sidecar(&plans[1])?];
    let users: Vec<(String, u64)> = users().into_iter().collect();
    let mut seen = [Seen::default(), Seen::default()];
    for round in users.chunks(50).cycle() {
        for (at, plan) in plans.iter().enumerate() {
            seen[at].ask(&envoys[at], plan, round)?;
        }
        // Whom the later one has on the canary, the earlier one has too.
        let [early, late] = &seen;
        assert!(late.canary.is_subset(&early.canary));
        if now() > plans[1].end() + 1 {
            break;
        }
    }
    Ok(())
}

/// Pushes of the same ramp while it is under way. Envoy passes over a text that it has, so each is another one.
#[test]
fn a_push_that_changes_nothing_moves_nobody() -> anyhow::Result<()> {
    let books = Books::new()?;
    let directory = TempDir::new("ramps")?;
    let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/books.canary-split")?;
    let plan = Plan::steps(now() + START);
    let module = module()?;
    let config = |push: usize| {
        let mut policy = plan.policy();
        let signed = json!({ "set": { "x-push": push.to_string() } });
        policy["splits"][0]["backends"][1]["responseHeaders"] = signed;
        wasm_config("canary-split", &module, &policy.to_string(), None, "FAIL_RELOAD")
    };
    ecds.push(&config(0))?;
    let mut envoy = books.sidecar(ecds.filter_entry(&[WASM]), &routes(&allow_any()))?;
    let mut pushes = 0;
    follow(&plan, &mut envoy, &mut |envoy| {
        if now() >= plan.steps[0].0 && pushes < 20 {
            pushes += 1;
            anyhow::ensure!(ecds.push_to(envoy, &config(pushes))?, "push {pushes} was refused");
        }
        Ok(())
    })?;
    assert!(pushes >= 4, "only {pushes} pushes");
    Ok(())
}
