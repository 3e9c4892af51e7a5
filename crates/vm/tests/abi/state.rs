//! Properties, series and shared data: what a filter knows and leaves behind.

use std::time::Duration;

use narrows_vm::{Exchange, Plugin, Properties, Proxy, Response, Status, Vm, VmOptions};

use crate::{play, texts, vm};

#[test]
fn properties_are_there_when_envoy_has_them() {
    let mut vm = vm(VmOptions {
        properties: Properties::new().with(&["xds", "node", "id"], "sidecar~1"),
        ..VmOptions::default()
    });
    let plugin = vm.configure(Plugin::new(
        "narrows.test",
        "configure: property xds/node/id\nconfigure: property request/path\nconfigure: property plugin_name\n\
         request: property request/path\nrequest: property request/query\nrequest: property request/headers/x-a\n\
         request: property response/code\nrequest: number response/flags\nrequest: property request/duration\n\
         request: property xds/cluster_name\nrequest: property source/address\nrequest: property request\n\
         response: property request/path\nresponse: number response/code\nresponse: property xds/cluster_name\n\
         log: property request/url_path\nlog: number request/duration\nlog: property response/code_details",
    ));
    let exchange = Exchange::get("shop", "/a?b=c")
        .header("x-a", "1")
        .header("x-a", "2")
        .property(&["source", "address"], "10.0.0.9:1")
        .took(Duration::from_micros(7));
    let outcome = vm.request(plugin.root, exchange, |_| Response::status(201).cluster("reviews-v2"));
    let says: Vec<_> =
        plugin.work.logs.iter().chain(&outcome.work.logs).map(|line| line.text.as_str()).collect();
    assert_eq!(
        says,
        [
            "property xds/node/id -> 0 sidecar~1",
            "property request/path -> 1",
            "property plugin_name -> 0 narrows.test",
            "property request/path -> 0 /a?b=c",
            "property request/query -> 0 b=c",
            "property request/headers/x-a -> 0 1,2",
            "property response/code -> 1",
            "number response/flags -> 0 0",
            "property request/duration -> 1",
            "property xds/cluster_name -> 1",
            "property source/address -> 0 10.0.0.9:1",
            "property request -> 3",
            "property request/path -> 1",
            "number response/code -> 0 201",
            "property xds/cluster_name -> 0 reviews-v2",
            "property request/url_path -> 0 /a",
            "number request/duration -> 0 7000",
            "property response/code_details -> 0 via_upstream"
        ]
    );
}

#[test]
fn a_property_that_is_set_is_filter_state() {
    let outcome = play(
        "configure: publish early 1\nrequest: publish narrows_rule beta\nrequest: property narrows_rule\n\
         request: property filter_state/wasm.narrows_rule\nrequest: property wasm.narrows_rule\n\
         request: property before",
        Exchange::get("shop", "/").state("wasm.before", "yes"),
    );
    assert_eq!(
        texts(&outcome),
        [
            "publish narrows_rule beta -> 0",
            "property narrows_rule -> 0 beta",
            "property filter_state/wasm.narrows_rule -> 0 beta",
            "property wasm.narrows_rule -> 1",
            "property before -> 0 yes"
        ]
    );
    assert_eq!(outcome.property("narrows_rule"), Some(b"beta".as_slice()));
    assert_eq!(outcome.property("early"), None, "without a stream there is nothing to hold it");
}

