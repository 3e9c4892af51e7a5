//! Does `narrows simulate` say what Envoy does? A case file is a file of requests too: a request that
//! is treated as the command says is held against the same expectations, to the last header.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::process::Command;

use narrows_cases::bytes::unescape;
use narrows_cases::expect::Expect;
use narrows_cases::{Case, File, Runner};
use narrows_core::set_cookie::SetCookie;
use narrows_core::{Decision, Edit, Reply};
use narrows_harness::temp::TempDir;
use narrows_runners::obeyed;
use serde_json::Value;

/// Where the command and the cases that the core runs disagree; and how many cases were asked.
pub(super) fn run(file: &File) -> anyhow::Result<(Vec<String>, usize)> {
    if file.cases.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let decisions = simulate(file)?;
    let mut wrong = Vec::new();
    if decisions.len() != file.cases.len() {
        wrong.push(format!("{} decisions on {} cases", decisions.len(), file.cases.len()));
    }
    // What is kept out of filter state is still what was decided.
    let is_silent = file.policy.contains("\"filterState\":false");
    let mut asked = 0;
    for (case, decision) in file.cases.iter().zip(&decisions) {
        // Tags decide nothing: there is nothing to simulate but counts.
        if !case.runs_in(Runner::Core) || file.filter == "metric-tags" {
            continue;
        }
        asked += 1;
        let mut found = disagreements(case, &decision["outcome"]);
        if !is_silent {
            found.extend(told(case, &decision["outcome"]["decided"]));
        }
        wrong.extend(found.iter().map(|what| format!("{} [simulate] {}: {what}", file.label(), case.name)));
    }
    Ok((wrong, asked))
}

fn simulate(file: &File) -> anyhow::Result<Vec<Value>> {
    let directory = TempDir::new("narrows-simulate")?;
    let policy = if file.policy.is_empty() { "{}" } else { &file.policy };
    let output = Command::new(narrows_tests::narrows())
        .args(["simulate", "--format", "json", "--filter", &file.filter])
        .arg(directory.write("policy.json", policy)?)
        .arg("--requests")
        .arg(&file.path)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| anyhow::anyhow!("{}: {e}: {said}", file.label()))?;
    Ok(answer["decisions"].as_array().cloned().unwrap_or_default())
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
        "give" => {
            let (line, otherwise) = value.rsplit_once(", ").unwrap();
            let makes_private = otherwise.starts_with("made private");
            Some(Edit::SetCookie(SetCookie {
                line: unescape(line).into(),
                makes_private,
                given: 0,
                withheld: 0,
            }))
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
