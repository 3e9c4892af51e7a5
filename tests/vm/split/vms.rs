//! Many VMs of one proxy, second by second: who hears what, who asks, what it costs.

use std::time::Duration;

use narrows_vm::{CallResponse, Cluster, Exchange, Module, Outcome, Plugin, Proxy, Response, Vm, VmOptions};
use serde_json::{Value, json};

use narrows_tests::books::{CANARY, STABLE, STOCK, module, policy, series};

#[test]
fn a_request_costs_nothing_more_while_the_canary_is_there() -> anyhow::Result<()> {
    let mut proxy = Workers::new(1, &policy(50, &json!({})))?;
    know_the_canary(&mut proxy);
    for user in ["user-0", "user-1", "user-2", "user-3"] {
        let outcome = proxy.ask(0, user, &|| Response::ok().cluster(CANARY));
        // `:authority`, the header map, cluster, code; of a canary's, before it is rewritten, the
        // cluster that it would have gone to.
        let is_canary = Workers::is_canary(&outcome);
        assert_eq!(outcome.work.fetches(), if is_canary { 5 } else { 4 }, "{user}");
        assert_eq!(outcome.work.count("proxy_get_shared_data"), 0);
        assert_eq!(outcome.work.count("proxy_set_shared_data"), 0);
        println!("canary {is_canary}: {} fetches, {} fuel", outcome.work.fetches(), outcome.work.fuel());
    }
    Ok(())
}

/// The first request that a canary serves shows that its cluster has addresses of its own: later ones
/// need not be looked at.
fn know_the_canary(proxy: &mut Workers) {
    for user in ["user-0", "user-1", "user-2", "user-3"] {
        proxy.ask(0, user, &|| Response::ok().cluster(CANARY));
    }
}

/// The cluster that a request would have gone to is read where a failure could switch its
/// backend off, and what earlier filters did once it has failed.
#[test]
fn what_is_read_for_the_guard() -> anyhow::Result<()> {
    let there = || Response::ok().cluster(CANARY);
    let mut report = policy(100, &json!({}));
    report["splits"][0]["mode"] = json!("report");
    for (what, policy, fetches) in [
        ("guarded", policy(100, &json!({})), 5),
        ("not guarded", policy(100, &json!({ "guard": { "passive": false } })), 4),
        ("not rewritten", report, 3),
        ("the baseline's", policy(0, &json!({})), 4),
    ] {
        let mut proxy = Workers::new(1, &policy)?;
        know_the_canary(&mut proxy);
        assert_eq!(proxy.ask(0, "user-1", &there).work.fetches(), fetches, "{what}");
    }
    let mut proxy = Workers::new(1, &policy(100, &json!({})))?;
    let failed = proxy.ask(0, "user-1", &Response::no_route);
    // And which virtual host took it. Beside them the shared data, to tell the other workers.
    assert_eq!(failed.work.count("proxy_get_property"), 7, "{:?}", failed.work);
    Ok(())
}

#[test]
fn what_one_worker_learns_all_know_a_second_later() -> anyhow::Result<()> {
    let mut proxy = Workers::new(3, &policy(100, &json!({ "guard": { "cooldown": "5s" } })))?;
    for (vm, root) in &proxy.vms {
        assert_eq!(vm.tick_period(*root), Some(Duration::from_secs(1)));
    }
    let gone = || Response::no_cluster();
    let there = || Response::ok().cluster(CANARY);
    assert!(proxy.goes_to_canary(0, &gone));
    assert!(!proxy.goes_to_canary(0, &gone), "it knows");
    assert!(proxy.goes_to_canary(1, &there), "the others do not, yet");
    assert_eq!(proxy.gauge(), Some(1));
    proxy.second();
    for worker in 0..3 {
        for _ in 0..20 {
            assert!(!proxy.goes_to_canary(worker, &gone));
        }
    }
    // A pushed policy forgets nothing.
    proxy.push(1, &policy(99, &json!({ "guard": { "cooldown": "5s" } })));
    assert!(!proxy.goes_to_canary(1, &gone));
    // After the cooldown one in ten tries; one that fails is a rest for all.
    for _ in 0..4 {
        proxy.second();
    }
    let tries = (0..20).filter(|_| proxy.goes_to_canary(0, &gone)).count();
    assert_eq!(tries, 1);
    proxy.second();
    assert_eq!((0..20).filter(|_| proxy.goes_to_canary(2, &gone)).count(), 0);
    // Those that did not find it wait two seconds for the one that did.
    for _ in 0..5 {
        proxy.second();
        assert_eq!((0..20).filter(|_| proxy.goes_to_canary(2, &gone)).count(), 0);
    }
    proxy.second();
    assert!(proxy.goes_to_canary(2, &there));
    assert_eq!(proxy.gauge(), Some(0));
    assert!(proxy.goes_to_canary(2, &there), "one is enough");
    proxy.second();
    assert!(proxy.goes_to_canary(0, &there), "and the others have heard");
    Ok(())
}

