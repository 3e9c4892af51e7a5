//! Case files: where they are found, and where their faults are.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

const POLICY: &str = "filter: header-router\nrules: [{ name: a, route: { to: v1 } }]\n";
const CASES: &str = "about: one rule\npolicyFile: policy.yaml\ncases:\n  - name: first\n    expect: { upstream: { headers: { x-narrows-route: v1 } } }\n  \
    - name: second\n    send: { target: /a }\n    expect: { upstream: { headers: { x-narrows-route: v1 } } }\n";

#[test]
fn the_cases_that_migrate_writes_are_found_beside_the_policy() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let here = directory("cases-beside");
    let old = fixtures.join("reviews-vs.yaml");
    let (code, _, errors) = narrows(
        &here,
        &[
            "migrate",
            old.to_str().unwrap(),
            "--out",
            "policy.yaml",
            "--cases",
            "cases.yaml",
            "--allow-differences",
        ],
    );
    assert_eq!(code, Some(0), "{errors}");
    // What is broken beside it, and names it not, is not looked at.
    fs::write(here.join("other.yaml"), "cases: [{\npolicyFile: another").unwrap();
    let (code, output, errors) = narrows(&here, &["test", "policy.yaml"]);
    assert!(code == Some(0) && output.contains("3 passed, 0 failed"), "{output}{errors}");
}

#[test]
fn where_there_is_no_case_that_is_said() {
    let here = directory("cases-none");
    fs::create_dir_all(here.join("empty")).unwrap();
    fs::create_dir_all(here.join("alone")).unwrap();
    fs::write(here.join("alone/policy.yaml"), POLICY).unwrap();
    fs::write(here.join("policy.yaml"), POLICY).unwrap();
    fs::write(here.join("cases.yaml"), CASES).unwrap();
    fs::write(here.join("notes.yaml"), "a: 1\n").unwrap();
    for (arguments, told) in [
        (&["empty"][..], "no file below \"empty\" has \"cases\""),
        (&["notes.yaml"], "\"notes.yaml\" is no case file"),
        (
            &["alone/policy.yaml"],
            "in the folder \"cases\" beside it, or in a file beside it, names it (\"policyFile: policy.yaml\")",
        ),
        (&["cases.yaml", "-k", "nothing"], "no case has \"nothing\" in its name"),
    ] {
        let (code, _, errors) = narrows(&here, &[&["test"], arguments].concat());
        assert!(code == Some(2) && errors.contains(told), "{arguments:?}: {errors}");
    }
    let (_, _, errors) = narrows(&here, &["test", "cases.yaml", "-k", "nothing"]);
    assert!(errors.contains("leave out -k to run all 2"), "{errors}");
    let (code, _, errors) = narrows(&here, &["test", "cases.yaml", "notes.yaml"]);
    assert!(code == Some(0) && errors.starts_with("note: \"notes.yaml\" is no case file"), "{errors}");
}

#[test]
fn a_fault_in_a_case_has_its_line() {
    let here = directory("cases-line");
    fs::write(here.join("policy.yaml"), POLICY).unwrap();
    for (old, new, fault, place) in [
        ("target: /a", "target: ok", "case \"second\": \"ok\" is no target", "c.yaml:6:5"),
        ("name: second", "name: first", "two cases are called \"first\"", "c.yaml:6:5"),
        ("/a }\n    expect", "/a }\n    answer", "unknown field \"upstream\"", "c.yaml:8:15"),
        (
            "first\n    expect: { upstream: { headers: { x-narrows-route: v1 } } }",
            "first",
            "case \"first\" expects nothing",
            "c.yaml:4:5",
        ),
        ("policyFile: policy.yaml", "policyFile: nope.yaml", "there is no file \"nope.yaml\"", "c.yaml:2:13"),
    ] {
        assert!(CASES.contains(old), "{old}");
        fs::write(here.join("c.yaml"), CASES.replacen(old, new, 1)).unwrap();
        let (code, _, errors) = narrows(&here, &["test", "c.yaml"]);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(fault) && errors.contains(&format!(" --> {place}\n")), "{place}: {errors}");
        assert!(!errors.contains("docs/"), "an installed program has no documents: {errors}");
    }
}

/// A list in brackets is read whole: as many values as of a policy, and no more.
#[test]
fn a_list_in_brackets_has_two_million_values() {
    let here = directory("cases-large");
    fs::write(here.join("policy.yaml"), POLICY).unwrap();
    let simulate = |text: &str| {
        fs::write(here.join("r.json"), text).unwrap();
        narrows(&here, &["simulate", "policy.yaml", "--requests", "r.json", "--shares"])
    };
    // A request of a dozen values: more of them than the library takes by itself.
    let request =
        r#"{"method":"GET","scheme":"http","target":"/a","authority":"b","headers":["a: b","c: d"]}"#;
    let (code, output, errors) = simulate(&format!("[{}]", vec![request; 25_000].join(",\n")));
    assert!(code == Some(0) && output.contains("25000 of 25000"), "{output}{errors}");
    let headers = vec!["\"a: b\""; 2_000_000].join(",\n");
    let (code, _, errors) = simulate(&format!("[{{\"headers\":[{headers}]}}]"));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("it has more than the 2,000,000 values that are read"), "{errors}");
    assert!(
        errors.contains("= help: write one request of JSON on each line, or each with \"- \""),
        "{errors}"
    );
}
