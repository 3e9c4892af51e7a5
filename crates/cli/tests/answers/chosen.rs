//! What is reported: by comments, options, folders and settings.

use std::fs;

use super::{directory, narrows};

/// Two warnings: NRW608 at `spec`, NRW615 at `spec` too, and NRW611.
const PLUGIN: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: a, namespace: shop }
spec:
  url: oci://registry.example/narrows/header-router:0.1.0
  verificationKey: k
  phase: AUTHZ
  priority: 200
  pluginConfig: { trust: mesh }
";

fn codes(output: &str) -> Vec<String> {
    let ids =
        output.lines().filter_map(|line| line.split_once('[').filter(|(level, _)| !level.contains(' ')));
    ids.filter_map(|(_, rest)| Some(rest.split_once(']')?.0.to_owned())).collect()
}

#[test]
fn a_comment_accepts_what_it_names_and_says_why() {
    let here = directory("comments");
    for (from, to, expected) in [
        ("", "", &["NRW608", "NRW611"][..]),
        ("spec:\n", "spec: # narrows: ignore NRW608 we are new\n", &["NRW611"]),
        ("spec:\n", "# narrows: ignore NRW608 we are new\n# more\n\nspec:\n", &["NRW611"]),
        ("spec:\n", "# narrows: ignore NRW608, NRW611 we are new\nspec:\n", &["NRW611"]),
        ("apiVersion", "# narrows: ignore-file NRW608,NRW611 we are new\napiVersion", &[]),
        ("spec:\n", "spec: # narrows: ignore NRW608\n", &["NRW608", "NRW631", "NRW611"]),
        ("spec:\n", "spec: # narrows: ignore NRW999 we are new\n", &["NRW608", "NRW631", "NRW611"]),
        ("spec:\n", "spec: # narrows: ignore because I say so\n", &["NRW608", "NRW631", "NRW611"]),
        ("spec:\n", "spec: # narrows: ignore NRW614 we are new\n", &["NRW608", "NRW631", "NRW611"]),
        (
            "kind: WasmPlugin",
            "kind: WasmPlugin # narrows: ignore NRW608 not here",
            &["NRW631", "NRW608", "NRW611"],
        ),
        // No comment.
        (
            "trust: mesh",
            "trust: mesh, filterState: \"# narrows: ignore NRW608 x\"",
            &["NRW608", "NRW611", "NRW102"],
        ),
    ] {
        fs::write(here.join("p.yaml"), PLUGIN.replacen(from, to, 1)).unwrap();
        let (code, output, errors) = narrows(&here, &["lint", "p.yaml"]);
        let found = codes(&output);
        if to.contains("filterState") {
            assert!(found.contains(&"NRW608".to_owned()) && !output.contains("accepted by"), "{output}");
            continue;
        }
        assert_eq!(found, expected, "{to}: {output}{errors}");
        assert_eq!(code, Some(i32::from(!expected.is_empty())), "{to}");
    }
}

#[test]
fn options_choose_codes() {
    let here = directory("options");
    fs::write(here.join("p.yaml"), PLUGIN).unwrap();
    for (options, expected, code) in [
        (&[][..], &["NRW608", "NRW611"][..], 1),
        (&["--ignore", "NRW608"], &["NRW611"], 1),
        (&["--ignore", "NRW608,NRW611"], &[], 0),
        (&["--ignore", "NRW6"], &[], 0),
        (&["--select", "NRW611"], &["NRW611"], 1),
        (&["--select", "NRW6", "--ignore", "NRW61"], &["NRW608"], 1),
        (&["--max-warnings", "2"], &["NRW608", "NRW611"], 0),
        (&["--max-warnings", "1"], &["NRW608", "NRW611"], 1),
    ] {
        let (exit, output, errors) = narrows(&here, &[&["lint", "p.yaml"], options].concat());
        assert_eq!(
            (codes(&output), exit),
            (expected.iter().map(|c| (*c).to_owned()).collect(), Some(code)),
            "{options:?}{errors}"
        );
    }
    let (code, _, errors) = narrows(&here, &["lint", "p.yaml", "--ignore", "nrw608"]);
    assert!(code == Some(2) && errors.contains("no code begins with \"nrw608\""), "{errors}");
    // An error is not a warning.
    fs::write(here.join("bad.yaml"), "filter: header-router\nruls: []\n").unwrap();
    assert_eq!(narrows(&here, &["lint", "bad.yaml", "--max-warnings", "9"]).0, Some(1));
}

