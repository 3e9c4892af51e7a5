//! What cannot be read, and what becomes of the rest.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ROUTER;

/// Nobody: the root user may read every folder.
const NOBODY: u32 = 65534;

/// A folder that nobody may enter, with the program in it.
fn place() -> (PathBuf, PathBuf) {
    let here = std::env::temp_dir().join(format!("narrows-exits-{}", std::process::id()));
    _ = fs::remove_dir_all(&here);
    fs::create_dir_all(here.join("closed")).unwrap();
    fs::create_dir_all(here.join("cases")).unwrap();
    let program = here.join("narrows");
    fs::copy(env!("CARGO_BIN_EXE_narrows"), &program).unwrap();
    (here, program)
}

fn run(program: &Path, here: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    command.current_dir(here).args(arguments);
    if fs::read_dir(here.join("closed")).is_ok() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let run = command.output().unwrap();
    (run.status.code(), String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap())
}

#[test]
fn a_folder_that_cannot_be_read_is_told() {
    let (here, program) = place();
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::write(here.join("bad.yaml"), "filter: header-router\nruls: []\n").unwrap();
    fs::write(here.join("closed/r.yaml"), ROUTER).unwrap();
    fs::write(here.join("secret.yaml"), ROUTER).unwrap();
    let case = "policyFile: ../r.yaml\ncases: [{ name: a, expect: { upstream: { headers: { x-narrows-route: v1 } } } }]\n";
    fs::write(here.join("cases/r.yaml"), case).unwrap();
    for closed in ["closed", "secret.yaml"] {
        fs::set_permissions(here.join(closed), fs::Permissions::from_mode(0o0)).unwrap();
    }
    fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).unwrap();
    // Lint goes on, and says that it has not seen everything.
    let (code, said) = run(&program, &here, &["lint", "."]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("NRW101") && said.contains("Permission denied"), "{said}");
    assert!(said.contains("closed") && said.contains("secret.yaml"), "{said}");
    // A test that was not run may have failed.
    let (code, said) = run(&program, &here, &["test", "."]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("Permission denied") && !said.contains("passed"), "{said}");
    let (code, said) = run(&program, &here, &["test", "cases"]);
    assert!(code == Some(0) && said.contains("1 passed"), "{said}");
    // What cannot be written stays as it is.
    fs::set_permissions(&here, fs::Permissions::from_mode(0o555)).unwrap();
    for arguments in [
        &["init", "canary-split"][..],
        &["lint", "bad.yaml", "--fix"],
        &["migrate", "vs.yaml", "--out", "p.yaml"],
    ] {
        fs::write(here.join("cases/vs.yaml"), "").unwrap();
        let (code, said) = run(&program, &here, arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains("= help: "), "{arguments:?}: {said}");
    }
    for closed in ["closed", "secret.yaml", ""] {
        fs::set_permissions(here.join(closed), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::remove_dir_all(&here).unwrap();
}
