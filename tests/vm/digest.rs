//! The gauge that says which policy of a plugin is in force.

use std::collections::BTreeMap;
use std::process::Command;

use narrows_core::{PolicyValue, policy_digest};
use narrows_tests::{module as module_of, shipped};
use narrows_vm::{Module, Plugin, Proxy, Vm, VmOptions};

const FILTER: &str = "header-router";
const NAME: &str = "shop.router";

fn vm(filter: &str, proxy: &Proxy) -> Vm {
    let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
    Vm::new(&Module::load(module_of(filter)).unwrap(), options).unwrap()
}

fn routes(to: &str) -> String {
    format!(r#"{{ "rules": [ {{ "name": "r", "route": {{ "to": "{to}" }} }} ] }}"#)
}

fn number(policy: &str) -> u64 {
    policy_digest(&PolicyValue::parse(policy.as_bytes()).unwrap())
}

fn shown(proxy: &Proxy) -> Option<u64> {
    shown_of(proxy, FILTER, NAME)
}

fn shown_of(proxy: &Proxy, filter: &str, plugin: &str) -> Option<u64> {
    proxy.metrics.value(&format!("filter=.={filter};.;plugin=.={plugin};.;narrows_policy_digest"))
}

fn all(proxy: &Proxy) -> usize {
    proxy.metrics.snapshot().keys().filter(|name| name.contains("narrows_policy_digest")).count()
}

#[test]
fn every_shipped_policy_has_one_number_everywhere() {
    let policies = shipped::policies();
    assert!(policies.len() >= 15, "{}", policies.len());
    let mut modules = BTreeMap::new();
    for policy in policies {
        let proxy = Proxy::default();
        let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
        let module = modules.entry(policy.filter.clone());
        let module = module.or_insert_with(|| Module::load(module_of(&policy.filter)).unwrap());
        let mut vm = Vm::new(module, options).unwrap();
        let root_id = if policy.filter == "narrows" { "narrows" } else { "" };
        let plugin = Plugin { root_id: root_id.to_owned(), ..Plugin::new(NAME, &policy.delivered) };
        let configured = vm.configure(plugin);
        let file = policy.file.display();
        assert!(configured.accepted, "{file}: {:?}", configured.work.logs);
        assert_eq!(number(&policy.delivered), policy.digest, "{file}");
        let value = shown_of(&proxy, &policy.filter, NAME).or_else(|| stock(&proxy, &policy.filter));
        assert_eq!(value, Some(policy.digest), "{file}: {:?}", proxy.metrics.snapshot());
        let mut command = Command::new(narrows_tests::narrows());
        command.arg("digest").arg(&policy.file).args(["--filter", &policy.filter]);
        let said = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), policy.digest.to_string(), "{file}");
    }
}

fn stock(proxy: &Proxy, filter: &str) -> Option<u64> {
    proxy.metrics.value(&format!("component.{filter}.tag.{NAME};.narrows_policy_digest"))
}

#[test]
fn the_policy_in_force_is_shown_whoever_lives_on() {
    let proxy = Proxy::default();
    let mut workers = [vm(FILTER, &proxy), vm(FILTER, &proxy)];
    let (one, two) = (routes("one"), routes("two"));
    let old = workers.each_mut().map(|worker| worker.configure(Plugin::new(NAME, &one)).root);
    assert_eq!(shown(&proxy), Some(number(&one)));
    let new = workers.each_mut().map(|worker| worker.configure(Plugin::new(NAME, &two)).root);
    assert_eq!(shown(&proxy), Some(number(&two)));
    // An older root context that still has streams says nothing.
    for (worker, (old, new)) in workers.iter_mut().zip(old.into_iter().zip(new)) {
        for _ in 0..3 {
            worker.tick(new);
            worker.tick(old);
        }
    }
    assert_eq!(shown(&proxy), Some(number(&two)));
    for (worker, old) in workers.iter_mut().zip(old) {
        assert!(worker.remove(old).gone);
    }
    assert_eq!(shown(&proxy), Some(number(&two)));
    // A bad policy leaves it; and what two workers disagree on ends with the last.
    assert!(!vm(FILTER, &proxy).configure(Plugin::new(NAME, r#"{ "rulez": 1 }"#)).accepted);
    assert_eq!(shown(&proxy), Some(number(&two)));
    assert_eq!(all(&proxy), 1);
    let [mut first, mut second] = workers;
    assert!(first.remove(new[0]).gone);
    assert_eq!(shown(&proxy), Some(number(&two)));
    assert!(second.remove(new[1]).gone);
    assert_eq!(shown(&proxy), Some(0));
}

#[test]
fn a_plugin_whose_labels_change_is_shown_once() {
    let proxy = Proxy::default();
    let mut worker = vm(FILTER, &proxy);
    let plain = worker.configure(Plugin::new(NAME, routes("one"))).root;
    let policy = routes("one").replacen('{', r#"{ "labels": "stock", "#, 1);
    let root = worker.configure(Plugin::new(NAME, &policy)).root;
    (0..3).for_each(|_| _ = worker.tick(root));
    assert_eq!(stock(&proxy, FILTER), Some(number(&policy)));
    assert!(worker.remove(plain).gone);
    assert_eq!((shown(&proxy), stock(&proxy, FILTER)), (Some(0), Some(number(&policy))));
}

#[test]
fn two_plugins_have_a_series_each() {
    let proxy = Proxy::default();
    let mut worker = vm(FILTER, &proxy);
    let one = worker.configure(Plugin::new(NAME, routes("one"))).root;
    (0..3).for_each(|_| _ = worker.tick(one));
    worker.configure(Plugin::new("shop.other", routes("two")));
    assert_eq!(shown(&proxy), Some(number(&routes("one"))));
    assert_eq!(shown_of(&proxy, FILTER, "shop.other"), Some(number(&routes("two"))));
    assert!(worker.remove(one).gone);
    assert_eq!(shown(&proxy), Some(0));
    assert_eq!(shown_of(&proxy, FILTER, "shop.other"), Some(number(&routes("two"))));
}

/// Envoy has taken a bad policy without asking: the older one is served, and its number is shown.
#[test]
fn a_policy_that_is_held_is_shown() {
    let proxy = Proxy::default();
    let good = routes("one");
    let mut worker = vm(FILTER, &proxy);
    let root = worker.configure(Plugin::new(NAME, &good)).root;
    (0..3).for_each(|_| _ = worker.tick(root));
    let bad = worker.configure(Plugin::new(NAME, r#"{ "rulez": 1 }"#));
    assert!(bad.accepted, "the VM has had a policy before");
    assert!(worker.remove(root).gone);
    (0..3).for_each(|_| _ = worker.tick(bad.root));
    assert_eq!(shown(&proxy), Some(number(&good)));
}
