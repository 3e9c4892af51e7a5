//! The stand-in and a real Envoy give a filter the same answers to the same host calls.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, wasm_filter,
};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_harness::{http1, wait};
use narrows_vm::{CallResponse, Cluster, Exchange, Outcome, Plugin, Proxy, Response, VmOptions};
use serde_json::Value;

use crate::{guest_path, texts, vm};

#[test]
fn on_reading_headers() -> anyhow::Result<()> {
    agree(
        "request: get request X-USER\nrequest: get request x-empty\nrequest: get request x-none\n\
         request: get request host\nrequest: get request :authority\nrequest: get request :path\n\
         request: get request x-bytes\nrequest: get request x-forwarded-for\nrequest: get request user-agent\n\
         request: get request-trailers x\nrequest: get response x\nrequest: pairs response\n\
         request: get nonsense x\nrequest: get request cookie",
        &REQUEST,
    )?;
    Ok(())
}

#[test]
fn on_phases() -> anyhow::Result<()> {
    agree(
        "response: get request x-user\nresponse: set request x-user 1\nresponse: remove request x-user\n\
         response: pairs request\nresponse: get response :status\nresponse: set response x-a 1\n\
         response: get response x-a\nresponse-body: get response x-a\nresponse-body: set response x-b 1\n\
         response-body: pairs response\nlog: get request x-user\nlog: get response x-a\n\
         log: set response x-a 2\nlog: set request x-a 2\nlog: get request-trailers x\n\
         log: get response-trailers x\nlog: pairs response-trailers\ndone: get request x-user\n\
         done: pairs request\ndone: property request/path\ndone: number response/code",
        &REQUEST,
    )?;
    Ok(())
}

#[test]
fn on_writing_headers() -> anyhow::Result<()> {
    let Agreed { outcome, received } = agree(
        "request: set request X-T-USER 9\nrequest: get request x-t-user\nrequest: add request x-t-b 4\n\
         request: get request x-t-b\nrequest: remove request x-none\nrequest: set request :path /new\n\
         request: get request :path\nrequest: add request :path more\nrequest: get request :path\n\
         request: set request :path /new\nrequest: set request host other\nrequest: get request :authority\n\
         request: set request x-t-empty\nrequest: get request x-t-empty\nrequest: add request x-t-c 1",
        &REQUEST,
    )?;
    let ours: Vec<_> = outcome.request.iter().filter(|(name, _)| name.starts_with(b"x-t-")).collect();
    let theirs: Vec<_> = received.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    assert_eq!(ours, theirs);
    Ok(())
}

/// Which headers Envoy holds once, so that adding to them joins.
#[test]
fn on_repeats() -> anyhow::Result<()> {
    let names = include_str!("repeats.txt").split_whitespace();
    let script = |name: &str| {
        let lines = |map: &str| {
            format!(
                "{map}: set {map} {name} a\n{map}: add {map} {name} b\n{map}: get {map} {name}\n\
                 {map}: remove {map} {name}\n"
            )
        };
        lines("request") + &lines("response")
    };
    let script = names.map(script).collect::<String>() + "request: set request x-forwarded-proto http";
    agree(&script, &REQUEST)?;
    Ok(())
}

#[test]
fn on_properties() -> anyhow::Result<()> {
    let mut script = String::new();
    for phase in ["request", "response", "log"] {
        for read in [
            "property request/path",
            "property request/url_path",
            "property request/query",
            "property request/host",
            "property request/method",
            "property request/scheme",
            "property request/useragent",
            "property request/referer",
            "property request/headers/x-user",
            "property request/headers/x-none",
            "property request/protocol",
            "property request",
            "property upstream",
            "property filter_state",
            "number response/code",
            "property response/code_details",
            "number response/flags",
            "property response/headers/x-none",
            "property wasm.rule",
            "property plugin_root_id",
            "property nonsense",
            "property request/nonsense",
            "property connection/mtls",
            "property node",
            "number response/grpc_status",
            "number request/size",
        ] {
            script += &format!("{phase}: {read}\n");
        }
        script += &format!(
            "{phase}: publish rule {phase}\n{phase}: property rule\n{phase}: property filter_state/wasm.rule\n"
        );
    }
    agree(&script, &REQUEST)?;
    Ok(())
}

