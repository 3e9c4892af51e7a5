//! What a message says: the place, and what to do.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

const KEYLESS: &str = "filter: canary-split\nsplits:\n- name: s\n  hosts: [a.example.com]\n  onMissingKey: random\n  backends:\n  \
    - { name: one, baseline: true }\n  - { name: two, to: two, weight: 10 }\n";
const ROUTES: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\nspec:\n  \
    hosts: [a.example.com]\n  http: [{ route: [{ destination: { host: a } }] }]\n";

#[test]
fn a_tab_is_where_it_stands() {
    let here = directory("messages-tab");
    for (text, place) in [
        ("filter: header-router\nrules:\n  - name: a\n\troute: { to: v1 }\n", "p.yaml:4:1"),
        ("filter: header-router\nrules:\n  - name: a\n    matches:\n\t- headers: {}\n", "p.yaml:5:1"),
    ] {
        fs::write(here.join("p.yaml"), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "p.yaml"]);
        assert_eq!(code, Some(1));
        assert!(output.contains("there is a tab") && output.contains(&format!(" --> {place}\n")), "{output}");
        assert!(output.contains(" a tab\n"), "the tab is shown: {output}");
    }
}

#[test]
fn a_list_and_a_missing_value_are_shown() {
    let here = directory("messages-values");
    let rule = |matched: &str| {
        format!(
            "filter: header-router\nrules:\n- name: a\n  matches: [{{ {matched} }}]\n  route: {{ to: v }}\n"
        )
    };
    for (matched, told, help) in [
        (
            "hosts: shop.example.com",
            "expected a list, found a string",
            "write a list, such as [\"shop.example.com\"]",
        ),
        ("headers: { x-a: { exact: } }", "\"exact\" has no value", "write one, or take the field out"),
        ("headers: { x-a: {} }", "expected exactly one of \"exact\"", "add the one that you mean"),
    ] {
        fs::write(here.join("p.yaml"), rule(matched)).unwrap();
        let (_, output, _) = narrows(&here, &["lint", "p.yaml"]);
        assert!(output.contains(told) && output.contains(&format!("= help: {help}\n")), "{output}");
    }
}

#[test]
fn a_weight_is_a_part_of_its_split() {
    let here = directory("messages-weight");
    let file = here.join("p.yaml");
    fs::write(&file, KEYLESS).unwrap();
    let set = |weight: &str| narrows(&here, &["set-weight", "p.yaml", "--backend", "two", weight]);
    for weight in ["-5", "ten", "2.5%", "99999999999999999999", "101"] {
        let (code, _, errors) = set(weight);
        assert_eq!(code, Some(2));
        assert!(
            errors.contains(&format!("error: the weight {weight:?} is no whole number from 0 to 100")),
            "{errors}"
        );
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), KEYLESS);
    let (code, output, _) = set("20");
    assert_eq!(code, Some(0));
    assert!(output.ends_with("written to p.yaml: split \"s\", backend \"two\": 10 -> 20\n"), "{output}");
    // Nobody has a side: no user is sent back.
    let (code, output, _) = set("5");
    assert_eq!(code, Some(0));
    assert!(
        output.contains("without a key each request is drawn by itself") && !output.contains("sent back"),
        "{output}"
    );
    fs::write(
        &file,
        KEYLESS.replace("onMissingKey: random", "weightTotal: 1000\n  key: [{ header: x-user }]"),
    )
    .unwrap();
    assert!(set("1001").2.contains("no whole number from 0 to 1000"));
    let (code, output, _) = set("5");
    assert!(code == Some(1) && output.contains("sent back") && !output.contains("written to"), "{output}");
}

#[test]
fn a_difference_in_matches_names_the_option_that_tells_more() {
    let here = directory("messages-diff");
    let rule = |value: &str| {
        format!(
            "filter: header-router\nrules:\n- name: a\n  matches: [{{ headers: {{ x: {{ exact: {value} }} }} }}]\n  route: {{ to: v }}\n"
        )
    };
    fs::write(here.join("a.yaml"), rule("one")).unwrap();
    fs::write(here.join("b.yaml"), rule("two")).unwrap();
    fs::write(here.join("r.yaml"), "- target: /\n  headers: [\"x: two\"]\n").unwrap();
    let told = "--requests FILE shows which requests are decided otherwise\n";
    assert!(narrows(&here, &["diff", "a.yaml", "b.yaml"]).1.ends_with(told));
    for arguments in
        [&["diff", "a.yaml", "b.yaml", "--requests", "r.yaml"][..], &["diff", "a.yaml", "a.yaml"]]
    {
        let (_, output, _) = narrows(&here, arguments);
        assert!(!output.contains(told), "{output}");
    }
}

#[test]
fn what_cannot_be_rendered_is_a_mistake_of_the_command_line() {
    let here = directory("messages-render");
    fs::write(here.join("p.yaml"), KEYLESS).unwrap();
    for (option, value, told) in [
        ("--port", "99999", "write a number from 1 to 65535"),
        ("--port", "0", "write a number from 1 to 65535"),
        ("--sha256", "abc", "write 64 digits of 0-9 and a-f"),
        ("--digest", "abc", "write sha256: and 64 digits"),
        ("--namespace", "A B", "write lower-case letters, digits and \"-\""),
        ("--name", "", "write lower-case letters, digits and \"-\""),
    ] {
        let arguments =
            ["render", "p.yaml", "--as", "wasm-plugin", "--url", "oci://r.example/a:1", option, value];
        let (code, _, errors) = narrows(&here, &arguments);
        assert!(code == Some(2) && errors.contains(told), "{option} {value}: {errors}");
        assert!(!errors.contains("..="), "{errors}");
    }
}

#[test]
fn routes_are_for_migrate() {
    let here = directory("messages-routes");
    fs::write(here.join("v.yaml"), ROUTES).unwrap();
    for arguments in
        [&["set-weight", "v.yaml", "--backend", "a", "5"][..], &["render", "v.yaml", "--as", "wasm-plugin"]]
    {
        let (code, _, errors) = narrows(&here, arguments);
        assert!(
            code == Some(2) && errors.contains("narrows migrate v.yaml makes a policy of them"),
            "{errors}"
        );
    }
}

#[test]
fn what_a_file_of_requests_does_not_have_is_named() {
    let here = directory("messages-requests");
    fs::write(here.join("bin.yaml"), b"- target: /\xff\xfe\n").unwrap();
    let policy = "filter: header-router\nrules:\n- { name: a, matches: [{ headers: { x-Group: { exact: b } } }], route: { to: v } }\n";
    fs::write(here.join("p.yaml"), policy).unwrap();
    let (code, _, errors) = narrows(&here, &["simulate", "p.yaml", "--requests", "bin.yaml"]);
    assert!(
        code == Some(2) && errors.contains("it is not UTF-8") && errors.contains("write it as UTF-8"),
        "{errors}"
    );
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/access.log");
    let (_, _, errors) = narrows(&here, &["simulate", "p.yaml", "--requests", log.to_str().unwrap()]);
    assert!(
        errors.contains("note: the policy reads x-group, and no request of the log has it\n"),
        "{errors}"
    );
    fs::write(here.join("p.yaml"), policy.replace("x-Group", "user-agent")).unwrap();
    let (_, _, errors) = narrows(&here, &["simulate", "p.yaml", "--requests", log.to_str().unwrap()]);
    assert!(!errors.contains("the policy reads"), "{errors}");
}
