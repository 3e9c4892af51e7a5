//! What a client sends, or a file is called, reaches a terminal and a workflow's log as text.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What the command prints in a directory of its own.
fn narrows(directory: &Path, arguments: &[&str]) -> String {
    let run =
        Command::new(env!("CARGO_BIN_EXE_narrows")).current_dir(directory).args(arguments).output().unwrap();
    String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap()
}

fn directory(name: &str) -> std::path::PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Nothing that moves a cursor, and no command of a workflow at the start of a line.
fn is_harmless(text: &str) -> bool {
    let commands = text.lines().filter(|line| line.trim_start().starts_with("::")).count();
    commands == 0 && !text.chars().any(|c| c.is_control() && c != '\n')
}

#[test]
fn keys_of_clients_are_text() {
    let here = directory("keys");
    let policy = |weight: u32| {
        format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "s", "hosts": ["a"], "key": [{{"header": "x"}}], "backends": [
                {{"name": "b", "baseline": true}}, {{"name": "c", "to": "c", "weight": {weight}, "maxWeight": 100}}]}}]}}"#
        )
    };
    fs::write(here.join("old.json"), policy(0)).unwrap();
    fs::write(here.join("new.json"), policy(100)).unwrap();
    fs::write(
        here.join("keys"),
        "u1\u{1b}[2J\u{1b}]0;pwn\u{7}\n::add-mask::x\n\t::error::y\nu\u{9b}2J\nplain\n",
    )
    .unwrap();
    let output = narrows(&here, &["diff", "old.json", "new.json", "--keys", "keys"]);
    assert!(output.contains("5 of 5 keys move") && output.contains("    plain: b -> c"), "{output}");
    assert!(is_harmless(&output), "{output:?}");
}

#[test]
fn names_of_files_are_text() {
    let here = directory("names");
    let name = "d\u{1b}[31m\n::error::f.yaml";
    fs::write(here.join(name), "filter: header-router\nruls: []\n").unwrap();
    let output = narrows(&here, &["lint", name]);
    assert!(output.contains("NRW101") && is_harmless(&output), "{output:?}");
    let output = narrows(&here, &["lint", name, "--format", "github"]);
    assert_eq!(output.lines().count(), 1, "{output:?}");
    assert!(!output.contains('\u{1b}'), "{output:?}");
    for missing in [
        &["lint", "\u{1b}[2J"][..],
        &["simulate", "\u{1b}[2J", "--requests", "\n::error::"],
        &["learn", "\u{1b}c"],
    ] {
        let output = narrows(&here, missing);
        assert!(is_harmless(&output), "{output:?}");
    }
}

/// What would move a cursor, turn text around or give a runner orders.
const EVIL: &str = "\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{2028}\r\n::error::pwn\u{7}\u{85}";

/// A policy, a resource, a policy that loads and requests, with that wherever a text may be.
fn write_evil(here: &Path) {
    let evil = EVIL;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let policy = format!(
        r#"{{"filter": "header-router", {evil}: 1, "rules": [{{"name": {evil}, "matches": [{{"hosts": [{evil}], "headers": {{{evil}: {{"exact": {evil}}}}},
            "path": {{"regex": {evil}}}}}], "requestHeaders": {{"set": {{"x-a": {evil}}}}}, "route": {{"to": "v1"}}}}]}}"#,
        evil = quoted(evil)
    );
    fs::write(here.join("p.json"), policy).unwrap();
    let resource = format!(
        "apiVersion: {evil}\nkind: WasmPlugin\nmetadata: {{ name: {evil}, namespace: {evil} }}\nspec: {{ url: {evil}, phase: {evil}, {evil}: 1, \
         sha256: {evil}, targetRefs: [{{ kind: {evil}, name: {evil} }}], match: [{{ mode: {evil} }}], vmConfig: {{ env: [{{ name: {evil} }}, {{ name: {evil} }}] }} }}\n",
        evil = quoted(evil)
    )
    .replacen(&format!("apiVersion: {}", quoted(evil)), "apiVersion: extensions.istio.io/v1alpha1", 1);
    fs::write(here.join("r.yaml"), resource).unwrap();
    let body = format!(
        "filter: header-router\nrules: [{{ name: a, matches: [{{ path: {{ exact: {evil} }} }}], respond: {{ status: 403, body: {evil} }} }}]\n",
        evil = quoted(evil)
    );
    fs::write(here.join("body.yaml"), body).unwrap();
    fs::write(
        here.join("requests.yaml"),
        format!("- {{ target: {evil}, authority: {evil} }}\n", evil = quoted(evil)),
    )
    .unwrap();
    fs::write(here.join("good.yaml"), "- { target: / }\n").unwrap();
    fs::write(
        here.join("old.yaml"),
        format!(
            "filter: header-router\nrules: [{{ name: a, respond: {{ status: 403, body: {} }} }}]\n",
            quoted(evil)
        ),
    )
    .unwrap();
    fs::write(
        here.join("cases.yaml"),
        format!(
            "policyFile: old.yaml\ncases:\n- {{ name: {evil}, expect: {{ reply: {{ body: {evil} }}, state: {{ narrows_rule: {evil} }} }} }}\n",
            evil = quoted(evil)
        ),
    )
    .unwrap();
}