#[test]
fn on_metrics_and_shared_data() -> anyhow::Result<()> {
    agree(
        "request: define 0 hits\nrequest: define 0 hits\nrequest: define 1 level\nrequest: define 2 spread\n\
         request: define 9 none\nrequest: increment 8 3\nrequest: increment 4 0\nrequest: increment 4 -1\n\
         request: increment 5 -1\nrequest: increment 5 3\nrequest: increment 6 1\nrequest: record 4 2\n\
         request: record 5 5\nrequest: record 6 7\nrequest: metric 4\nrequest: metric 0\nrequest: metric 4\nrequest: metric 1\n\
         request: metric 6\nrequest: increment 400 1\nrequest: record 400 1\nrequest: metric 400\n\
         request: shared k\nrequest: share k a 9\nrequest: share k b 99\nrequest: share k c 0\n\
         request: share e\nrequest: enqueue q hello\nrequest: dequeue q\nrequest: enqueue q hello\n\
         request: dequeue q",
        &REQUEST,
    )?;
    Ok(())
}

#[test]
fn on_replies() -> anyhow::Result<()> {
    let Agreed { outcome, .. } = agree(
        "request: reply 403 no -1\nrequest: reply 404 later -1\nrequest: get request x-user\n\
         response: get response :status\nresponse: get response x-r\nresponse: get response content-type\n\
         response: get response content-length\nresponse: get request x-user\nresponse: number response/code\n\
         response: property response/code_details\nresponse-body: buffer 1\nlog: get response :status\n\
         log: number response/code\nlog: property response/code_details",
        &REQUEST,
    )?;
    assert_eq!(outcome.status(), Some(403));
    let Agreed { outcome, .. } = agree(
        "response: reply 502 no -1\nlog: get response :status\nlog: get response x-r\n\
         log: property response/code_details",
        &REQUEST,
    )?;
    assert_eq!(outcome.status(), Some(502));
    for reply in ["403 no -1", "404 no -1", "503 no -1", "200 no 14", "418 no -1"] {
        let script = format!(
            "request: reply {reply}\nresponse: get response :status\nresponse: get response grpc-status\n\
             response: get response grpc-message\nresponse: get response content-type\n\
             response: get response x-r\nresponse-body: buffer 1\nlog: number response/grpc_status"
        );
        agree(&script, &[("content-type", b"application/grpc")])?;
    }
    Ok(())
}

#[test]
fn on_what_cannot_be_routed() -> anyhow::Result<()> {
    for (line, status) in [
        ("request: remove request x-forwarded-proto", 404),
        ("request: remove request :path", 404),
        ("request: set request :path cart", 404),
        ("request: remove request :method", 503),
        ("request: inject request x-a", 503),
    ] {
        let script = format!("{line}\nresponse: get response :status\nlog: number response/flags");
        let Agreed { outcome, .. } = agree(&script, &REQUEST)?;
        assert_eq!((outcome.status(), outcome.reached_upstream), (Some(status), false), "{line}");
        assert_eq!(outcome.hazards.len(), 1);
    }
    Ok(())
}

#[test]
fn on_the_rest() -> anyhow::Result<()> {
    agree(
        "request: foreign clear_route_cache\nrequest: foreign no_such\nrequest: effective 7777\n\
         request: call nowhere\nrequest: done\nrequest: buffer 0\nrequest: buffer 7\nrequest: buffer 6\n\
         request: buffer 99\nrequest-body: buffer 0\nrequest-body: get request :path\nresponse: buffer 1\n\
         response: tick 0\nlog: buffer 0\nrequest: fill 0 x\nrequest: fill 7 x\nrequest: fill 4 x\nrequest: buffer 4\n\
         response-body: buffer 0\nresponse-body: fill 0 x\nrequest: fill 99 x",
        &REQUEST,
    )?;
    Ok(())
}

