//! What is read, and how much of it: an input without an end, one that is empty, and what is no file.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{ROUTER, directory, narrows};

/// The exit code and all that is said, with this on the standard input.
fn fed(here: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut run = Command::new(env!("CARGO_BIN_EXE_narrows"))
        .current_dir(here)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    run.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let run = run.wait_with_output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    (run.status.code(), said)
}

/// The same of a shell's line, with 300 MiB of memory.
fn within_memory(here: &Path, line: &str) -> (Option<i32>, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_narrows")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let line = format!("ulimit -v 307200; {line}");
    let run = Command::new("bash").current_dir(here).env("PATH", path).args(["-c", &line]).output().unwrap();
    (
        run.status.code(),
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr),
    )
}

#[test]
fn an_input_without_an_end_is_read_up_to_a_limit() {
    let here = directory("endless");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::write(here.join("c.yaml"), format!("policyFile: r.yaml\n{CASES}")).unwrap();
    for command in [
        "lint -",
        "test -",
        "test c.yaml --policy -",
        "simulate - --get http://a/",
        "simulate r.yaml --requests -",
        "simulate r.yaml --requests - --requests-as jsonl",
        "simulate r.yaml --requests - --requests-as curl",
        "diff r.yaml - --filter header-router",
        "render - --as stats-tags",
        "digest -",
        "migrate -",
        "templates -",
        "learn -",
    ] {
        let (code, said) = within_memory(&here, &format!("narrows {command} < <(cat /dev/zero)"));
        assert_eq!(code, Some(2), "{command}: {said}");
        assert!(said.contains("64 MiB") && said.contains("= help: "), "{command}: {said}");
    }
    // A recording is read entry by entry, and a text of it may not end either.
    let recording =
        "{ printf '{\"log\": {\"entries\": [{\"request\": {\"url\": \"'; tr '\\0' x < /dev/zero; }";
    let (code, said) = within_memory(&here, &format!("narrows simulate r.yaml --requests <({recording})"));
    assert!(code == Some(2) && said.contains("an entry of") && said.contains("64 MiB"), "{said}");
    // A command whose lines go on.
    let long = format!("narrows simulate r.yaml --requests <(yes 'curl {} \\')", "x".repeat(10_000));
    let (code, said) = within_memory(&here, &long);
    assert!(code == Some(2) && said.contains("a command of more than 64 MiB"), "{said}");
    // A pipe with a name, and a line without an end behind a good one.
    let endless = "mkfifo p; { echo 'filter: header-router'; tr '\\0' x < /dev/zero; } > p &";
    let (code, said) = within_memory(&here, &format!("{endless} narrows lint p"));
    assert!(code == Some(2) && said.contains("cannot read \"p\": it has more than 64 MiB"), "{said}");
    // A hundred megabytes, which are all holes here.
    File::create(here.join("big.yaml")).unwrap().set_len(100 << 20).unwrap();
    let (code, said) = within_memory(&here, "narrows lint big.yaml r.yaml");
    assert!(code == Some(2) && said.contains("1 policy") && said.contains("64 MiB"), "{said}");
}

/// Reading what comes before the first request takes time in proportion to it.
#[test]
fn comments_before_the_requests_are_read_once() {
    let here = directory("silent");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    let text = "#\n".repeat(500_000) + "- target: /\n";
    let (code, said) = fed(&here, &["simulate", "r.yaml", "--requests", "-", "--shares"], &text);
    assert!(code == Some(0) && said.contains("1 of 1"), "{said}");
}

