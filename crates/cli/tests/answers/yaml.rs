//! Files that are not YAML: what is said of them is in the words of who wrote them.

use std::fs;

use super::{directory, narrows};

/// A text; where it breaks; what is said, and what to do.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    (
        "filter: header-router\nrules:\n\t- name: a\n",
        "3:1",
        "there is a tab where blanks belong",
        "indent with blanks",
    ),
    ("rules:\n- name: \"a\n", "2:9", "a quote is not closed", "close it"),
    ("rules:\n- name: 'it's'\n", "2:13", "more stands behind a closing quote", "write '' for a '"),
    ("rules:\n- name: \"a\" b\n", "2:13", "more stands behind a closing quote", "write \\\" for a \""),
    ("rules: [{ name: a }\n", "1:8", "the bracket [ is not closed", "close it"),
    ("rules: [{ name: a ]\n", "1:9", "the bracket { is closed by another one", "close each with its own"),
    ("rules: ]\n", "1:8", "a bracket is closed that is not open", "take it away"),
    ("rules: [{ name: a b: c }]\n", "1:20", "a \",\" or \"}\" is missing", "in quotes"),
    ("rules:\n  - name: a\n route: b\n", "3:2", "no field can begin here", "equally far"),
    ("filter: header-router\n  rules: []\n", "2:8", "a \":\" stands where no field can begin", "put a text"),
    ("rules:\n- name: a\n  route: {to: b}\n matches: []\n", "4:2", "no field can begin here", "equally far"),
    ("hosts: [*.example.com]\n", "1:9", "no anchor stands before this alias", "begins with \"*\""),
    ("hosts: *shop\n", "1:8", "no anchor stands before this alias", "in quotes"),
    ("hosts: [* ]\n", "1:9", "a name is missing behind a \"*\"", "in quotes"),
    ("name: @shop\n", "1:7", "no text can begin with @", "put it in quotes"),
    ("name: %REQ(x)%\n", "1:7", "no text can begin with %", "put it in quotes"),
    ("path: { regex: \"\\d+\" }\n", "1:16", "the letter behind a \\ means nothing", "double the \\"),
    ("name: \"\\u12\"\n", "1:7", "an escape within \"…\" is no character", "double the \\"),
    ("name: !a!b c\n", "1:7", "a tag of YAML is not read here", "begins with \"!\""),
    ("name: a\n... b\n", "2:5", "more stands behind the end of the document", "by a line \"---\""),
    ("name: |a\n  b\n", "1:7", "the text behind a \"|\" or \">\"", "begin it there"),
    ("name: \"a\n---\nb\"\n", "1:7", "a line of \"---\" or \"...\" is within quotes", "indent the line"),
    ("- a\nname: b\n", "2:1", "an element of the list is expected here", "begin each with \"- \""),
    ("name: - a\n", "1:7", "no list can begin here", "on the line below"),
    ("key\nname: b\n", "2:5", "a \":\" stands where no field can begin", "indent the field"),
    ("%YAML\nname: a\n", "1:1", "a line that begins with \"%\"", "in quotes"),
    ("a: &a [*a]\n", "1:8", "an alias stands for a value that it is part of", "write the value itself"),
    ("<<: 1\na: b\n", "1:5", "\"<<\" takes the fields of a table", "an alias of a table"),
];

/// Words of the libraries, which nobody who writes a policy has to know.
const LIBRARIES: [&str; 14] = [
    "scanning",
    "parsing",
    "flow",
    "sequence",
    "mapping",
    "scalar",
    "indicator",
    "budget",
    "EOF",
    "simple key",
    "context",
    "serde",
    "Options",
    "event",
];

#[test]
fn a_fault_of_yaml_is_told_in_words() {
    let here = directory("yaml");
    let mut wrong = String::new();
    for (text, place, what, help) in BROKEN {
        fs::write(here.join("p.yaml"), text).unwrap();
        let (code, said, _) = narrows(&here, &["lint", "p.yaml", "--filter", "header-router"]);
        let is_told =
            said.contains(&format!("--> p.yaml:{place}\n")) && said.contains(what) && said.contains(help);
        let is_foreign = LIBRARIES.iter().any(|word| said.contains(word));
        if code != Some(1) || !is_told || is_foreign || !said.contains("error[NRW100]") {
            wrong.push_str(&format!("{text:?}: expected {place} {what:?} {help:?}\n{said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The same in case files and in requests, where values of a wrong type come too.
#[test]
fn a_fault_of_cases_and_requests_is_told_in_words() {
    let here = directory("yaml-cases");
    fs::write(here.join("r.yaml"), super::ROUTER).unwrap();
    let mut wrong = String::new();
    for (text, what, help) in [
        ("- targte: /\n", "unknown field \"targte\"", "did you mean \"target\"?"),
        ("- colour: red\n", "unknown field \"colour\"", "known here: method, scheme, target"),
        ("- target: [/]\n", "expected a string", ""),
        ("- target: 8080\n", "expected a string, found 8080", "put it in quotes"),
        (
            "- headers: 17\n",
            "expected a list of lines \"name: value\", or a table of names and values, found 17",
            "",
        ),
        ("- protocol: http3\n", "\"http3\" is not one of http1, http2", "did you mean"),
        ("- source: { verified: maybe }\n", "expected true or false", "write"),
        ("- repeat: 99999999999999999999\n", "no whole number within its bounds", ""),
        ("- repeat: '3'\n", "write the number without quotes", ""),
        ("- target: /\n  target: /a\n", "duplicate field \"target\"", "keep one of them"),
        ("- target: \"\\d\"\n", "the letter behind a \\ means nothing", "double the \\"),
        ("- target: *a\n", "no anchor stands before this alias", "in quotes"),
        ("target: /\n", "expected a list", ""),
        ("{\"target\": \"/\"}\n{\"target\": 1}\n", "expected a string, found 1", ""),
        ("{\"target\": \"/\"}\n{\"target\": \"/\"\n", "it ends too early", "write what is missing"),
        ("{\"target\": \"/\"}\n{\"targt\": \"/\"}\n", "unknown field \"targt\"", "did you mean \"target\"?"),
    ] {
        fs::write(here.join("q.yaml"), text).unwrap();
        let (code, _, said) = narrows(&here, &["simulate", "r.yaml", "--requests", "q.yaml"]);
        let is_foreign = LIBRARIES.iter().any(|word| said.contains(word)) || said.contains('`');
        if code != Some(2) || !said.contains(what) || !said.contains(help) || is_foreign {
            wrong.push_str(&format!("{text:?}: expected {what:?} {help:?}\n{said}\n"));
        }
    }
    for (text, what, help) in [
        ("cases: [{ name: a, expect: { stat: {} } }]\n", "unknown field \"stat\"", "did you mean \"state\"?"),
        ("cases: [{ expect: {} }]\n", "missing field \"name\"", "add it here"),
        ("cases: [{ name: a, answer: { status: 70000 } }]\n", "expected", ""),
        (
            "cases: [{ name: a, runners: [browser], because: x }]\n",
            "\"browser\" is not one of core, wasm, envoy",
            "",
        ),
        ("cases: {}\n", "expected a list", ""),
    ] {
        fs::write(here.join("c.yaml"), format!("policyFile: r.yaml\n{text}")).unwrap();
        let (code, _, said) = narrows(&here, &["test", "c.yaml"]);
        let is_foreign = LIBRARIES.iter().any(|word| said.contains(word)) || said.contains('`');
        if code != Some(2) || !said.contains(what) || !said.contains(help) || is_foreign {
            wrong.push_str(&format!("{text:?}: expected {what:?} {help:?}\n{said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