/// The connection closes in the middle of the answer.
#[test]
fn on_a_callout_that_fails() -> anyhow::Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let broken = static_cluster("broken", server.local_addr()?, false);
    std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = server.accept()?;
        _ = stream.read(&mut [0; 4096])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
    });
    agree_beside(
        "request: call broken\nrequest: stop\ncalled: get call :status\ncalled: pairs call\n\
         called: get call-trailers x\ncalled: buffer 4\ncalled: resume",
        &REQUEST,
        &[broken],
    )?;
    Ok(())
}

/// What came of a script on which both agree.
struct Agreed {
    outcome: Outcome,
    /// The request's headers under `x-t-` as the upstream behind Envoy got them.
    received: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Runs a script in both, and compares what the filter read.
fn agree(script: &str, fields: &[(&str, &[u8])]) -> anyhow::Result<Agreed> {
    agree_beside(script, fields, &[])
}

/// The same, beside clusters of which no answer comes whole.
fn agree_beside(script: &str, fields: &[(&str, &[u8])], broken: &[Value]) -> anyhow::Result<Agreed> {
    let proxy = Proxy::default();
    for name in broken.iter().filter_map(|cluster| cluster["name"].as_str()) {
        proxy.clusters.set(name, Cluster::Usable);
    }
    let mut standin = vm(VmOptions { proxy, ..VmOptions::default() });
    standin.answer_calls(|_| Some(CallResponse::failed()));
    let plugin = standin.configure(Plugin::new("agree", script));
    let exchange = fields.iter().fold(Exchange::post("shop", "/a?b=c", "hello"), |e, (n, v)| e.header(n, v));
    // What Envoy adds on the way in.
    let exchange = exchange.header("x-forwarded-proto", "http");
    let outcome = standin.request(plugin.root, exchange, |_| Response::ok().body("world"));
    let ours: Vec<String> = texts(&outcome).into_iter().map(str::to_owned).collect();

    let echo = Echo::start("stock", EchoOptions::default())?;
    let filter = wasm_filter("agree", guest_path(), script, None, "FAIL_CLOSED");
    let routes = route_config(&[cluster_route("stock")]);
    let stock = static_cluster("stock", echo.addr(), false);
    let config = bootstrap(&[listener("http", &[filter], &routes)], &[&[stock], broken].concat());
    let options =
        EnvoyOptions { component_log_level: Some("wasm:info".to_owned()), ..EnvoyOptions::default() };
    let envoy = Envoy::start(config, options)?;
    let request = Request::new("POST", "shop", "/a?b=c").body("hello");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(name, value));
    let response = http1::exchange(envoy.listener("http")?, &request)?;
    let said = || -> Vec<String> {
        let log = envoy.log();
        let lines = log.lines().filter_map(|line| line.split_once("wasm log agree"));
        lines
            .filter_map(|(_, line)| line.split_once(": "))
            .map(|(_, line)| line.trim_end().to_owned())
            .collect()
    };
    let whole = || Ok((said().len() >= ours.len()).then_some(()));
    let waited = wait::until("the filter's log", Duration::from_secs(5), whole);
    let theirs = said();
    let differ = (0..ours.len().max(theirs.len())).filter(|i| ours.get(*i) != theirs.get(*i));
    let differ: Vec<_> = differ.map(|i| (ours.get(i), theirs.get(i))).collect();
    assert!(differ.is_empty(), "the stand-in on the left, Envoy on the right: {differ:#?}");
    waited?;
    assert_eq!(outcome.status(), Some(response.status));
    let received = echo.last().map(|received| {
        let fields = received.headers.iter().filter(|(name, _)| name.starts_with(b"x-t-"));
        fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    });
    Ok(Agreed { outcome, received: received.unwrap_or_default() })
}

const REQUEST: [(&str, &[u8]); 9] = [
    ("X-User", b"a"),
    ("x-user", b"b"),
    ("x-empty", b""),
    ("x-bytes", b"\xff\xfe"),
    ("x-t-user", b"1"),
    ("x-t-user", b"2"),
    ("x-t-b", b"3"),
    ("user-agent", b"test"),
    ("cookie", b"a=1"),
];