#[test]
fn what_is_no_file_is_told() {
    let here = directory("kinds");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::write(here.join("c.yaml"), format!("policyFile: r.yaml\n{CASES}")).unwrap();
    fs::create_dir(here.join("folder")).unwrap();
    for (name, what) in
        [("folder", "it is a folder"), ("/dev/zero", "it is a device"), ("no", "No such file")]
    {
        for arguments in [
            &["simulate", name, "--get", "http://a/"][..],
            &["simulate", "r.yaml", "--requests", name],
            &["diff", "r.yaml", name, "--filter", "header-router"],
            &["render", name, "--as", "stats-tags"],
            &["test", "c.yaml", "--policy", name],
            &["lint", "r.yaml", "--config", name],
            &["migrate", name],
            &["learn", name],
            &["digest", name],
            &["pack", name],
            &["set-weight", name, "--backend", "b", "1"],
        ] {
            let (code, _, errors) = narrows(&here, arguments);
            assert_eq!(code, Some(2), "{arguments:?}: {errors}");
            let told = format!("cannot read {name:?}: {what}");
            assert!(errors.contains(&told) && errors.contains("= help: "), "{arguments:?}: {errors}");
        }
    }
    // Nothing is in /dev/null, and a terminal or a pipe may be named.
    let (code, _, errors) = narrows(&here, &["lint", "/dev/null"]);
    assert!(code == Some(0) && errors.contains("no policy found"), "{errors}");
    let (code, said) = fed(&here, &["lint", "/dev/stdin"], ROUTER);
    assert!(code == Some(0) && said.contains("1 policy"), "{said}");
}

const CASES: &str = "cases:\n- name: all\n  expect: { upstream: { headers: { x-narrows-route: v1 } } }\n";

#[test]
fn cases_of_the_standard_input_are_those_that_it_has() {
    let here = directory("standard");
    // What stands beside is not asked for.
    fs::create_dir(here.join("cases")).unwrap();
    fs::write(here.join("cases/other.yaml"), format!("policy:\n  filter: header-router\n{CASES}")).unwrap();
    for text in ["", "# nothing\n", ROUTER] {
        let (code, said) = fed(&here, &["test", "-"], text);
        assert_eq!(code, Some(2), "{text}: {said}");
        assert!(said.contains("there are no cases in the standard input"), "{said}");
    }
    let (code, said) = fed(&here, &["test", "-"], CASES);
    assert_eq!(code, Some(2));
    assert!(said.contains("nothing says which policy") && said.contains("\"policyFile\""), "{said}");
    // With the policy before the cases, and behind them.
    for text in [format!("{ROUTER}---\n{CASES}"), format!("{CASES}---\n{ROUTER}")] {
        let (code, said) = fed(&here, &["test", "-"], &text);
        assert!(code == Some(0) && said.contains("1 passed"), "{said}");
    }
    let (code, said) = fed(&here, &["test", "-", "--record"], &format!("{ROUTER}---\n{CASES}"));
    assert!(code == Some(2) && said.contains("cannot be changed in place"), "{said}");
    // A policy in the same file that cannot be read is no empty policy.
    let broken = format!("filter: header-router\nrules: [\n---\n{CASES}");
    let (code, said) = fed(&here, &["test", "-", "--filter", "header-router"], &broken);
    assert!(code == Some(2) && said.contains("NRW100"), "{said}");
}

#[test]
fn a_file_without_cases_is_told_beside_others() {
    let here = directory("idle");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::create_dir(here.join("alone")).unwrap();
    fs::write(here.join("alone/r.yaml"), ROUTER).unwrap();
    fs::write(here.join("c.yaml"), format!("policyFile: r.yaml\n{CASES}")).unwrap();
    let (code, output, errors) = narrows(&here, &["test", "c.yaml", "alone/r.yaml"]);
    assert!(code == Some(0) && output.contains("1 passed"), "{output}{errors}");
    assert!(errors.contains("note: no case is in \"alone/r.yaml\""), "{errors}");
    // Its policy has the cases of a file that is named too: they run once.
    for both in [["c.yaml", "r.yaml"], ["r.yaml", "c.yaml"]] {
        let (code, output, errors) = narrows(&here, &[&["test"][..], &both].concat());
        assert!(code == Some(0) && output.contains("1 passed") && errors.is_empty(), "{output}{errors}");
    }
}
