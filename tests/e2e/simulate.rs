//! Does `narrows simulate` say what Envoy does? Every case that the core runs is asked of
//! the command too, and its answer held against the same expectations.

use std::fs;
use std::process::Command;

use narrows_testkit::case::{self, Case, File, Runner};
use narrows_testkit::temp::TempDir;
use serde_json::{Value, json};

#[test]
fn simulate_says_what_the_cases_say() {
    let mut asked = 0;
    let mut wrong = Vec::new();
    for file in case::files(None).unwrap() {
        // Tags decide nothing: there is nothing to simulate but counts.
        let cases: Vec<&Case> = file.cases_for(Runner::Core).collect();
        if file.filter.name() == "metric-tags" || cases.is_empty() {
            continue;
        }
        let decisions = simulate(&file, &cases);
        assert_eq!(decisions.len(), cases.len(), "{}", file.label());
        for (case, decision) in cases.iter().zip(&decisions) {
            asked += 1;
            wrong.extend(
                disagreement(case, &decision["outcome"])
                    .map(|what| format!("{} {}: {what}", file.label(), case.name)),
            );
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
                "stripped": send.stripped,
                // On loopback, as the other runners are.
                "source": { "address": send.source.address.as_deref().unwrap_or("127.0.0.1:40000"), "principal": send.source.principal },
            })
        })
        .collect();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let policy = if file.policy.is_empty() { "{}".to_owned() } else { file.policy.clone() };
    let output = Command::new(std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("narrows"))
        .args(["simulate", "--format", "json", "--filter", file.filter.name()])
        .arg(write("policy.json", policy))
        .arg("--requests")
        .arg(write("requests.json", Value::from(requests).to_string()))
        .output()
        .expect("narrows is built with the tests of the workspace");
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{}: {e}: {said}", file.label()));
    answer["decisions"].as_array().unwrap().clone()
}

/// Where the command's account of a request is not what the case expects.
fn disagreement(case: &Case, outcome: &Value) -> Option<String> {
    let expect = &case.expect;
    for (key, name) in [("narrows_rule", "rule"), ("narrows_split", "split"), ("narrows_backend", "backend")]
    {
        if let Some(expected) = expect.state.get(key) {
            // A rule that only reports is the one in the filter state if no other acts.
            let said = [&outcome["decided"][name], &outcome["decided"]["reported"]];
            let said = said.into_iter().find_map(|said| said.as_str().filter(|said| *said != "-"));
            if said != expected.as_deref() {
                return Some(format!("{name} {said:?}, not {expected:?}"));
            }
        }
    }
    if expect.upstream.is_some() != outcome["reply"].is_null()
        && (expect.upstream.is_some() || expect.reply.is_some())
    {
        return Some(format!("reply {}", outcome["reply"]));
    }
    let upstream = expect.upstream.as_ref()?;
    let edits: Vec<&str> = outcome["request"].as_array()?.iter().filter_map(Value::as_str).collect();
    let set = |name: &str| {
        let prefix = format!("set {name}: ");
        edits.iter().rev().find_map(|edit| edit.strip_prefix(&prefix)).map(str::to_owned)
    };
    let of_request = [
        (":authority", &upstream.authority, &case.send.authority),
        (":path", &upstream.target, &case.send.target),
    ];
    for (name, expected, sent) in of_request {
        let said = set(name).unwrap_or_else(|| sent.clone());
        let absolute = case.send.target.contains("://");
        if expected.as_ref().is_some_and(|expected| *expected != said) && !absolute {
            return Some(format!("{name} {said:?}, not {expected:?}"));
        }
    }
    let sent = |name: &str| {
        case.send
            .headers
            .iter()
            .any(|line| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    };
    for name in upstream.headers.keys() {
        let added = edits.iter().any(|edit| edit.starts_with(&format!("add {name}: ")));
        if set(name).is_none() && !added && !sent(name) {
            return Some(format!("{name} is not written"));
        }
    }
    for name in &upstream.absent {
        let taken = edits
            .iter()
            .any(|edit| [format!("strip {name}"), format!("remove {name}")].contains(&(*edit).to_owned()));
        if set(name).is_some() || (sent(name) && !taken) {
            return Some(format!("{name} is there"));
        }
    }
    None
}
