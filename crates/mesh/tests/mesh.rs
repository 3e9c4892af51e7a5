//! The commands behind `make demo`, `make up` and `make down`, as a user runs them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use narrows_harness::root;
use narrows_harness::temp::TempDir;

fn mesh(command: &str, root: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_narrows-mesh")).arg(command).env("NARROWS_ROOT", root).output().unwrap()
}

/// A workspace of its own, whose bootstraps a test may change.
fn workspace() -> TempDir {
    let copy = TempDir::new("narrows-root").unwrap();
    let real = fs::canonicalize(root()).unwrap();
    symlink(real.join("dist"), copy.path().join("dist")).unwrap();
    fs::create_dir(copy.path().join("envoy-configs")).unwrap();
    for file in fs::read_dir(real.join("envoy-configs")).unwrap().flatten().filter(|f| f.path().is_file()) {
        fs::copy(file.path(), copy.path().join("envoy-configs").join(file.file_name())).unwrap();
    }
    copy
}

#[test]
fn the_demo_says_which_promise_is_broken() {
    let copy = workspace();
    let sidecar = copy.path().join("envoy-configs/sidecar-bobbys-front-end.yaml");
    let policy = fs::read_to_string(&sidecar).unwrap();
    assert!(policy.contains("\"weight\": 10,"));
    fs::write(&sidecar, policy.replace("\"weight\": 10,", "\"weight\": 20,")).unwrap();
    let output = mesh("demo", copy.path());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let broken: Vec<&str> = said.lines().filter(|line| line.contains('✗')).collect();
    let [whom, failed] = &broken[..] else { panic!("{said}") };
    assert!(whom.contains("bucket is below 100000"), "{said}");
    // Of the users that should not be there, some meet the failures of a later chapter.
    assert!(failed.contains("only its own users met a failure"), "{said}");
}

#[test]
fn a_mesh_left_running_answers_as_printed_and_leaves_nothing() {
    let copy = workspace();
    let up = mesh("up", copy.path());
    let invitation = String::from_utf8_lossy(&up.stdout).into_owned();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let lines: Vec<&str> =
        invitation.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 9, "{invitation}");
    let expected = [
        r#""version":"v1""#,
        r#""version":"v2""#,
        r#""version":"v1""#,
        r#""called":"#,
        "x-narrows-explain:",
        r#""app":"outside""#,
        "egress-policy rule default",
        r#""app":"managed-authproxy""#,
        "requests_total{",
    ];
    for (line, expected) in lines.into_iter().zip(expected) {
        let output = Command::new("bash").args(["-c", line]).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).replace(": \"", ":\"").replace(": {", ":{");
        assert!(answer.contains(expected), "{line}\nanswered {answer}");
    }
    // A second one is told of the first, which goes on.
    assert_eq!(mesh("up", copy.path()).status.code(), Some(2));

    let children = children_in(copy.path());
    assert!(!children.is_empty());
    assert!(mesh("down", copy.path()).status.success());
    assert_eq!(children_in(copy.path()), Vec::<u32>::new());
    for id in children {
        assert!(!alive(id), "process {id} is left");
    }
    assert!(mesh("down", copy.path()).status.success(), "down twice is no fault");
}

/// The processes that the running mesh of a workspace has started.
fn children_in(root: &Path) -> Vec<u32> {
    let Ok(state) = fs::read_to_string(root.join("target/mesh/ready.json")) else { return Vec::new() };
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let mut found = vec![u32::try_from(state["id"].as_u64().unwrap()).unwrap()];
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        for task in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(text.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    found
}

/// Whether a process runs; one that only waits to be counted out does not.
fn alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
