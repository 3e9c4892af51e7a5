//! Streams and plugins: replies, callouts, configurations, and the end of a VM.

use std::time::Duration;

use narrows_vm::{CallResponse, Cluster, Exchange, Headers, Plugin, Proxy, Response, VmOptions};

use crate::{play, texts, vm};

#[test]
fn a_local_reply_stops_the_request_and_passes_through_the_filter() {
    let outcome = play(
        "request: reply 403 no -1\nrequest: reply 404 later -1\nrequest: get request x-a\n\
         response: get response :status\nresponse: add response x-seen 1\nresponse: get request :path",
        Exchange::get("shop", "/a"),
    );
    assert!(!outcome.reached_upstream);
    let reply = outcome.local_reply.as_ref().expect("a reply");
    assert_eq!(
        (reply.status, reply.body.as_slice(), reply.details.as_str()),
        (403, b"no".as_slice(), "as_asked")
    );
    assert_eq!(
        texts(&outcome)[3..],
        ["get response :status -> 0 403", "add response x-seen 1 -> 0", "get request :path -> 0 /a"]
    );
    let expected: Headers = [
        (":status", "403"),
        ("x-r", "1"),
        ("content-length", "2"),
        ("content-type", "text/plain"),
        ("x-seen", "1"),
    ]
    .into_iter()
    .collect();
    assert_eq!(outcome.response, Some(expected));
    assert_eq!(outcome.response_body, b"no");
}

#[test]
fn a_grpc_client_gets_a_grpc_status() {
    let exchange = Exchange::get("shop", "/a.B/C").header("content-type", "application/grpc+proto");
    let outcome = play("request: reply 403 no -1", exchange.clone());
    let headers = outcome.response.expect("a response");
    assert_eq!(headers.text(":status").as_deref(), Some("200"));
    assert_eq!(headers.text("grpc-status").as_deref(), Some("7"));
    assert_eq!(headers.text("grpc-message").as_deref(), Some("no"));
    let outcome = play("request: reply 200 no 14", exchange);
    assert_eq!(outcome.response.and_then(|headers| headers.text("grpc-status")).as_deref(), Some("14"));
}

#[test]
fn a_reply_in_place_of_the_response_skips_the_filter() {
    let outcome = play("response: reply 502 no -1", Exchange::get("shop", "/"));
    assert!(outcome.reached_upstream);
    assert_eq!(outcome.status(), Some(502));
    assert_eq!(outcome.work.callbacks.iter().filter(|c| c.name == "proxy_on_response_headers").count(), 1);
}

#[test]
fn a_panic_is_a_trap_and_the_end_of_the_vm() {
    let mut vm = vm(VmOptions::default());
    let plugin = vm.configure(Plugin::new("p", "response: panic"));
    let outcome = vm.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert!(outcome.work.trap.as_ref().is_some_and(|trap| trap.contains("unreachable")), "{outcome:?}");
    assert!(outcome.work.logged("as asked"), "{:?}", outcome.work.logs);
    assert_eq!(outcome.status(), Some(503));
    let next = vm.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert_eq!((next.status(), next.work.callbacks.len()), (Some(503), 0));
    assert!(vm.trap().is_some());
}

#[test]
fn a_runaway_and_a_glutton_trap() {
    let mut runaway = vm(VmOptions { fuel_limit: 50_000_000, ..VmOptions::default() });
    let plugin = runaway.configure(Plugin::new("p", "request: spin"));
    let outcome = runaway.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert!(outcome.work.trap.is_some_and(|trap| trap.contains("fuel")));

    let mut glutton = vm(VmOptions { memory_limit: 4 << 20, ..VmOptions::default() });
    let plugin = glutton.configure(Plugin::new("p", "request: keep 1000000"));
    let fed = (0..10).map(|_| glutton.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok()));
    let fed = fed.filter(|outcome| outcome.work.trap.is_none()).count();
    assert!((1..4).contains(&fed), "{fed} megabytes fit into four");
}

#[test]
fn a_stream_that_stops_and_never_goes_on_hangs() {
    let outcome = play("request: stop", Exchange::get("shop", "/").body("b"));
    assert!(outcome.hung && !outcome.reached_upstream);
    assert_eq!(outcome.response, None);
}

#[test]
fn a_callout_is_answered_on_demand() {
    let proxy = Proxy::default();
    proxy.clusters.set("there", Cluster::Usable);
    proxy.clusters.set("empty", Cluster::Empty);
    let mut vm = vm(VmOptions { proxy, ..VmOptions::default() });
    let script = "request: call nowhere\nrequest: call empty\nrequest: call there\nrequest: stop\n\
                  called: get call :status\ncalled: set request x-a 1\ncalled: resume\ncalled: set request x-b 1";
    let plugin = vm.configure(Plugin::new("p", script));

    let stream = vm.open(plugin.root, Exchange::get("shop", "/"));
    assert_eq!(vm.pending_calls().len(), 1);
    let call = vm.pending_calls()[0].clone();
    assert_eq!((call.cluster.as_str(), call.timeout), ("there", Duration::from_secs(1)));
    vm.deliver(call.token, CallResponse::status(200));
    vm.forward(stream, |request| {
        assert_eq!(request.text("x-a").as_deref(), Some("1"));
        Response::ok()
    });
    assert_eq!(vm.close(stream).status(), Some(200));

    vm.answer_calls(|_| Some(CallResponse::status(503)));
    let outcome = vm.request(plugin.root, Exchange::get("shop", "/"), |_| Response::ok());
    assert_eq!(
        texts(&outcome),
        [
            "call nowhere -> 2",
            "call empty -> 10",
            "call there -> 0 16",
            "get call :status -> 0 503",
            "set request x-a 1 -> 0",
            "resume -> 0",
            "set request x-b 1 -> 2"
        ]
    );
    assert_eq!(outcome.status(), Some(200));
}

#[test]
fn root_contexts_come_and_go_side_by_side() {
    let mut vm = vm(VmOptions::default());
    let old =
        vm.configure(Plugin::new("p", "configure: tick 500\ntick: time\nrequest: property plugin_name"));
    let new = vm.configure(Plugin::new(
        "q",
        "request: property plugin_name\nleave: stop\ntick: done\nconfigure: done",
    ));
    let bad = vm.configure(Plugin::new("r", "configure: stop"));
    assert_eq!((old.accepted, new.accepted, bad.accepted), (true, true, false));
    assert_eq!(new.work.logs[0].text, "done -> 1", "nobody asked it to go");
    assert_eq!(vm.tick_period(old.root), Some(Duration::from_millis(500)));
    assert_eq!(vm.tick_period(new.root), None);
    vm.proxy().clock.set_nanos(42);
    assert!(vm.tick(old.root).logged("time -> 0 42"));

    for (root, name) in [(old.root, "p"), (new.root, "q")] {
        let outcome = vm.request(root, Exchange::get("shop", "/"), |_| Response::ok());
        assert_eq!(texts(&outcome), [format!("property plugin_name -> 0 {name}")]);
    }
    assert!(vm.remove(old.root).gone);
    assert!(!vm.remove(new.root).gone, "it asked for time");
    assert!(vm.tick(new.root).logged("done -> 0"));
    assert!(vm.remove(bad.root).gone);
    assert_eq!(vm.trap(), None);
}
