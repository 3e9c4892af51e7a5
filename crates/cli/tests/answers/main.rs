//! What the command line says is what happens, or it says why it cannot tell.

mod cases;
mod chosen;
mod compared;
mod exits;
mod fix;
mod help;
mod in_place;
mod init;
mod inputs;
mod made;
mod meaning;
mod messages;
mod migrate;
mod nearly;
mod places;
mod render;
mod yaml;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// A directory of its own for a test.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers").join(name);
    _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The exit code, the output and the errors.
fn narrows(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let run =
        Command::new(env!("CARGO_BIN_EXE_narrows")).current_dir(directory).args(arguments).output().unwrap();
    (run.status.code(), String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap())
}

const ROUTER: &str = "filter: header-router\nrules: [{ name: a, route: { to: v1 } }]\n";

#[test]
fn half_an_output_is_no_success() {
    let here = directory("full");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    for arguments in [
        &["render", "r.yaml", "--as", "envoy-filter-block"][..],
        &["lint", "r.yaml"],
        &["explain"],
        &["schema", "header-router"],
        &["--help"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_narrows"))
            .current_dir(&here)
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        let errors = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: cannot write the output"), "{errors}");
    }
    // Whoever reads may stop.
    let mut run =
        Command::new(env!("CARGO_BIN_EXE_narrows")).arg("explain").stdout(Stdio::piped()).spawn().unwrap();
    drop(run.stdout.take());
    assert_eq!(run.wait().unwrap().code(), Some(0));
}

#[test]
fn what_a_filter_refuses_for_its_size_is_refused() {
    let here = directory("size");
    let path = "x".repeat(3_600);
    let rule = |i: usize| {
        format!(r#"{{"name":"r{i}","matches":[{{"path":{{"exact":"/{path}{i}"}}}}],"route":{{"to":"v"}}}}"#)
    };
    let rules = (0..2_000).map(rule).collect::<Vec<_>>().join(",\n");
    fs::write(here.join("big.json"), format!("{{\"filter\":\"header-router\",\"rules\":[{rules}]}}"))
        .unwrap();
    for arguments in [&["lint", "big.json"][..], &["render", "big.json", "--as", "stats-tags"]] {
        let (code, output, errors) = narrows(&here, arguments);
        // Only lint has findings; the others cannot do what they were told.
        assert_eq!(code, Some(if arguments[0] == "lint" { 1 } else { 2 }), "{output}{errors}");
        assert!(
            format!("{output}{errors}").contains("error[NRW106]: the policy has more than 4194304 bytes"),
            "{output}"
        );
    }
}

/// Spellings that are YAML and not JSON: a filter reads none of them.
const YAML: [&str; 12] = [
    r#"{"filter": "header-router", "rules": [],}"#,
    r#"{filter: "header-router", "rules": []}"#,
    r#"{"filter": 'header-router', "rules": []}"#,
    r#"{"filter": header-router, "rules": []}"#,
    "filter: header-router",
    "{\"filter\": \"header-router\", # no\n \"rules\": []}",
    "{\"filter\": \"header-router\", \"rules\": []}\n---\n{}",
    r#"{"filter": "header-router", "rules": [], "limits": 010}"#,
    r#"{"filter": "header-router", "rules": [], "limits": .5}"#,
    r#"{"filter": "header-router", "rules": [], "limits": +5}"#,
    r#"{"filter": "header-router", "rules": ~}"#,
    r#"{"filter": "header-router", "rules": [], "x": "\x41"}"#,
];

#[test]
fn a_file_of_json_is_json() {
    let here = directory("json");
    for text in YAML {
        fs::write(here.join("p.json"), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "p.json"]);
        assert_eq!(code, Some(1), "{text}: {output}");
        assert!(output.starts_with("error[NRW100]: this is not JSON"), "{text}: {output}");
    }
    // JSON that YAML reads otherwise has the meaning of JSON.
    let text = r#"{"filter": "canary-split", "splits": [{"name": "s", "salt": "\ud83d\ude00", "hosts": ["a"], "key": [{"header": "x"}],
        "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b\/c", "weight": 1e1}]}]}"#;
    fs::write(here.join("p.json"), text).unwrap();
    let (code, output, _) = narrows(&here, &["render", "p.json", "--as", "envoy-filter-block"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(
        output.contains("\"to\": \"b/c\", \"weight\": 10") && output.contains("\"salt\": \"😀\""),
        "{output}"
    );
}

#[test]
fn numbers_that_readers_disagree_on_are_refused() {
    let here = directory("numbers");
    let policy = |weight: &str| {
        format!(
            "filter: canary-split\nsplits:\n- name: s\n  hosts: [a]\n  key: [{{ header: x }}]\n  backends:\n  \
             - {{ name: a, baseline: true }}\n  - {{ name: b, to: b, weight: {weight} }}\n"
        )
    };
    for weight in ["010", "08", "0o10", "0b11", "1_0", "1e1", "0:10"] {
        fs::write(here.join("p.yaml"), policy(weight)).unwrap();
        for arguments in [
            &["lint", "p.yaml"][..],
            &["render", "p.yaml", "--as", "stats-tags"],
            &["diff", "p.yaml", "p.yaml"],
        ] {
            let (code, output, errors) = narrows(&here, arguments);
            let refused = if arguments[0] == "lint" { 1 } else { 2 };
            assert_eq!(code, Some(refused), "{weight} {arguments:?}: {output}{errors}");
            assert!(format!("{output}{errors}").contains("error[NRW630]"), "{weight}: {output}{errors}");
        }
    }
    for weight in ["10", "0xa", "10.0"] {
        fs::write(here.join("p.yaml"), policy(weight)).unwrap();
        assert_eq!(narrows(&here, &["lint", "p.yaml"]).0, Some(0), "{weight}");
    }
    // Two backends of one name would be read from this: a text is a text.
    fs::write(here.join("p.yaml"), policy("10").replace("name: a,", "name: \"010\",")).unwrap();
    assert_eq!(narrows(&here, &["lint", "p.yaml"]).0, Some(0));
}

#[test]
fn one_bad_file_ends_no_run() {
    let here = directory("run");
    fs::write(here.join("latin.yaml"), b"filter: header-router\n# caf\xe9\nrules: []\n").unwrap();
    fs::write(here.join("bad.yaml"), "filter: header-router\nruls: []\n").unwrap();
    let (code, output, errors) = narrows(&here, &["lint", "latin.yaml", "missing.yaml", "bad.yaml"]);
    assert_eq!(code, Some(2));
    assert!(output.contains("--> latin.yaml:2:6") && output.contains("error[NRW101]"), "{output}");
    assert!(errors.contains("cannot read \"missing.yaml\""), "{errors}");
    let (code, _, errors) = narrows(&here, &["render", "latin.yaml", "--as", "stats-tags"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("it is not UTF-8 at line 2, column 6"), "{errors}");
}

/// Files of other programs, and templates.
const FOREIGN: [(&str, &str); 14] = [
    ("values.yaml", "replicaCount: 1\nimage: { tag: x }\nmetrics: { enabled: true }\nlabels: {}\n"),
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n"),
    ("workflow.yaml", "name: ci\non: [push]\njobs: { build: { runs-on: ubuntu, steps: [] } }\n"),
    (".golangci.yml", "linters: { enable: [errcheck] }\nrun: { timeout: 5m }\n"),
    ("patch.yaml", "- op: replace\n  path: /spec/replicas\n  value: 3\n"),
    ("docker-compose.yaml", "services: { a: { image: b, ports: [\"80:80\"] } }\n"),
    ("alerts.yaml", "groups:\n- name: a\n  rules: [{ alert: x, expr: up == 0 }]\n"),
    ("template.yaml", "spec: {{ .Values.spec | toYaml }}\n{{- if .x }}\n"),
    ("tsconfig.json", "{ \"a\": 1, // why\n }\n"),
    (
        "mesh.yaml",
        "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualService\nmetadata: { name: a }\nspec: { awsName: x }\n",
    ),
    (
        "gloo.yaml",
        "apiVersion: gateway.solo.io/v1\nkind: Gateway\nmetadata: { name: a }\nspec: { bindAddress: x }\n",
    ),
    (
        "knative.yaml",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: a }\nspec: { template: {} }\n",
    ),
    ("role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: a }\nrules: []\n"),
    (
        "mysql.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: { name: db }\nspec: { ports: [{ port: 3306 }] }\n",
    ),
];

#[test]
fn what_is_not_ours_is_passed_over() {
    let here = directory("foreign");
    for (name, text) in FOREIGN {
        fs::write(here.join(name), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", name]);
        assert_eq!(code, Some(0), "{name}: {output}");
    }
    // What looks like a policy and does not say which filter it is for is still a fault.
    for text in ["splits: []\ntrust: mesh\n", "rules: []\nroutHeader: x-a\ntrust: edge\n"] {
        fs::write(here.join("policy.yaml"), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "policy.yaml"]);
        assert_eq!(code, Some(1), "{text}: {output}");
        assert!(output.contains("NRW600"), "{output}");
    }
    // So is one whose field "filter" or filter is misspelt; the name of a chart is no filter.
    for (text, help) in [
        ("filtr: header-router\nrules: []\n", "did you mean \"filter\"?"),
        ("filter: header-routr\nrules: []\n", "did you mean \"header-router\"?"),
    ] {
        fs::write(here.join("policy.yaml"), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "policy.yaml"]);
        assert!(code == Some(1) && output.contains(help), "{text}: {output}");
    }
    fs::write(here.join("Chart.yaml"), "name: header-router\nversion: 1\n").unwrap();
    assert_eq!(narrows(&here, &["lint", "Chart.yaml"]).0, Some(0));
    // A file that is named for a filter is a policy, whatever it looks like.
    let (code, output, _) = narrows(&here, &["lint", "values.yaml", "--filter", "header-router"]);
    assert!(code == Some(1) && output.contains("NRW101"), "{output}");
}

