//! Every manifest of the examples, given to the API server with Istio's definitions and its webhook.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cluster::Cluster;

/// Accepted only by a cluster that checks nothing: what the schema refuses, and what the webhook does.
const REFUSED: [&str; 2] = [
    "apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: { name: refused, namespace: default }
spec: { phase: LATER, wasm: { url: 'oci://example.com/a:1' } }
",
    "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: refused, namespace: default }
spec: { hosts: [a], http: [{ route: [{ destination: { host: a }, weight: 60 }, { destination: { host: a }, weight: -1 }] }] }
",
];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    for manifest in REFUSED {
        let accepted = cluster.kubectl.feed("apply --dry-run=server -f -", manifest);
        ensure!(accepted.is_err(), "the cluster checks nothing: it accepts\n{manifest}");
    }
    let files = files(cluster)?;
    let mut namespaces = BTreeSet::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        for document in
            serde_saphyr::from_multiple::<Value>(&text).with_context(|| file.display().to_string())?
        {
            namespaces.extend(document["metadata"]["namespace"].as_str().map(str::to_owned));
        }
    }
    for namespace in namespaces {
        let manifest = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {namespace} }}\n");
        cluster.kubectl.apply(&manifest)?;
    }
    for file in &files {
        let text = fs::read_to_string(file)?;
        let given = cluster.kubectl.feed("apply --dry-run=server -f -", &text);
        given.with_context(|| file.display().to_string())?;
    }
    ensure!(files.len() >= 50, "only {} manifests", files.len());
    Ok(format!("{} files", files.len()))
}

fn files(cluster: &Cluster) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for example in fs::read_dir(cluster.root.join("examples"))?.flatten() {
        let folder = fs::read_dir(example.path().join("istio")).into_iter().flatten().flatten();
        files.extend(
            folder.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")),
        );
    }
    files.sort();
    Ok(files)
}