#[test]
fn one_vm_asks_and_another_takes_over() -> anyhow::Result<()> {
    let probe = json!({ "guard": { "cluster": CANARY, "every": "2s", "path": "/healthz" } });
    let mut proxy = Workers::new(3, &policy(100, &probe))?;
    // There is no such cluster: known without traffic, and nobody has paid.
    assert_eq!(proxy.second(), 0);
    proxy.second();
    for worker in 0..3 {
        assert!(!proxy.goes_to_canary(worker, &|| Response::no_cluster()));
    }
    proxy.clusters.clusters.set(CANARY, Cluster::Empty);
    assert_eq!((0..4).map(|_| proxy.second()).sum::<usize>(), 0);
    assert_eq!(proxy.gauge(), Some(1));
    proxy.clusters.clusters.set(CANARY, Cluster::Usable);
    let probes: Vec<usize> = (0..10).map(|_| proxy.second()).collect();
    assert_eq!(probes.iter().sum::<usize>(), 5, "one for the proxy every two seconds: {probes:?}");
    assert_eq!(proxy.gauge(), Some(0));
    assert!(proxy.goes_to_canary(1, &|| Response::ok().cluster(CANARY)));
    // The one that asked is gone: another does, three seconds later.
    proxy.vms.remove(0);
    let probes: Vec<usize> = (0..12).map(|_| proxy.second()).collect();
    assert!((3..=6).contains(&probes.iter().sum::<usize>()), "{probes:?}");
    // An answer that says no, and none at all.
    for answer in [CallResponse::status(503), CallResponse::failed()] {
        proxy.answer = answer;
        (0..3).for_each(|_| _ = proxy.second());
        assert_eq!(proxy.gauge(), Some(1));
        proxy.answer = CallResponse::status(404);
        (0..3).for_each(|_| _ = proxy.second());
        assert_eq!(proxy.gauge(), Some(0), "whoever answers is there");
    }
    Ok(())
}

/// The cluster that is probed is well, but no route leads to it.
#[test]
fn a_missing_route_costs_a_try_for_each_cooldown_and_none_for_each_probe() -> anyhow::Result<()> {
    let probe = json!({ "guard": { "cluster": CANARY, "every": "2s", "cooldown": "10s" } });
    let mut proxy = Workers::new(2, &policy(100, &probe))?;
    proxy.clusters.clusters.set(CANARY, Cluster::Usable);
    let gone = || Response::no_route();
    let mut lost = Vec::new();
    for second in 0..60 {
        proxy.second();
        for worker in 0..2 {
            let asked = (0..20).filter(|_| proxy.goes_to_canary(worker, &gone)).count();
            lost.extend((0..asked).map(|_| (second, worker)));
            proxy.clusters.clock.advance(Duration::from_millis(3));
        }
    }
    assert_eq!(proxy.gauge(), Some(1));
    // Both find out at first, and once more when a good probe has ended that; from then on
    // one of them tries when the cooldown is over.
    println!("lost (second, worker): {lost:?}");
    assert!(lost.len() <= 4 + 6, "lost in a minute: {lost:?}");
    assert!(lost.iter().filter(|(second, _)| *second > 5).count() >= 4, "{lost:?}");
    // The route is there: a try finds it, and the other one hears.
    (0..13).for_each(|_| _ = proxy.second());
    let there = || Response::ok().cluster(CANARY);
    assert!(proxy.goes_to_canary(0, &there));
    proxy.second();
    assert!((0..20).all(|_| proxy.goes_to_canary(1, &there)));
    Ok(())
}

