//! Envoy's runner: the `.wasm` in a real proxy, between a client that sends bytes and an
//! application that reports them. One Envoy serves a whole file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::caller::{Callers, Connected, PLAIN};
use crate::metadata;
use crate::shifted;
use crate::written_state::{STATE, with_state};
use narrows_cases::bytes::header_line;
use narrows_cases::{Case, File, Runner, Send};
use narrows_harness::bootstrap::{bootstrap, listener, route_config, static_cluster, wasm_filter};
use narrows_harness::echo::{Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::{Request, Response};
use narrows_harness::wait;
use narrows_model::{Headers, Observed, Reply, Seen, counts_agree, disagreements, lines};

/// Runs a file's cases; returns the disagreements.
pub fn run(file: &File, wasm: &Path) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut note = |name: &str, what: String| wrong.push(format!("{} [envoy] {name}: {what}", file.label()));
    let echo = Echo::start("echo", EchoOptions::default())?;
    for refused in &file.refused {
        let code = refused.fault.split(' ').next().unwrap_or_default();
        match Envoy::validate(config(file, &refused.policy.to_string(), wasm, &echo)) {
            Ok(()) => note(&refused.name, "the policy loads".to_owned()),
            Err(log) if !log.contains(code) => note(&refused.name, format!("refused without {code}: {log}")),
            Err(_) => {}
        }
    }
    let cases: Vec<&Case> = file.cases_for(Runner::Envoy).collect();
    if cases.is_empty() {
        // A file of refusals, or one whose cases all say why they do not run here.
        return Ok(wrong);
    }
    // Cases that follow each other at one moment share a proxy.
    for cases in cases.chunk_by(|one, next| one.send.at == next.send.at) {
        let callers = Callers::of(cases)?;
        let at = cases.first().and_then(|case| case.send.at);
        let policy = at.map_or_else(|| Ok(file.policy.clone()), |at| shifted(&file.policy, at))?;
        let envoy = Envoy::start(
            with_callers(config(file, &policy, wasm, &echo), &callers),
            EnvoyOptions::named(&file.label().replace('/', "-")),
        )?;
        let callers = callers.connect(&envoy)?;
        for case in cases {
            match observe(case, &envoy, &callers, &echo) {
                Ok(observed) => {
                    for what in disagreements(&case.expect, &observed) {
                        note(&case.name, what);
                    }
                }
                Err(error) => note(&case.name, format!("{error:#}")),
            }
        }
    }
    Ok(wrong)
}

fn observe(case: &Case, envoy: &Envoy, callers: &Connected, echo: &Echo) -> anyhow::Result<Observed> {
    for lines in &case.send.came_in {
        let earlier = Case { send: Send::earlier(lines), ..case.clone() };
        envoy.context(callers.exchange(&earlier.send, &request(&earlier)))?;
    }
    let (served, counted) = (echo.requests(), envoy.stats()?);
    let response = envoy.context(callers.exchange(&case.send, &request(case)))?;
    let (answer, state) = divide(response);
    let mut observed = Observed {
        upstream: (echo.requests() > served).then(|| echo.last()).flatten().map(seen),
        answer,
        state,
        ..Observed::default()
    };
    // What is counted at the end of a request may come a moment after its answer.
    let settled = wait::until("the counters", Duration::from_secs(1), || {
        observed.counts = deltas(&counted, &envoy.stats()?);
        Ok(counts_agree(&case.expect, &observed.counts).then_some(()))
    });
    // If they never agree, that is a disagreement like any other.
    drop(settled);
    Ok(observed)
}

/// The request as it goes on the wire, with what the application is to answer.
pub fn request(case: &Case) -> Request {
    let send = &case.send;
    let mut request = Request::new(&send.method, &send.authority, &send.target).body(&send.body);
    for (name, value) in lines(send) {
        request = request.header(name, value);
    }
    if send.metadata.is_some() {
        request = request.header(metadata::HEADER, &case.name);
    }
    if case.answer.status != 200 {
        request = request.header("x-echo-status", case.answer.status.to_string());
    }
    for line in &case.answer.headers {
        let (name, value) = header_line(line);
        request = request.header("x-echo-header", [name, value].join(&b'='));
    }
    request
}

/// The answer, and the filter state that Envoy wrote beside it.
fn divide(response: Response) -> (Reply, BTreeMap<String, Vec<u8>>) {
    let mut headers = Headers::new();
    let mut state = BTreeMap::new();
    for (name, value) in response.headers.iter() {
        let text = String::from_utf8_lossy(name).to_ascii_lowercase();
        match text.strip_prefix(STATE) {
            // What is not there is written as a dash.
            Some(_) if value == b"-" => {}
            Some(key) => {
                state.insert(key.replace('-', "_"), value.to_vec());
            }
            None => headers.add(text.as_bytes(), value),
        }
    }
    (Reply { status: response.status, headers, body: response.body }, state)
}

fn seen(received: Received) -> Seen {
    let mut headers = Headers::new();
    for (name, value) in received.headers.iter() {
        headers.add(name, value);
    }
    Seen { method: received.method, target: received.target, authority: received.authority, headers }
}

fn deltas(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, i64> {
    let custom =
        after.iter().filter_map(|(name, value)| Some((name, name.strip_prefix("wasmcustom.")?, *value)));
    let delta = |name: &String, value: u64| {
        let before = before.get(name).copied().unwrap_or(0);
        i64::try_from(value).unwrap_or(i64::MAX).saturating_sub(i64::try_from(before).unwrap_or(i64::MAX))
    };
    custom.map(|(full, name, value)| (name.to_owned(), delta(full, value))).collect()
}

/// One listener, one route for everything, and the filter's state written into every answer.
fn config(file: &File, policy: &str, wasm: &Path, echo: &Echo) -> Value {
    let everything = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let filter = wasm_filter(&file.filter, wasm, policy, Some(&file.vm), "FAIL_CLOSED");
    let filters: Vec<Value> = metadata::filter(file).into_iter().chain([filter]).collect();
    let listener = with_state(listener(PLAIN, &filters, &route_config(&[everything])), &state_keys(file));
    bootstrap(&[listener], &[static_cluster("echo", echo.addr(), false)])
}

/// The same listener for everyone who calls.
fn with_callers(mut config: Value, callers: &Callers) -> Value {
    let plain = config["static_resources"]["listeners"][0].take();
    config["static_resources"]["listeners"] = json!(callers.listeners(plain));
    config
}

fn state_keys(file: &File) -> BTreeSet<String> {
    file.cases.iter().flat_map(|case| case.expect.state.keys().cloned()).collect()
}
