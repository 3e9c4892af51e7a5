//! Every case file, in every runner.
//!
//! `CASES=part-of-a-path` runs only the files whose path contains it.

mod simulated;
mod tested;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use narrows_cases::{File, Runner};
use narrows_core::Policy;
use narrows_core::describe::Object;
use narrows_core::merged::Merged;
use narrows_harness::envoy::minor;
use narrows_harness::form::{COMMON, Form, PARTS};
use narrows_harness::temp::TempDir;
use narrows_runners::{Filter, envoy, files, native, vm};

/// Files that are run at a time.
const WORKERS: usize = 3;

#[test]
fn the_core_does_what_the_cases_say() {
    agree(|file| native::run(file, Form::chosen()));
}

#[test]
fn the_core_does_it_as_a_part_of_a_merged_policy() {
    agree(|file| native::run(file, Form::Plugin));
}

#[test]
fn the_wasm_does_what_the_cases_say() {
    agree(|file| vm::run(file, Form::chosen()));
}

#[test]
fn the_wasm_of_all_filters_does_it() {
    agree(|file| vm::run(file, Form::Bundle));
}

#[test]
fn the_merged_plugin_does_it() {
    agree(|file| vm::run(file, Form::Plugin));
}

#[test]
fn the_forms_know_every_part_and_common_field() {
    let parts = |object: &'static Object| object.fields.iter().map(|field| field.name);
    assert_eq!(PARTS.map(|(_, part)| part).to_vec(), parts(Merged::LANGUAGE).collect::<Vec<_>>());
    let mut common: Vec<_> = Merged::LANGUAGE.includes.iter().flat_map(|head| parts(head)).collect();
    common.sort_unstable();
    let mut known = COMMON.to_vec();
    known.sort_unstable();
    assert_eq!(known, common);
}

/// What only Envoy since 1.39 answers so: it has `connection.peer_certificate_valid`.
const SINCE_39: [&str; 2] = [
    "egress-policy/callers-verified [envoy] a caller that was verified:",
    "header-router/callers-verified [envoy] one that was verified:",
];

/// Real Envoy, `narrows simulate` and `narrows test` agree on every case of every file.
#[test]
fn envoy_simulate_and_test_agree_on_every_case() {
    let ends = tested::run(&["filters", "examples"]).unwrap();
    let is_old = minor().unwrap() < 39;
    let asked = AtomicUsize::new(0);
    agree(|file| {
        let mut wrong = envoy::run(file, &Filter::named(&file.filter)?.wasm()?)?;
        wrong.retain(|line| !(is_old && SINCE_39.iter().any(|known| line.starts_with(known))));
        let (simulated, count) = simulated::run(file)?;
        asked.fetch_add(count, Ordering::Relaxed);
        wrong.extend(simulated);
        let path = file.path.strip_prefix(narrows_harness::workspace())?.display().to_string();
        let named = file.cases.iter().map(|case| (case.name.clone(), case.runs_in(Runner::Core)));
        for (name, runs) in named.chain(file.refused.iter().map(|refused| (refused.name.clone(), true))) {
            let end = ends.get(&(path.clone(), name.clone()));
            let wanted = if runs { "passed" } else { "skipped" };
            if end.is_none_or(|(status, _)| status != wanted) {
                wrong.push(format!("{} [test] {name}: {end:?}", file.label()));
            }
        }
        Ok(wrong)
    });
    let asked = asked.into_inner();
    assert!(asked > 500 || std::env::var_os("CASES").is_some(), "only {asked} cases simulated");
}

/// What Envoy is not asked says so.
#[test]
fn a_case_that_envoy_cannot_run_needs_a_reason() {
    let directory = TempDir::new("cases").unwrap();
    let read = |cases: &str| {
        let text = format!("about: x\npolicy: {{ filter: egress-policy, default: deny }}\ncases:\n{cases}");
        let file = File::read(&directory.write("case.yaml", text).unwrap())?;
        file.check_runners().map(|()| file)
    };
    let case = |source: &str, reason: &str| {
        format!("  - {{ name: a, send: {{ {source} }}, expect: {{ reply: {{ status: 403 }} }}{reason} }}\n")
    };
    let (left_out, unmade) =
        ("stripped: x-narrows-*", "source: { principal: \"spiffe://evil.local/ns/a/sa/b\" }");
    let nowhere = "source: { address: nowhere }";
    for (source, fault) in [
        (left_out, "no case runs in Envoy"),
        (unmade, "no certificate of the mesh"),
        (nowhere, "is no address"),
    ] {
        let refused = format!("{:#}", read(&case(source, "")).unwrap_err());
        assert!(refused.contains(fault), "{source}: {refused}");
        read(&case(source, ", runners: [core, wasm], because: it is shown elsewhere")).unwrap();
    }
    let certified = "source: { principal: \"spiffe://cluster.local/ns/a/sa/b\" }";
    assert_eq!(read(&case(certified, "")).unwrap().cases_for(Runner::Envoy).count(), 1);
}

/// Runs every file, several at a time: a proxy takes most of its time to start.
fn agree(run: impl Fn(&File) -> anyhow::Result<Vec<String>> + Sync) {
    let only = std::env::var("CASES").ok();
    let files = files(only.as_deref()).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(!files.is_empty(), "no case file is called {only:?}");
    let next = AtomicUsize::new(0);
    let some = || {
        let mut wrong = Vec::new();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            match run(file) {
                Ok(disagreements) => wrong.extend(disagreements),
                Err(error) => wrong.push(format!("{}: {error:#}", file.label())),
            }
        }
        wrong
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(some)).collect();
        let said =
            |worker: thread::ScopedJoinHandle<'_, Vec<String>>| worker.join().expect("it says what is wrong");
        workers.into_iter().flat_map(said).collect()
    });
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}
