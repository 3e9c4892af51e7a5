//! Does `narrows simulate` say what Envoy does? Every case that the core runs is asked of
//! the command too: a request that is treated as the command says is held against the same
//! expectations, to the last header.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use narrows_cases::bytes::unescape;
use narrows_cases::expect::Expect;
use narrows_cases::{Case, File, Runner};
use narrows_core::{Decision, Edit, Reply};
use narrows_harness::temp::TempDir;
use narrows_runners::{files, obeyed};
use serde_json::{Value, json};

#[test]
fn simulate_says_what_the_cases_say() {
    let mut asked = 0;
    let mut wrong = Vec::new();
    for file in files(None).unwrap() {
        // Tags decide nothing: there is nothing to simulate but counts.
        let cases: Vec<&Case> = file.cases_for(Runner::Core).collect();
        if file.filter == "metric-tags" || cases.is_empty() {
            continue;
        }
        let decisions = simulate(&file, &cases);
        assert_eq!(decisions.len(), cases.len(), "{}", file.label());
        // What is kept out of filter state is still what was decided.
        let is_silent = file.policy.contains("\"filterState\":false");
        for (case, decision) in cases.iter().zip(&decisions) {
            asked += 1;
            let mut found = disagreements(case, &decision["outcome"]);
            if !is_silent {
                found.extend(told(case, &decision["outcome"]["decided"]));
            }
            wrong.extend(found.iter().map(|what| format!("{} {}: {what}", file.label(), case.name)));
        }
    }
    assert!(asked > 500, "only {asked} cases asked");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}

fn simulate(file: &File, cases: &[&Case]) -> Vec<Value> {
    let directory = TempDir::new("narrows-simulate").unwrap();
    let requests: Vec<Value> = cases
        .iter()
        .map(|case| {
            let send = &case.send;
            json!({
                "method": send.method, "target": send.target, "authority": send.authority, "headers": send.headers,
                "stripped": send.stripped, "metadata": send.metadata,
                // On loopback, as the other runners are.
                "source": { "address": send.source.address.as_deref().unwrap_or("127.0.0.1:40000"), "principal": send.source.principal,
                            "verified": !send.source.unverified },
            })
        })
        .collect();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let policy = if file.policy.is_empty() { "{}".to_owned() } else { file.policy.clone() };
    let output = Command::new(narrows_tests::narrows())
        .args(["simulate", "--format", "json", "--filter", &file.filter])
        .arg(write("policy.json", policy))
        .arg("--requests")
        .arg(write("requests.json", Value::from(requests).to_string()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{}: {e}: {said}", file.label()));
    answer["decisions"].as_array().unwrap().clone()
}

/// Where a request, treated as the command says, is not what the case expects.
fn disagreements(case: &Case, outcome: &Value) -> Vec<String> {
    let strip: Vec<Vec<u8>> =
        texts(&outcome["request"]).filter_map(|edit| edit.strip_prefix("strip ")).map(unescape).collect();
    let reply = &outcome["reply"];
    let decision = Decision {
        stripped: strip.iter().map(Vec::as_slice).collect(),
        request: texts(&outcome["request"]).filter_map(edit).collect(),
        response: texts(&outcome["response"]).filter_map(edit).collect(),
        reply: reply["status"].as_u64().map(|status| Reply {
            status: status.try_into().unwrap(),
            grpc_status: reply["grpcStatus"].as_u64().map(|status| status.try_into().unwrap()),
            headers: texts(&reply["headers"]).map(line).collect(),
            body: unescape(reply["body"].as_str().unwrap()).into(),
        }),
        state: outcome["state"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), unescape(value.as_str().unwrap()).into()))
            .collect(),
        ..Decision::default()
    };
    // Nothing is counted: no request is served.
    let expect = Expect { counts: BTreeMap::new(), ..case.expect.clone() };
    narrows_runners::disagreements(&expect, &obeyed(case, &decision))
}

/// Where the facts that people read are not what the case expects of the filter state.
fn told(case: &Case, decided: &Value) -> Vec<String> {
    let fact = |name: &str| decided[name].as_str().filter(|said| *said != "-");
    let mut wrong = Vec::new();
    for (key, expected) in &case.expect.state {
        let said = match key.as_str() {
            // A rule that only reports is the one in the filter state if no other acts.
            "narrows_rule" => fact("rule").or_else(|| fact("reported")).map(str::to_owned),
            "narrows_split" => fact("split").map(str::to_owned),
            "narrows_backend" => fact("backend").map(str::to_owned),
            _ => continue,
        };
        if said != *expected {
            wrong.push(format!("{key}: told {said:?}, not {expected:?}"));
        }
    }
    wrong
}

/// `set a: b`, `add a: b` or `remove a`; `None` for what is stripped.
fn edit(text: &str) -> Option<Edit<'_>> {
    let (deed, rest) = text.split_once(' ').unwrap();
    let (name, value) = rest.split_once(": ").unwrap_or((rest.trim_end_matches(':'), ""));
    match deed {
        "strip" => None,
        "remove" => Some(Edit::Remove(rest.into())),
        // The name of a pseudo header begins with a colon.
        "set" => Some(Edit::Set(name.into(), unescape(value).into())),
        "add" => Some(Edit::Add(name.into(), unescape(value).into())),
        "in" => {
            let (to, from) = value.split_once(" for ").unwrap();
            Some(Edit::Relocate(unescape(from).into(), unescape(to).into()))
        }
        other => panic!("unknown edit {other:?} in {text:?}"),
    }
}

fn line(text: &str) -> (Cow<'_, str>, Cow<'_, [u8]>) {
    let (name, value) = text.split_once(": ").unwrap();
    (name.into(), unescape(value).into())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
