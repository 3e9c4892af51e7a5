//! `maxSeries` holds for a filter and proxy, whatever its plugins are called.

use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Proxy, Response, Vm, VmOptions};
use serde_json::{Value, json};

/// Counts a metric by one tag, out of a header.
fn policy(metric: &str, tag: &str, header: &str, values: u32, most: u32) -> String {
    json!({ "trust": "mesh", "tags": { tag: { "header": header, "maxValues": values } },
            "metrics": [{ "name": metric, "tags": [tag] }], "limits": { "maxSeries": most } })
    .to_string()
}

/// Two workers of one proxy.
struct Workers {
    proxy: Proxy,
    vms: Vec<Vm>,
}

/// A plugin: its root context in each worker.
struct Attached(Vec<u32>);

impl Workers {
    fn new() -> Self {
        let (proxy, module) = (Proxy::default(), Module::load(module("metric-tags")).unwrap());
        let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
        let vms = (0..2).map(|_| Vm::new(&module, options.clone()).unwrap()).collect();
        Self { proxy, vms }
    }

    fn attach(&mut self, name: &str, policy: &str) -> Attached {
        let attach = |vm: &mut Vm| {
            let configured = vm.configure(Plugin::new(name, policy));
            assert!(configured.accepted, "{:?}", configured.work.logs);
            configured.root
        };
        Attached(self.vms.iter_mut().map(attach).collect())
    }

    fn detach(&mut self, plugin: Attached) {
        for (vm, root) in self.vms.iter_mut().zip(plugin.0) {
            assert_eq!(vm.remove(root).work.trap, None);
        }
    }

    fn tick(&mut self, plugin: &Attached) {
        for (vm, root) in self.vms.iter_mut().zip(&plugin.0) {
            assert_eq!(vm.tick(*root).trap, None);
        }
    }

    fn ask(&mut self, plugin: &Attached, header: &str, values: std::ops::Range<u32>) {
        for (vm, root) in self.vms.iter_mut().zip(&plugin.0) {
            for value in values.clone() {
                let exchange = Exchange::get("shop", "/").header(header, format!("v{value}"));
                assert_eq!(vm.request(*root, exchange, |_| Response::ok()).work.trap, None);
            }
        }
    }

    /// The series of a metric, and what they have counted in all.
    fn series(&self, metric: &str) -> (usize, u64) {
        let counted: Vec<u64> = self.named(metric).into_iter().map(|(_, count)| count).collect();
        (counted.len(), counted.iter().sum())
    }

    fn named(&self, metric: &str) -> Vec<(String, u64)> {
        self.proxy.metrics.snapshot().into_iter().filter(|(name, _)| name.ends_with(metric)).collect()
    }

    fn gauge(&self) -> Value {
        self.proxy.metrics.value("narrows_tags_series").into()
    }
}

/// Istio 1.30 calls the plugins of running proxies by other names.
#[test]
fn another_name_has_no_series_of_its_own() {
    let mut workers = Workers::new();
    let text = policy("r_total", "tenant", "x-tenant", 50, 20);
    let names =
        ["shop.tags", "shop.tags~istio-translated-wasmplugin", "shop.tags2", "shop.tags3", "shop.tags"];
    let mut before: Option<Attached> = None;
    let mut asked = 0;
    for name in names {
        let plugin = workers.attach(name, &text);
        if let Some(before) = before.replace(plugin) {
            workers.detach(before);
        }
        let plugin = before.take().unwrap();
        workers.ask(&plugin, "x-tenant", 0..40);
        asked += 80;
        assert_eq!(workers.series("r_total"), (20, asked), "{name}");
        assert_eq!(workers.gauge(), 20, "{name}");
        // The same go on counting: nineteen tenants, and the rest.
        let known: Vec<(String, u64)> = workers.named("r_total");
        let of = |value: &str| {
            let label = format!("tenant=.={value};.;");
            known.iter().filter(|(name, _)| name.contains(&label)).map(|(_, count)| *count).sum::<u64>()
        };
        assert_eq!((of("v0"), of("v18"), of("v19")), (asked / 40, asked / 40, 0), "{name}: {known:?}");
        before = Some(plugin);
    }
}

#[test]
fn all_plugins_of_a_proxy_share_the_largest_limit() {
    let mut workers = Workers::new();
    let small = workers.attach("small", &policy("small_total", "tenant", "x-tenant", 100, 10));
    workers.ask(&small, "x-tenant", 0..30);
    assert_eq!(workers.series("small_total").0, 10);
    let large = workers.attach("large", &policy("large_total", "tenant", "x-other", 100, 30));
    workers.ask(&large, "x-other", 0..60);
    let held = |workers: &Workers| workers.series("small_total").0 + workers.series("large_total").0;
    assert_eq!((held(&workers), workers.gauge()), (30, 30.into()));
    // The largest limit counts, for whoever needs it.
    let third = workers.attach("third", &policy("third_total", "tenant", "x-tenant", 100, 40));
    for plugin in [&small, &large, &third] {
        workers.tick(plugin);
    }
    workers.ask(&small, "x-tenant", 0..35);
    assert!(workers.series("small_total").0 > 10);
    workers.ask(&third, "x-tenant", 0..50);
    assert_eq!((held(&workers) + workers.series("third_total").0, workers.gauge()), (40, 40.into()));
    // It goes, and what it left is counted.
    workers.detach(third);
    workers.detach(large);
    workers.tick(&small);
    let last = workers.attach("last", &policy("last_total", "tenant", "x-tenant", 100, 41));
    workers.ask(&last, "x-tenant", 0..50);
    assert_eq!(workers.series("last_total").0, 1, "the one with overflow=\"true\"");
    assert_eq!(workers.gauge(), 41);
}

/// Two plugins may have tags of one name: the values of one are not those of the other.
#[test]
fn each_plugin_has_its_own_values() {
    let mut workers = Workers::new();
    let a = workers.attach("a", &policy("a_total", "tenant", "x-a", 5, 100));
    let b = workers.attach("b", &policy("b_total", "tenant", "x-b", 5, 100));
    workers.ask(&a, "x-a", 0..5);
    workers.ask(&b, "x-b", 100..105);
    for (metric, value) in [("a_total", "v4"), ("b_total", "v104")] {
        let label = format!("tenant=.={value};.;");
        let counted: Vec<_> =
            workers.named(metric).into_iter().filter(|(name, _)| name.contains(&label)).collect();
        assert_eq!(counted.len(), 1, "{metric}: {:?}", workers.named(metric));
        assert_eq!(counted[0].1, 2);
    }
}