#[test]
fn advice_can_be_followed() {
    let here = directory("advice");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::write(here.join("two.yaml"), format!("{ROUTER}---\n{}", ROUTER.replace("v1", "v2"))).unwrap();
    let (_, _, errors) = narrows(&here, &["render", "two.yaml", "--as", "envoy-filter-block"]);
    assert!(errors.contains("choose one: two.yaml#1, two.yaml#2"), "{errors}");
    let (code, output, _) = narrows(&here, &["render", "two.yaml#2", "--as", "envoy-filter-block"]);
    assert!(code == Some(0) && output.contains("v2") && !output.contains("v1"), "{output}");
    for arguments in [
        &["lint", "--quiet", "x"][..],
        &["render", "r.yaml", "-x"],
        &["render", "r.yaml", "--as", "stats-tags", "--wide"],
    ] {
        let (code, _, errors) = narrows(&here, arguments);
        assert_eq!(code, Some(2));
        assert!(!errors.contains("-- -") && errors.contains("= help: "), "{errors}");
    }
}

#[test]
fn faults_are_counted() {
    let here = directory("faults");
    for (wrong, listed) in [(100, 100), (5_000, 1_000)] {
        let rules: String =
            (0..wrong).map(|i| format!("  - {{ name: r{i}, rout: {{ to: a }} }}\n")).collect();
        fs::write(here.join("p.yaml"), format!("filter: header-router\nrules:\n{rules}")).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "p.yaml"]);
        assert_eq!(code, Some(1));
        let last = output.lines().last().unwrap();
        let count: usize = last.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(count, listed, "{last}");
        assert_eq!(output.contains("more faults may follow"), listed < wrong, "{last}");
    }
}

