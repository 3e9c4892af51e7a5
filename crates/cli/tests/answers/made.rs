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

#[test]
fn templates_lose_no_server_and_no_document() {
    let here = directory("described");
    let api = "openapi: 3.0.0
servers: [ { url: 'https://api.example/v1' }, { url: 'https://api2.example/v2' } ]
paths: { /books: { get: {} }, /idle: {} }\n";
    fs::write(here.join("api.yaml"), api).unwrap();
    let (code, output, errors) = narrows(&here, &["templates", "api.yaml", "--as", "egress"]);
    assert_eq!((code, &*errors), (Some(0), ""));
    assert!(output.starts_with("# /v1/idle has no operation and is left out\n"), "{output}");
    fs::write(here.join("policy.yaml"), output).unwrap();
    let decided = |url: &str| narrows(&here, &["simulate", "policy.yaml", "--get", url]).1;
    for url in ["https://api.example/v1/books", "https://api2.example/v2/books"] {
        assert!(!decided(url).contains("reply 403"), "{url}: {}", decided(url));
    }
    for url in ["https://api.example/v2/books", "https://api.example/v1/idle"] {
        assert!(decided(url).contains("reply 403"), "{url}: {}", decided(url));
    }
    fs::write(here.join("two.yaml"), format!("{api}---\n{api}")).unwrap();
    let (code, output, errors) = narrows(&here, &["templates", "two.yaml"]);
    assert_eq!((code, &*output), (Some(2), ""));
    assert!(errors.starts_with("error: the file has 2 documents"), "{errors}");
    fs::write(here.join("api.yaml"), api.replace("{ get: {} }", "{ $ref: ./books.yaml }")).unwrap();
    let (code, _, errors) = narrows(&here, &["templates", "api.yaml", "--as", "egress"]);
    assert!(code == Some(2) && errors.contains("\"./books.yaml\", at line 3, column 26"), "{errors}");
}

#[test]
fn templates_say_what_to_take_out() {
    let here = directory("described-wrongly");
    let many: String = (0..2100).map(|n| format!("  /p{n}: {{ get: {{}} }}\n")).collect();
    let divided = "divide the description into several, and make a policy of each";
    for (rest, of, told) in [
        (&*format!("paths:\n{many}"), "tags", divided),
        ("paths: { '/a?c': { get: {} } }\n", "tags", "take that path out of the description"),
        ("paths: { '/a?c': { get: {} } }\n", "routing", "take that path out of the description"),
        ("paths: { '/a?c': { get: {} } }\n", "egress", "take that path out of the description"),
        (
            "paths: { /a: { additionalOperations: { 'b d': {} } } }\n",
            "egress",
            "take that operation out of the description",
        ),
        (
            "servers: [ { url: 'https://a_b..c' } ]\npaths: { /a: { get: {} } }\n",
            "egress",
            "correct the servers of the description",
        ),
    ] {
        fs::write(here.join("api.yaml"), format!("openapi: 3.2.0\n{rest}")).unwrap();
        let (code, _, errors) = narrows(&here, &["templates", "api.yaml", "--as", of]);
        assert!(code == Some(2) && errors.ends_with(&format!("help: {told}\n")), "{of}: {errors}");
    }
}
