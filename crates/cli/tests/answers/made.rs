//! Policies that `learn` and `templates` make load, and have all that they were given or say what is missing.

use std::fs;

use super::{directory, narrows};

#[test]
fn learn_says_what_a_policy_has_no_room_for() {
    let here = directory("learnt");
    let rules: Vec<String> =
        (0..300).map(|n| format!(r#"{{"to":{{"hosts":["10.1.{}.{}"]}}}}"#, n / 128, n % 128 * 2)).collect();
    let log = format!(
        "[2026-01-02 03:04:05.678][15][warning][wasm] [source/x.cc:1] wasm log eg: egress-policy: 300 unlisted destinations, \
         a policy that allows them: {{\"rules\":[{}]}}\n",
        rules.join(",")
    );
    fs::write(here.join("gateway.log"), log).unwrap();
    let (code, output, errors) = narrows(&here, &["learn", "gateway.log"]);
    let told =
        "44 private addresses are left out, because \"except\" takes no more than 256 addresses and blocks";
    assert_eq!((code, errors), (Some(0), format!("warning: {told}\n")));
    assert!(output.contains(&format!("# {told}.\n")), "{output}");
    fs::write(here.join("learnt.yaml"), output).unwrap();
    let (_, output, errors) = narrows(&here, &["lint", "learnt.yaml"]);
    assert!(output.starts_with("0 errors"), "{output}{errors}");
}