#[test]
fn folders_and_patterns_name_files() {
    let here = directory("folders");
    for (path, text) in [
        ("deploy/a.yaml", PLUGIN),
        ("deploy/b/c.yml", PLUGIN),
        ("deploy/b/d.json", "{\"filter\": \"header-router\", \"rules\": [],}"),
        ("deploy/notes.txt", PLUGIN),
        ("deploy/built/x.yaml", PLUGIN),
        ("deploy/.gitignore", "built/\n"),
        ("deploy/chart/templates/t.yaml", "spec: {{ .Values.x }}\n"),
    ] {
        fs::create_dir_all(here.join(path).parent().unwrap()).unwrap();
        fs::write(here.join(path), text).unwrap();
    }
    for (arguments, files) in [
        (&["deploy"][..], &["a.yaml", "b/c.yml", "b/d.json"][..]),
        (&["deploy", "deploy/a.yaml"], &["a.yaml", "b/c.yml", "b/d.json"]),
        (&["deploy/*.yaml"], &["a.yaml"]),
        (&["./deploy/**/*.y*ml"], &["a.yaml", "b/c.yml"]),
        (&["deploy", "--exclude", "deploy/b"], &["a.yaml"]),
        (&["deploy", "--exclude", "**/*.json"], &["a.yaml", "b/c.yml"]),
        (&["deploy/built/x.yaml"], &["built/x.yaml"]),
        (&["deploy/notes.txt"], &["notes.txt"]),
    ] {
        let (_, output, errors) = narrows(&here, &[&["lint", "--format", "json"], arguments].concat());
        let found: serde_json::Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("{errors}"));
        let mut found: Vec<_> =
            found["findings"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
        found.dedup();
        let files: Vec<_> = files.iter().map(|file| format!("deploy/{file}")).collect();
        assert_eq!(found, files, "{arguments:?}");
    }
    let (code, _, errors) = narrows(&here, &["lint", "deploy/*.toml"]);
    assert!(code == Some(2) && errors.contains("no file matches"), "{errors}");
}

#[test]
fn a_project_says_once_what_is_true_of_it() {
    let here = directory("settings");
    fs::create_dir_all(here.join("deploy")).unwrap();
    let gateway = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: a, namespace: edge }\n\
        spec:\n  selector: { matchLabels: { app: edge } }\n  match: [{ mode: SERVER }]\n  failStrategy: FAIL_RELOAD\n  \
        url: oci://registry.example/narrows/header-router:0.1.0\n  phase: AUTHZ\n  priority: 200\n  pluginConfig: { trust: mesh }\n";
    fs::write(here.join("deploy/gateway.yaml"), gateway).unwrap();
    fs::write(here.join("deploy/p.yaml"), PLUGIN).unwrap();
    // A file of settings above this folder would be read too.
    fs::create_dir_all(here.join(".git")).unwrap();
    let lint = |settings: &str| {
        fs::write(here.join("narrows.toml"), settings).unwrap();
        let (code, output, errors) = narrows(&here.join("deploy"), &["lint", "gateway.yaml", "p.yaml"]);
        (code, codes(&output), errors)
    };
    let known = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    assert_eq!(lint("").1, known(&["NRW608", "NRW611"]));
    let gateways = "[[gateways]]\nlabels = { app = \"edge\" }\nnamespace = \"edge\"\nports = [8080]\n";
    assert_eq!(lint(gateways).1, known(&["NRW607", "NRW608", "NRW611"]));
    assert_eq!(lint("istio = \"1.18\"").1, known(&["NRW601", "NRW611"]));
    assert_eq!(lint("[lint]\nignore = [\"NRW611\"]\nmax-warnings = 1").0, Some(0));
    let spared = "[[lint.per-file]]\nfiles = \"deploy/p.*\"\nignore = [\"NRW6\"]\nreason = \"old\"\n";
    assert_eq!(lint(spared).1, known(&[]));
    assert_eq!(lint("[lint]\nexclude = [\"deploy/p.yaml\"]").1, known(&[]));
    for (settings, fault) in [
        ("istoi = \"1.18\"", "istoi"),
        ("[lint]\nmax-warnings = -1", "line 2"),
        ("istio = \"2.0\"", "write istio = \"1.30\""),
        (&spared.replace("old", " "), "without a reason"),
        ("[lint]\nignore = [\"X\"]", "no code begins with \"X\""),
        ("[[gateways]]\n", "labels"),
    ] {
        let (code, _, errors) = lint(settings);
        assert!(code == Some(2) && errors.contains(fault), "{settings}: {errors}");
    }
}
