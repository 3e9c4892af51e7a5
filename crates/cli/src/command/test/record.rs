//! Writes what happens into case files: only what differs, so that comments stay.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use narrows_cases::bytes::escape;
use narrows_cases::expect::{Answered, Expect, Upstream, Values};
use narrows_cases::{Case, Runner, Written};
use narrows_model::{Headers, Observed, arrives, disagreements, plain};
use serde_json::{Map, Value, json};

use super::find::{Numbered, Suite, documents_of};
use crate::command::Done;
use crate::edit::{self, Edit, Editor};
use crate::error::CliError;
use crate::source::{Node, SourceFile};
use crate::write::file;

/// Records what happens in every suite, and says in which files.
pub(super) fn record(suites: &[Suite]) -> Result<Done, CliError> {
    let mut by_file: BTreeMap<&Path, Vec<&Suite>> = BTreeMap::new();
    for suite in suites {
        by_file.entry(&suite.path).or_default().push(suite);
    }
    let mut output = String::new();
    for (path, suites) in by_file {
        let shown = path.display().to_string();
        if shown == "-" {
            return Err(CliError::new("the standard input cannot be changed in place", "name the case file"));
        }
        let source = SourceFile::read(path)?;
        let mut recorded = Vec::new();
        for suite in suites {
            for case in &suite.cases {
                recorded.extend(recorded_of(suite, case)?);
            }
        }
        if recorded.is_empty() {
            continue;
        }
        let edits = recorded.iter().flat_map(|one| one.edits.clone()).collect();
        let changed = SourceFile { text: edit::apply(&source.text, edits), ..source.clone() };
        check(&source, &changed, &recorded).map_err(|what| {
            let message = format!("{shown:?} cannot be changed in place: {what}");
            let shared = recorded.iter().find_map(|one| edit::shared(&source.text, one.at.clone()));
            match shared {
                Some(name) => CliError::new(
                    message,
                    format!("write out in each place what the alias *{name} stands for"),
                ),
                None => CliError::new(message, "write \"expect\" of this file as { … } on one line"),
            }
        })?;
        file::write(path, &changed.text)?;
        output.push_str(&format!("{shown}: {} recorded\n", recorded.len()));
    }
    if output.is_empty() {
        output.push_str("nothing to record: every case expects what happens\n");
    }
    Ok(Done::clean(output))
}

/// What happens in a case, and the edits that write it.
struct Recorded<'s> {
    suite: &'s Suite,
    index: usize,
    wanted: Value,
    edits: Vec<Edit>,
    /// What has the edits, from the name of the field on.
    at: Range<usize>,
}

/// What is written must read as what was meant, by whoever reads this file, and nothing else may change: an alias
/// or a value whose place is not known would change it.
fn check(old: &SourceFile, new: &SourceFile, recorded: &[Recorded<'_>]) -> Result<(), String> {
    let [before, after] = [old, new].map(|file| documents_of(&file.text));
    if before.len() != after.len() {
        return Err("it would have another number of documents".to_owned());
    }
    for (before, after) in before.into_iter().zip(after) {
        if before == after {
            continue;
        }
        let read = |text: &String| -> Result<Vec<Value>, String> {
            let piece = SourceFile { path: old.path.clone(), text: text.clone() };
            let documents = piece.documents().map_err(|fault| format!("it would read {}", fault.message))?;
            Ok(documents.iter().map(Node::data).collect())
        };
        let (mut wanted, found) = (read(&before)?, read(&after)?);
        for one in recorded.iter().filter(|one| one.suite.source.text == before) {
            let cases = wanted.first_mut().and_then(|document| document.get_mut("cases"));
            let case = cases.and_then(|cases| cases.get_mut(one.index)).and_then(Value::as_object_mut);
            case.map(|case| case.insert("expect".to_owned(), one.wanted.clone()));
        }
        if found != wanted {
            return Err("something else than these expectations would change".to_owned());
        }
        Written::parse(&after).map_err(|fault| format!("it would read {fault}"))?;
    }
    Ok(())
}

fn recorded_of<'s>(suite: &'s Suite, case: &Numbered<Case>) -> Result<Option<Recorded<'s>>, CliError> {
    let (Ok(policy), true) = (&suite.compiled, case.it.runs_in(Runner::Core)) else { return Ok(None) };
    let observed = policy.run(&case.it);
    let expect = &case.it.expect;
    if !expect.is_empty() && disagreements(expect, &observed).is_empty() {
        return Ok(None);
    }
    let Some(shift) = suite.shift else {
        return Err(CliError::new(
            format!("the cases of {:?} are in an annotation", suite.path.display().to_string()),
            "record them in a file of their own",
        ));
    };
    let wanted = if expect.is_empty() { fresh(&case.it, &observed) } else { again(expect, &observed) };
    let written = suite.document.get("cases").and_then(|cases| cases.elements().get(case.index));
    let Some(written) = written else { return Ok(None) };
    let edits = Editor::of(&suite.source).set(written, "expect", &wanted);
    if edits.is_empty() {
        return Ok(None);
    }
    let moved = |at: usize| at.saturating_add_signed(shift);
    let edits: Vec<Edit> =
        edits.into_iter().map(|e| Edit { at: moved(e.at.start)..moved(e.at.end), ..e }).collect();
    let expect = written.fields().iter().find(|(key, _)| key.name == "expect");
    let begins = moved(expect.map_or(written.at.start, |(key, _)| key.at.start));
    let ends = edits.iter().map(|edit| edit.at.end).max().unwrap_or(begins);
    Ok(Some(Recorded { suite, index: case.index, wanted, edits, at: begins..ends.max(begins) }))
}