/// A try that another filter refuses, or whose client leaves, finds out nothing.
#[test]
fn a_try_that_does_not_get_there_proves_nothing() -> anyhow::Result<()> {
    let mut proxy = Workers::new(1, &policy(100, &json!({ "guard": { "cooldown": "1s" } })))?;
    assert!(proxy.goes_to_canary(0, &|| Response::no_cluster()));
    proxy.second();
    for (status, details) in
        [(403, "rbac_access_denied_matched_policy[none]"), (0, "downstream_remote_disconnect")]
    {
        let tries = (0..40).filter(|_| proxy.goes_to_canary(0, &|| Response::from_envoy(status, 0, details)));
        assert_eq!(tries.count(), 4, "{details}: still one in ten");
        assert_eq!(proxy.gauge(), Some(1));
    }
    Ok(())
}

/// Whoever probes says so as it goes: nobody waits until its lease is old.
#[test]
fn the_root_context_of_an_older_policy_gives_its_lease_back() -> anyhow::Result<()> {
    let probe = |path| policy(100, &json!({ "guard": { "cluster": CANARY, "every": "1s", "path": path } }));
    let mut proxy = Workers::new(1, &probe("/old"))?;
    proxy.clusters.clusters.set(CANARY, Cluster::Usable);
    assert_eq!(proxy.second(), 1);
    // The same probes, once more: the older root context asks until it is removed.
    let older = proxy.vms[0].1;
    proxy.push(0, &probe("/old"));
    assert_eq!(proxy.second(), 0, "the new one leaves it to the older one");
    proxy.vms[0].0.remove(older);
    assert_eq!(proxy.second(), 1, "at once");
    // Other probes: nobody waits for those who ask for something else.
    proxy.push(0, &probe("/new"));
    assert_eq!(proxy.second(), 1);
    Ok(())
}

/// The VMs of one proxy.
struct Workers {
    clusters: Proxy,
    vms: Vec<(Vm, u32)>,
    answer: CallResponse,
}

impl Workers {
    fn new(count: usize, policy: &Value) -> anyhow::Result<Self> {
        let module = Module::load(module()?)?;
        let proxy = Proxy::default();
        let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
        let mut workers = Self { clusters: proxy, vms: Vec::new(), answer: CallResponse::status(200) };
        for _ in 0..count {
            workers.vms.push((Vm::new(&module, options.clone())?, 0));
            workers.clusters.clock.advance(Duration::from_micros(7));
            workers.push(workers.vms.len() - 1, policy);
        }
        Ok(workers)
    }

    fn push(&mut self, worker: usize, policy: &Value) {
        let (vm, root) = &mut self.vms[worker];
        let configured = vm.configure(Plugin::new("canary-split", policy.to_string()));
        assert!(configured.accepted, "{:?}", configured.work.logs);
        *root = configured.root;
    }

    fn ask(&mut self, worker: usize, user: &str, canary: &dyn Fn() -> Response) -> Outcome {
        let (vm, root) = &mut self.vms[worker];
        let exchange = Exchange::get(STOCK, "/books").header("x-user-id", user);
        let exchange = exchange.property(&["xds", "cluster_name"], STABLE);
        let outcome = vm.request(*root, exchange, |request| {
            let is_rewritten =
                request.get(":authority").is_some_and(|host| host.starts_with(b"stock-canary"));
            if is_rewritten { canary() } else { Response::ok().cluster(STABLE) }
        });
        assert_eq!(outcome.work.trap, None);
        outcome
    }

    fn is_canary(outcome: &Outcome) -> bool {
        outcome.property_text("narrows_backend").as_deref() == Some("canary")
    }

    fn goes_to_canary(&mut self, worker: usize, canary: &dyn Fn() -> Response) -> bool {
        let outcome = self.ask(worker, "user-1", canary);
        Self::is_canary(&outcome)
    }

    /// A second passes for all, and probes are answered; returns how many there were.
    fn second(&mut self) -> usize {
        self.clusters.clock.advance(Duration::from_secs(1));
        let mut probes = 0;
        for (vm, root) in &mut self.vms {
            assert_eq!(vm.tick(*root).trap, None);
            let tokens: Vec<u32> = vm.pending_calls().iter().map(|call| call.token).collect();
            for token in tokens {
                assert_eq!(vm.deliver(token, self.answer.clone()).trap, None);
                probes += 1;
            }
        }
        probes
    }

    fn gauge(&self) -> Option<u64> {
        self.clusters.metrics.value(series("guard").trim_start_matches("wasmcustom."))
    }
}