/// Cases of JSON, and a number in quotes.
#[test]
fn cases_may_be_json_and_their_numbers_are_numbers() {
    let here = directory("json-cases");
    let file = |status: &str| {
        format!(
            r#"{{ "policy": {{ "filter": "header-router", "rules": [{{ "name": "a", "respond": {{ "status": 404 }} }}] }},
                "cases": [{{ "name": "one", "expect": {{ "reply": {{ "status": {status} }} }} }}] }}"#
        )
    };
    fs::write(here.join("a.json"), file("404")).unwrap();
    let (code, output, errors) = narrows(&here, &["test", "a.json"]);
    assert!(code == Some(0) && output.contains("1 passed"), "{output}{errors}");
    fs::write(here.join("a.json"), file("\"404\"")).unwrap();
    let (code, _, errors) = narrows(&here, &["test", "a.json"]);
    assert!(code == Some(2) && errors.contains("without quotes"), "{errors}");
    fs::write(here.join("r.yaml"), ROUTER).unwrap();
    fs::write(here.join("q.yaml"), "- repeat: '3'\n").unwrap();
    let (code, _, errors) = narrows(&here, &["simulate", "r.yaml", "--requests", "q.yaml"]);
    assert!(code == Some(2) && errors.contains("without quotes"), "{errors}");
}

/// A file is replaced as a whole, with its permissions; and nothing is left beside it.
#[test]
fn a_file_is_written_whole() {
    use std::os::unix::fs::PermissionsExt;
    let here = directory("whole");
    let policy = "filter: canary-split\nsplits: [{ name: s, key: [{ header: x }], backends: \
                  [{ name: a, baseline: true }, { name: b, to: b, weight: 1 }] }]\n";
    fs::write(here.join("p.yaml"), policy).unwrap();
    fs::set_permissions(here.join("p.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("p.yaml", here.join("link.yaml")).unwrap();
    let (code, _, errors) = narrows(&here, &["set-weight", "link.yaml", "--backend", "b", "2"]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(fs::read_to_string(here.join("p.yaml")).unwrap(), policy.replace("weight: 1", "weight: 2"));
    assert_eq!(fs::metadata(here.join("p.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(here.join("link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_dir(&here).unwrap().count(), 2, "something is left beside the file");
}