/// What a case that expects nothing yet may expect: what the filter changed, and how it explains that.
fn fresh(case: &Case, observed: &Observed) -> Value {
    let mut expect = Map::new();
    let state: Map<String, Value> =
        observed.state.iter().map(|(key, value)| (key.clone(), escape(value).into())).collect();
    match &observed.upstream {
        None => {
            let body = escape(&observed.answer.body);
            let mut reply = json!({ "status": observed.answer.status });
            if !body.is_empty() {
                reply["body"] = body.into();
            }
            expect.insert("reply".to_owned(), reply);
        }
        Some(seen) => {
            let sent = arrives(&case.send);
            let before = plain(&sent);
            let mut upstream = Map::new();
            for (field, name, value) in [
                ("method", ":method", &seen.method),
                ("target", ":path", &seen.target),
                ("authority", ":authority", &seen.authority),
            ] {
                if sent.text(name).as_ref() != Some(value) {
                    upstream.insert(field.to_owned(), value.clone().into());
                }
            }
            let changed = headers(&seen.headers, |name| before.joined(name) != seen.headers.joined(name));
            if !changed.is_empty() {
                upstream.insert("headers".to_owned(), changed.into());
            }
            let gone = headers(&before, |name| seen.headers.get(name).is_none());
            if !gone.is_empty() {
                let names: Vec<String> = gone.into_iter().map(|(name, _)| name).collect();
                upstream.insert("absent".to_owned(), names.into());
            }
            expect.insert("upstream".to_owned(), upstream.into());
        }
    }
    if !state.is_empty() {
        expect.insert("state".to_owned(), state.into());
    }
    expect.into()
}

fn headers(of: &Headers, wanted: impl Fn(&[u8]) -> bool) -> Map<String, Value> {
    of.iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, _)| (String::from_utf8_lossy(name).into_owned(), joined(of, name).into()))
        .collect()
}

fn joined(of: &Headers, name: &[u8]) -> String {
    escape(&of.joined(name).unwrap_or_default())
}

/// The same expectations, with what happens.
fn again(old: &Expect, observed: &Observed) -> Value {
    let mut expect = Map::new();
    let mut put = |name: &str, value: Value| expect.insert(name.to_owned(), value);
    match (&old.upstream, &observed.upstream) {
        (Some(old), Some(seen)) => _ = put("upstream", upstream(old, seen)),
        (None, Some(seen)) if old.reply.is_some() => _ = put("upstream", json!({ "target": seen.target })),
        _ => {}
    }
    if observed.upstream.is_none() && (old.reply.is_some() || old.upstream.is_some()) {
        let status = Answered { status: Some(0), ..Answered::default() };
        put("reply", answer(old.reply.as_ref().unwrap_or(&status), observed));
    }
    if let Some(response) = &old.response {
        put("response", answer(response, observed));
    }
    if !old.state.is_empty() {
        let found = |key: &String| observed.state.get(key).map_or(Value::Null, |value| escape(value).into());
        put("state", old.state.keys().map(|key| (key.clone(), found(key))).collect::<Map<_, _>>().into());
    }
    if !old.counts.is_empty() {
        let found = |key: &String| Value::from(observed.counts.get(key).copied().unwrap_or_default());
        put("counts", old.counts.keys().map(|key| (key.clone(), found(key))).collect::<Map<_, _>>().into());
    }
    expect.into()
}

fn upstream(old: &Upstream, seen: &narrows_model::Seen) -> Value {
    let mut upstream = Map::new();
    for (name, old, found) in [
        ("method", &old.method, &seen.method),
        ("target", &old.target, &seen.target),
        ("authority", &old.authority, &seen.authority),
    ] {
        if old.is_some() {
            upstream.insert(name.to_owned(), found.clone().into());
        }
    }
    lines(&mut upstream, &old.headers, &old.absent, &seen.headers);
    upstream.into()
}

fn answer(old: &Answered, observed: &Observed) -> Value {
    let found = &observed.answer;
    let mut answer = Map::new();
    let mut put = |name: &str, is_told: bool, value: Value| {
        if is_told {
            answer.insert(name.to_owned(), value);
        }
    };
    put("status", old.status.is_some(), found.status.into());
    put("body", old.body.is_some(), escape(&found.body).into());
    put("grpc_status", old.grpc_status.is_some(), found.grpc_status().into());
    lines(&mut answer, &old.headers, &old.absent, &found.headers);
    answer.into()
}

/// Headers that are there and headers that are not, of those that the case asks about.
fn lines(
    into: &mut Map<String, Value>,
    there: &BTreeMap<String, Values>,
    absent: &[String],
    found: &Headers,
) {
    let mut present = Map::new();
    let mut gone = Vec::new();
    for (name, each) in there
        .iter()
        .map(|(name, old)| (name, matches!(old, Values::Each(_))))
        .chain(absent.iter().map(|name| (name, false)))
    {
        let values: Vec<String> = found.all(name).into_iter().map(escape).collect();
        match (values.is_empty(), each) {
            (true, _) => gone.push(Value::from(name.as_str())),
            (false, true) => _ = present.insert(name.clone(), values.into()),
            (false, false) => _ = present.insert(name.clone(), joined(found, name.as_bytes()).into()),
        }
    }
    if !present.is_empty() {
        into.insert("headers".to_owned(), present.into());
    }
    if !gone.is_empty() {
        into.insert("absent".to_owned(), gone.into());
    }
}