/// A description of an API, and cases of a policy that is refused, with that.
fn write_more_evil(here: &Path) {
    let path = serde_json::Value::from(format!("/{{a}}-{{b}}{EVIL}"));
    let api = format!(r#"{{"openapi": "3.1.0", "info": {{}}, "paths": {{{path}: {{"get": {{}}}}}}}}"#);
    fs::write(here.join("api.json"), api).unwrap();
    fs::write(
        here.join("refused.yaml"),
        "policyFile: p.json\ncases:\n- { name: a, expect: { state: { narrows_rule: b } } }\n",
    )
    .unwrap();
}

/// Names, values, codes and options of others are text, in every command and format.
#[test]
fn whatever_somebody_else_wrote_is_text() {
    let here = directory("written");
    write_evil(&here);
    write_more_evil(&here);
    let evil = EVIL;
    let mut outputs = Vec::new();
    for format in ["text", "json", "github", "sarif"] {
        outputs.push(narrows(&here, &["lint", "p.json", "r.yaml", "body.yaml", "--format", format]));
    }
    for shape in ["envoy-filter-block", "wasm-plugin", "stats-tags"] {
        for policy in ["body.yaml", "p.json", "r.yaml"] {
            outputs.push(narrows(&here, &["render", policy, "--as", shape]));
        }
    }
    for format in ["text", "json"] {
        outputs.push(narrows(
            &here,
            &["simulate", "body.yaml", "--requests", "requests.yaml", "--format", format],
        ));
        outputs.push(narrows(&here, &["diff", "p.json", "body.yaml", "--format", format]));
        let requests = ["--requests", "good.yaml", "--allow-changes"];
        let compared = [&["diff", "body.yaml", "old.yaml", "--format", format][..], &requests].concat();
        outputs.push(narrows(&here, &compared));
    }
    for format in ["text", "json", "github", "junit"] {
        outputs.push(narrows(&here, &["test", "cases.yaml", "--format", format]));
        outputs.push(narrows(&here, &["test", "refused.yaml", "--format", format]));
    }
    for of in ["tags", "routing", "egress"] {
        outputs.push(narrows(&here, &["templates", "api.json", "--as", of]));
    }
    for arguments in [
        &["explain", evil][..],
        &["schema", evil],
        &[evil],
        &["lint", evil],
        &["render", "body.yaml", evil],
        &["lint", "--istio", evil, "p.json"],
    ] {
        outputs.push(narrows(&here, arguments));
    }
    for (i, output) in outputs.iter().enumerate() {
        assert!(!output.is_empty());
        // An annotation is a command of ours.
        let ours = |line: &&str| !line.starts_with("::error file=") && !line.starts_with("::warning file=");
        let rest: String = output.lines().filter(ours).map(|line| format!("{line}\n")).collect();
        assert!(
            is_harmless(&rest) && !output.contains(['\u{202e}', '\u{2028}', '\u{1b}', '\u{9b}']),
            "{i}: {output:?}"
        );
    }
}

/// Two hundred megabytes of requests: the command may not have that much memory.
#[test]
fn requests_are_decided_one_by_one_and_not_kept() {
    let here = directory("millions");
    fs::write(here.join("policy.yaml"), "filter: header-router\nrules: [{ name: a, route: { to: v1 } }]\n")
        .unwrap();
    let long = "x".repeat(20_000);
    for (name, line) in [
        ("list.yaml", format!("- target: /\n  headers: ['x-long: {long}']\n")),
        ("lines.jsonl", format!("{{\"target\": \"/\", \"headers\": [\"x-long: {long}\"]}}\n")),
    ] {
        fs::write(here.join(name), line.repeat(10_000)).unwrap();
        let command = format!(
            "ulimit -v 200000; '{}' simulate policy.yaml --requests {name} | tail -n 1",
            env!("CARGO_BIN_EXE_narrows")
        );
        let run = Command::new("bash").current_dir(&here).args(["-c", &command]).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        fs::remove_file(here.join(name)).unwrap();
        assert!(said.contains("10000 of 10000"), "{name}: {said}");
    }
}

#[test]
fn a_clusters_export_is_many_documents() {
    let here = directory("documents");
    fs::write(here.join("all.yaml"), "filter: header-router\nrules: []\n---\n".repeat(2_000)).unwrap();
    let output = narrows(&here, &["lint", "all.yaml"]);
    assert!(output.contains("0 errors and 0 warnings in 1 file: 2000 policies"), "{output}");
}

#[test]
fn a_cluster_has_many_plugins() {
    let here = directory("plugins");
    let plugin = |i: usize| {
        format!(
            "---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: p{i}, namespace: shop }}\n\
             spec: {{ url: \"oci://r.example/n/header-router:0.1.0\", selector: {{ matchLabels: {{ app: a{i} }} }}, \
             phase: AUTHZ, priority: 200, failStrategy: FAIL_RELOAD, pluginConfig: {{ trust: mesh }} }}\n"
        )
    };
    fs::write(here.join("all.yaml"), (0..2_000).map(plugin).collect::<String>()).unwrap();
    let output = narrows(&here, &["lint", "all.yaml"]);
    assert!(output.contains("2000 policies, 2000 manifests"), "{output}");
}
