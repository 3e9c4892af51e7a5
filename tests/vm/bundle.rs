//! All filters in one VM: nothing of one plugin touches another, and what a VM has once is right for all.

use narrows_harness::form::Form;
use narrows_tests::{filters, module};
use narrows_vm::{Exchange, LogLevel, Module, Plugin, Proxy, Response, Vm, VmOptions};

const ROUTER: &str = r#"{ "rules": [ { "name": "r", "route": { "to": "v2" } } ] }"#;
const TAGS: &str = r#"{ "tags": { "user": { "header": "x-user", "maxValues": 9 } },
    "metrics": [ { "name": "users_total", "type": "counter", "tags": ["user"] } ], "limits": { "maxSeries": 4 } }"#;
const BAD: &str = r#"{ "rulez": 1 }"#;

/// A worker of a proxy.
fn vm(proxy: &Proxy) -> Vm {
    let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
    Vm::new(&Module::load(module("narrows")).unwrap(), options).unwrap()
}

fn plugin(root_id: &str, policy: &str) -> Plugin {
    Plugin { root_id: root_id.to_owned(), ..Plugin::new(&format!("shop.{root_id}"), policy) }
}

fn up(proxy: &Proxy, filter: &str) -> Option<u64> {
    proxy.metrics.value(&format!("filter=.={filter};.;narrows_up"))
}

fn is_rejected(proxy: &Proxy, filter: &str) -> bool {
    proxy.metrics.value(&format!("filter=.={filter};.;narrows_config_rejected")) == Some(1)
}

#[test]
fn a_root_id_that_names_no_filter_is_refused_with_those_that_do() {
    for root_id in ["", "shop", "header-router.", ".strict", "Narrows"] {
        let configured = vm(&Proxy::default()).configure(plugin(root_id, "{}"));
        assert!(!configured.accepted, "{root_id:?}");
        let all: Vec<_> = filters().into_iter().map(|(filter, _)| filter).collect();
        assert!(configured.work.logged(&all.join(", ")), "{root_id:?}: {:?}", configured.work.logs);
    }
    for root_id in [
        "header-router",
        "traffic-lanes",
        "canary-split.strict",
        "metric-tags",
        "egress-policy",
        "narrows.strict",
    ] {
        assert!(vm(&Proxy::default()).configure(plugin(root_id, "{}")).accepted, "{root_id:?}");
    }
}

#[test]
fn a_bad_policy_of_one_filter_leaves_the_others_alone() {
    let proxy = Proxy::default();
    let mut worker = vm(&proxy);
    let router = worker.configure(plugin("header-router", ROUTER));
    // First policies: one passes, one must not.
    assert!(worker.configure(plugin("canary-split", BAD)).accepted);
    assert!(!worker.configure(plugin("canary-split.strict", BAD)).accepted);
    assert!(!worker.configure(plugin("egress-policy", BAD)).accepted);
    assert!(!worker.configure(plugin("narrows", BAD)).accepted);
    assert!(is_rejected(&proxy, "canary-split") && is_rejected(&proxy, "egress-policy"));
    assert!(!is_rejected(&proxy, "header-router") && !is_rejected(&proxy, "metric-tags"));
    let outcome = worker.request(router.root, Exchange::get("a", "/"), |_| Response::ok());
    assert_eq!(outcome.request.text("x-narrows-route").as_deref(), Some("v2"));
    // A later policy that Envoy tries in a VM of its own is refused, whatever else is in force.
    assert!(!vm(&proxy).configure(plugin("header-router", BAD)).accepted);
    assert!(is_rejected(&proxy, "header-router"));
}

#[test]
fn a_gauge_says_which_filters_a_vm_still_has() {
    let proxy = Proxy::default();
    let mut worker = vm(&proxy);
    let router = worker.configure(plugin("header-router", ROUTER)).root;
    let tags = worker.configure(plugin("metric-tags", TAGS)).root;
    let other =
        worker.configure(Plugin { name: "shop.other".to_owned(), ..plugin("metric-tags", TAGS) }).root;
    for root in [router, tags, other] {
        (0..3).for_each(|_| _ = worker.tick(root));
    }
    assert_eq!((up(&proxy, "header-router"), up(&proxy, "metric-tags")), (Some(1), Some(1)));
    assert!(worker.remove(tags).gone);
    assert_eq!((up(&proxy, "header-router"), up(&proxy, "metric-tags")), (Some(1), Some(1)));
    assert!(worker.remove(other).gone);
    assert_eq!((up(&proxy, "header-router"), up(&proxy, "metric-tags")), (Some(1), Some(0)));
}

