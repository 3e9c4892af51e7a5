//! The merged plugin beside a chain of the five filters, on one Envoy: the same requests, the same answers.

mod seen;
mod unseen;

use std::collections::BTreeSet;
use std::time::Duration;

use narrows_cases::{Case, File, Protocol, Runner};
use narrows_harness::bootstrap::{bootstrap, listener, route_config, static_cluster, wasm_config_in};
use narrows_harness::client;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::form::{COMMON, Form, PARTS};
use narrows_runners::{Filter, files, with_state};
use narrows_tests::{STRICT, module};
use seen::Both;
use serde_json::{Map, Value, json};

/// How many combinations of policies are drawn, and how many requests each gets.
const DRAWN: usize = 12;
const REQUESTS: usize = 14;
/// How many of them one Envoy holds.
const AT_ONCE: usize = 12;
/// How long a count may take to be shown.
const SOON: Duration = Duration::from_secs(20);
/// Where the drawing begins. It is fixed, so that a run can be repeated.
const SEED: u64 = 20_261_129;

/// A policy for each filter, and the same as one.
struct Combination {
    chain: Vec<(&'static str, String)>,
    merged: String,
    cases: Vec<Case>,
    /// The filter state that it may write.
    state: BTreeSet<String>,
}

#[test]
fn a_merged_policy_does_what_the_chain_does() {
    let all = files(None).unwrap();
    let combinations = draw(&all);
    assert!(combinations.len() * 2 > DRAWN, "only {} of {DRAWN} load", combinations.len());
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for some in combinations.chunks(AT_ONCE) {
        let listeners: Vec<Value> = some.iter().enumerate().flat_map(listeners).collect();
        let config = bootstrap(&listeners, &[static_cluster("echo", echo.addr(), false)]);
        // Five modules are compiled first, on whatever else a machine does.
        let options =
            EnvoyOptions { ready_within: Duration::from_secs(100), ..EnvoyOptions::named("merged") };
        let envoy = Envoy::start(config, options).unwrap();
        for (number, combination) in some.iter().enumerate() {
            let both = Both::new(&envoy, &echo, number).unwrap();
            for case in &combination.cases {
                asked += 1;
                for what in both.disagreements(case).unwrap() {
                    wrong.push(format!("{} on {}: {what}", case.name, combination.merged));
                }
            }
        }
    }
    println!("{} combinations, {asked} requests", combinations.len());
    assert!(asked >= 100, "{asked} requests");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Combinations that load. A chain and its merged policy load, or neither does.
fn draw(all: &[File]) -> Vec<Combination> {
    let mut state = SEED;
    let mut below = move |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let of = |filter: &str| all.iter().filter(|file| file.filter == filter && is_usable(file)).collect();
    let files: Vec<Vec<&File>> = PARTS.iter().map(|(filter, _)| of(filter)).collect();
    let requests: Vec<&Case> = files
        .iter()
        .flatten()
        .flat_map(|file| file.cases_for(Runner::Envoy))
        .filter(|c| is_plain(c))
        .collect();
    let mut drawn = Vec::new();
    for _ in 0..DRAWN {
        let picked: Vec<&File> = files.iter().map(|files| files[below(files.len())]).collect();
        let common = fields(picked[below(picked.len())], true);
        let mut cases: Vec<Case> = Vec::new();
        for file in &picked {
            let own: Vec<&Case> = file.cases_for(Runner::Envoy).filter(|case| is_plain(case)).collect();
            cases.extend((0..2).filter(|_| !own.is_empty()).map(|_| own[below(own.len())].clone()));
        }
        cases.extend((cases.len()..REQUESTS).map(|_| requests[below(requests.len())].clone()));
        drawn.extend(combined(&picked, &common, cases));
    }
    drawn
}

/// One combination, if it loads.
fn combined(picked: &[&File], common: &Map<String, Value>, cases: Vec<Case>) -> Option<Combination> {
    let mut merged = common.clone();
    let mut chain = Vec::new();
    let mut state: BTreeSet<String> =
        ["rule", "split", "backend", "egress", "stripped"].map(|name| format!("narrows_{name}")).into();
    for ((filter, part), file) in PARTS.iter().zip(picked) {
        let own = fields(file, false);
        let published = own.get("publish").and_then(Value::as_array).into_iter().flatten();
        state.extend(published.filter_map(Value::as_str).map(|tag| format!("narrows_{tag}")));
        let alone: Map<String, Value> = common.clone().into_iter().chain(own.clone()).collect();
        chain.push((*filter, Value::Object(alone).to_string()));
        merged.insert((*part).to_owned(), Value::Object(own));
    }
    let merged = Value::Object(merged).to_string();
    let load = |filter: &str, policy: &str| Filter::named(filter).unwrap().compile(policy).is_ok();
    let loads = chain.iter().all(|(filter, policy)| load(filter, policy));
    assert_eq!(load("narrows", &merged), loads, "{merged}");
    loads.then_some(Combination { chain, merged, cases, state })
}

/// The fields of a file's policy: the common ones, or the filter's own. The filter's name is left out.
fn fields(file: &File, common: bool) -> Map<String, Value> {
    let policy: Map<String, Value> = serde_json::from_str(&file.policy).unwrap();
    let is_wanted = |name: &str| COMMON.contains(&name) == common && name != "filter";
    policy.into_iter().filter(|(name, _)| is_wanted(name)).collect()
}

/// Whether a policy decides by nothing but the request.
fn is_usable(file: &File) -> bool {
    let is_text = serde_json::from_str::<Map<String, Value>>(&file.policy).is_ok();
    is_text && !file.policy.contains("random") && file.vm.contains("true")
}

/// Whether any client may send this request.
fn is_plain(case: &Case) -> bool {
    case.send.source.address.is_none() && case.send.source.principal.is_none()
}

/// A listener with the chain, and one with the merged plugin.
fn listeners((number, combination): (usize, &Combination)) -> Vec<Value> {
    let entry = |form, filter: &str, policy: &str| {
        let name = format!("{filter}-{number}");
        let mut config = wasm_config_in(form, &name, &module(filter), policy, STRICT, "FAIL_CLOSED");
        // One VM for all combinations.
        config["config"]["vm_config"]["vm_id"] = json!(filter);
        json!({ "name": name, "typed_config": config })
    };
    let chain: Vec<Value> =
        combination.chain.iter().map(|(filter, policy)| entry(Form::Modules, filter, policy)).collect();
    let merged = entry(Form::Modules, "narrows", &combination.merged);
    let everything = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let one = |kind: &str, filters: &[Value]| {
        let routes = route_config(std::slice::from_ref(&everything));
        with_state(listener(&format!("{kind}-{number}"), filters, &routes), &combination.state)
    };
    vec![one("chain", &chain), one("merged", &[merged])]
}

/// The protocol of a case.
fn protocol(case: &Case) -> client::Protocol {
    match case.send.protocol {
        Protocol::Http1 => client::Protocol::Http1,
        Protocol::Http2 => client::Protocol::Http2,
    }
}

/// A text that cannot be read may have had egress rules.
#[test]
fn a_bad_first_policy_does_not_load() {
    let bad = r#"{ "router": { "rulez": [] } }"#;
    let config = wasm_config_in(Form::Modules, "narrows", &module("narrows"), bad, None, "FAIL_RELOAD");
    let filter = json!({ "name": "narrows", "typed_config": config });
    let answer = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } });
    let start = bootstrap(&[listener("main", &[filter], &route_config(&[answer]))], &[]);
    let log = Envoy::start_expecting_failure(start, EnvoyOptions::named("merged-bad")).unwrap();
    assert!(log.contains("error[NRW101]: router.rulez: "), "{log}");
}