#[test]
fn metric_ids_belong_to_the_vm_and_values_to_the_process() {
    let proxy = Proxy::default();
    let script = "configure: define 0 hits\nconfigure: define 0 hits\nconfigure: define 1 level\n\
                  configure: define 2 spread\nconfigure: define 9 none\nrequest: increment 8 3\n\
                  request: increment 4 0\nrequest: increment 5 -1\nrequest: increment 6 1\nrequest: record 5 5\n\
                  request: record 6 7\nrequest: metric 4\nrequest: metric 6\nrequest: increment 400 1";
    let mut workers: Vec<Vm> =
        (0..2).map(|_| vm(VmOptions { proxy: proxy.clone(), ..VmOptions::default() })).collect();
    let roots: Vec<_> = workers.iter_mut().map(|vm| vm.configure(Plugin::new("p", script))).collect();
    let first: Vec<_> = roots[0].work.logs.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        first,
        [
            "define 0 hits -> 0 4",
            "define 0 hits -> 0 8",
            "define 1 level -> 0 5",
            "define 2 spread -> 0 6",
            "define 9 none -> 2"
        ]
    );
    assert_eq!(workers[0].definitions()["hits"], 2, "a second definition is counted");

    let outcomes: Vec<_> = workers
        .iter_mut()
        .zip(&roots)
        .map(|(vm, plugin)| vm.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok()))
        .collect();
    assert_eq!(
        texts(&outcomes[1]),
        [
            "increment 8 3 -> 0",
            "increment 4 0 -> 2",
            "increment 5 -1 -> 0",
            "increment 6 1 -> 2",
            "record 5 5 -> 0",
            "record 6 7 -> 0",
            "metric 4 -> 0 6",
            "metric 6 -> 2",
            "increment 400 1 -> 1"
        ]
    );
    assert_eq!(outcomes[1].work.added("hits"), 3);
    assert_eq!(proxy.metrics.value("hits"), Some(6));
    assert_eq!(proxy.metrics.value("level"), Some(5));
    assert_eq!(proxy.metrics.histogram("spread").map(|h| (h.count, h.sum)), Some((2, 14)));
    assert_eq!(proxy.metrics.len(), 3);
}

#[test]
fn shared_data_is_written_by_version() {
    let proxy = Proxy::default();
    let script = "request: shared k\nrequest: share k a 9\nrequest: shared k\nrequest: share k b 9\n\
                  request: share k b 1\nrequest: share k c 0\nrequest: shared k";
    let mut vm = vm(VmOptions { proxy: proxy.clone(), ..VmOptions::default() });
    let plugin = vm.configure(Plugin::new("p", script));
    let outcome = vm.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert_eq!(
        texts(&outcome),
        [
            "shared k -> 1",
            "share k a 9 -> 0",
            "shared k -> 0 a cas 1",
            "share k b 9 -> 8",
            "share k b 1 -> 0",
            "share k c 0 -> 0",
            "shared k -> 0 c cas 3"
        ]
    );
    assert_eq!(proxy.shared.get("k"), Some((b"c".to_vec(), 3)));
    assert_eq!(proxy.shared.set("k", "d", 1), Err(Status::CasMismatch));
}

#[test]
fn a_queue_wakes_the_vm_that_registered_last() {
    let proxy = Proxy::default();
    let worker = || vm(VmOptions { proxy: proxy.clone(), ..VmOptions::default() });
    let (mut first, mut last) = (worker(), worker());
    let script = "configure: dequeue q\nrequest: enqueue q hello\nrequest: enqueue z hello\nqueue: dequeue q";
    let plugin = first.configure(Plugin::new("p", script));
    last.configure(Plugin::new("p", script));
    assert_eq!(plugin.work.logs[0].text, "dequeue q -> 7");
    let outcome = first.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert_eq!(texts(&outcome), ["enqueue q hello -> 0", "enqueue z hello -> 1"]);
    assert!(first.run_queues().logs.is_empty());
    assert!(last.run_queues().logged("dequeue q -> 0 hello"));
}

#[test]
fn foreign_functions_grpc_and_contexts() {
    let outcome = play(
        "request: foreign clear_route_cache\nrequest: foreign no_such\nrequest: grpc\nrequest: effective 77\n\
         request: effective 1\nrequest: property request/path",
        Exchange::get("shop", "/"),
    );
    assert_eq!(
        texts(&outcome),
        [
            "foreign clear_route_cache -> 0",
            "foreign no_such -> 1",
            "grpc -> 12",
            "effective 77 -> 2",
            "effective 1 -> 0",
            "property request/path -> 1"
        ]
    );
    assert_eq!(outcome.route_clears, 1);
}