#[test]
fn a_series_of_several_plugins_is_defined_once_and_counts_for_all() {
    let proxy = Proxy::default();
    let mut worker = vm(&proxy);
    let merged = format!(r#"{{"router": {ROUTER}, "tags": {TAGS}}}"#);
    let roots = [("header-router", ROUTER), ("metric-tags", TAGS), ("narrows", &*merged)]
        .map(|(root_id, policy)| worker.configure(plugin(root_id, policy)).root);
    for root in roots {
        let ask = Exchange::get("a", "/").header("x-user", "u1");
        assert!(worker.request(root, ask, |_| Response::ok()).work.trap.is_none());
    }
    let value = |name: &str| proxy.metrics.value(name);
    assert_eq!(value("rule=.=r;.;narrows_router_requests_total"), Some(2));
    assert_eq!(value("user=.=u1;.;users_total"), Some(2));
    let more = worker.definitions().into_iter().filter(|(_, times)| *times > 1).collect::<Vec<_>>();
    assert!(more.is_empty(), "{more:?}");
}

/// The plugin's own bound holds: those of the other form are another filter's.
#[test]
fn the_bound_of_series_is_kept_by_each_form() {
    let proxy = Proxy::default();
    let mut worker = vm(&proxy);
    let merged = format!(r#"{{"tags": {TAGS}}}"#);
    let roots = [("metric-tags", TAGS), ("narrows", &*merged)]
        .map(|(root_id, policy)| worker.configure(plugin(root_id, policy)).root);
    for user in 0..9 {
        for root in roots {
            let ask = Exchange::get("a", "/").header("x-user", format!("u{user}"));
            worker.request(root, ask, |_| Response::ok());
        }
    }
    let named = proxy.metrics.snapshot().into_keys().filter(|name| name.ends_with("users_total"));
    let named: Vec<String> = named.collect();
    // Three users, and the overflow; the same ones in both forms.
    assert_eq!(named.len(), 4, "{named:?}");
    let overflow = named.iter().find(|name| name.contains("overflow=.=true")).expect("an overflow");
    assert_eq!(proxy.metrics.value(overflow), Some(12));
}

/// A policy of egress-policy that lets everything leave says so in the log, in every form. One that means it says
/// nothing.
#[test]
fn an_egress_policy_that_stops_nothing_says_so() -> anyhow::Result<()> {
    const SAYS: &str = "neither \"default\" nor a rule: everything may leave";
    let policies = [
        ("{}", true),
        (r#"{ "trust": "mesh" }"#, true),
        (r#"{ "mode": "report" }"#, true),
        (r#"{ "labels": "stock", "filterState": false }"#, true),
        (r#"{ "mode": "off" }"#, false),
        (r#"{ "default": "allow" }"#, false),
        (r#"{ "default": "deny" }"#, false),
        (r#"{ "rules": [] }"#, false),
    ];
    for form in Form::ALL {
        // Istio sends no bytes where there is no policy; merged, it has no part then.
        let none = (form != Form::Plugin).then_some(("", true));
        for (policy, says) in policies.into_iter().chain(none) {
            let attached = form.attach(&module("egress-policy"), policy);
            let mut vm = Vm::new(&Module::load(&attached.wasm)?, VmOptions::default())?;
            let configured = vm.configure(plugin(attached.root_id, &attached.policy));
            let logs = &configured.work.logs;
            assert!(configured.accepted, "{form:?}, {policy:?}: {logs:?}");
            let warnings = logs.iter().filter(|log| log.level == LogLevel::Warn && log.text.contains(SAYS));
            assert_eq!(warnings.count(), usize::from(says), "{form:?}, {policy:?}: {logs:?}");
            // And so it is.
            let call = Exchange::get("anywhere.example", "/");
            let outcome = vm.request(configured.root, call, |_| Response::ok());
            assert!(!says || outcome.reached_upstream, "{form:?}, {policy:?}: {outcome:?}");
        }
    }
    Ok(())
}
