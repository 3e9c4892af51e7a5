//! Every committed bootstrap, alone: does Envoy take it as it is, does it come up, and
//! are its policies those of the examples?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use narrows_harness::bootstrap::{Endpoints, Rewrite, read_yaml};
use narrows_harness::certificates::Certificates;
use narrows_harness::envoy::{Envoy, EnvoyOptions, binary};
use narrows_harness::root;
use narrows_harness::temp::TempDir;
use serde_json::Value;

/// Which example each policy is of: its rules or splits are in the bootstrap, as they
/// are. What a mesh on a laptop adds to them may stand beside.
const OF_EXAMPLES: [(&str, &str, &str); 5] = [
    ("ingress-gateway.yaml", "header-router", "hello-helidon/policy.yaml"),
    ("sidecar-bobbys-front-end.yaml", "canary-split", "bobs-books/policy.yaml"),
    ("system-ingress.yaml", "header-router", "system-ingress/policy.yaml"),
    ("egress-gateway.yaml", "egress-policy", "multicluster/policy-admin.yaml"),
    ("managed-egress-gateway.yaml", "egress-policy", "multicluster/policy.yaml"),
];

#[test]
fn envoy_takes_each_as_it_is() -> anyhow::Result<()> {
    // As in the root of the project after `make filters certificates`.
    let directory = TempDir::new("bootstraps")?;
    let certificates = Certificates::make(&root())?;
    fs::create_dir(directory.path().join("target"))?;
    symlink(certificates.path(), directory.path().join("target/certificates"))?;
    for folder in ["dist", "envoy-configs"] {
        symlink(fs::canonicalize(root().join(folder))?, directory.path().join(folder))?;
    }
    for file in bootstraps() {
        let output = Command::new(binary()?)
            .args(["--mode", "validate", "--config-path"])
            .arg(Path::new("envoy-configs").join(file.file_name().unwrap()))
            .current_dir(directory.path())
            .output()?;
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[test]
fn each_boots_alone() -> anyhow::Result<()> {
    let certificates = Certificates::make(&root())?;
    for file in bootstraps() {
        let rewrite = Rewrite::new(Endpoints::default(), &root().join("dist")).unreachable_is_fine();
        let bootstrap = certificates.in_place_of_committed(rewrite).load(&file)?;
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        Envoy::start(bootstrap, EnvoyOptions::named(&name))?;
    }
    Ok(())
}

#[test]
fn their_policies_are_those_of_the_examples() -> anyhow::Result<()> {
    for (file, filter, example) in OF_EXAMPLES {
        let bootstrap = read_yaml(&root().join("envoy-configs").join(file))?;
        let mut ours = policies(&bootstrap);
        let ours = ours.get_mut(filter).unwrap_or_else(|| panic!("{file}: no {filter}"));
        // The demo has a canary that fails; the example has the least that a split needs.
        let splits = ours.get_mut("splits").and_then(Value::as_array_mut).into_iter().flatten();
        splits.filter_map(Value::as_object_mut).for_each(|split| _ = split.remove("rollback"));
        // The mesh's two clusters have names of their own.
        let text = fs::read_to_string(root().join("examples").join(example))?;
        let text = text.replace("default.1.2.3.4.nip.io", "admin.example.com");
        let theirs: Value = serde_saphyr::from_str(&text)?;
        for list in ["rules", "splits"] {
            let known = ours[list].as_array().map(Vec::as_slice).unwrap_or_default();
            for one in theirs[list].as_array().into_iter().flatten() {
                assert!(known.contains(one), "{file}: of {example} is missing or different: {one}\n{ours:#}");
            }
        }
        for (field, value) in theirs.as_object().into_iter().flatten() {
            let is_list = ["rules", "splits"].contains(&&**field);
            assert!(is_list || ours[field] == *value, "{file}: {field} is {}, not {value}", ours[field]);
        }
    }
    Ok(())
}

/// What a cluster's mesh configuration must name, as the README has it in one line.
#[test]
fn the_readme_names_every_label_that_they_cut_out() -> anyhow::Result<()> {
    let readme = fs::read_to_string(root().join("envoy-configs/README.md"))?;
    let (_, line) = readme.split_once("extraStatTags={").expect("one line for a cluster");
    let named: BTreeSet<&str> = line.split('}').next().unwrap_or_default().split(',').collect();
    let mut cut = BTreeSet::new();
    for file in bootstraps() {
        let bootstrap = read_yaml(&file)?;
        let tags = bootstrap["stats_config"]["stats_tags"].as_array().cloned().unwrap_or_default();
        cut.extend(tags.iter().filter_map(|tag| tag["tag_name"].as_str().map(str::to_owned)));
    }
    assert_eq!(named, cut.iter().map(String::as_str).collect());
    Ok(())
}

/// The bootstraps of the local mesh.
fn bootstraps() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("envoy-configs")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| fs::read_to_string(path).unwrap().contains("\nstatic_resources:"))
        .collect();
    found.sort();
    assert_eq!(found.len(), 9, "{found:?}");
    found
}

/// The policies anywhere in a bootstrap, by filter.
fn policies(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    match value {
        Value::Array(list) => list.iter().for_each(|item| found.extend(policies(item))),
        Value::Object(object) => {
            let policy = object.get("configuration").and_then(|typed| typed["value"].as_str());
            let policy: Option<Value> = policy.and_then(|text| serde_json::from_str(text).ok());
            if let Some((policy, filter)) =
                policy.and_then(|p| Some((p.clone(), p["filter"].as_str()?.to_owned())))
            {
                found.insert(filter, policy);
            }
            object.values().for_each(|item| found.extend(policies(item)));
        }
        _ => {}
    }
    found
}
