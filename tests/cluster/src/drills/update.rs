//! A new module, named by its digest, under load.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;

use super::books::{Books, EXTENSION, NAMESPACE, users};
use crate::cluster::{Cluster, PATIENCE};

const FILTER: &str = "canary-split";
/// A custom section with a name and no content: another module that does the same.
const SECTION: &[u8] = b"\0\x07\x06update";

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let module = cluster.root.join("dist").join(format!("{FILTER}.wasm"));
    let folder = TempDir::new("drill")?;
    let other = folder.write(&format!("{FILTER}.wasm"), [&fs::read(&module)?, SECTION].concat())?;
    let registry = cluster.registry()?;
    let older = cluster.push(&registry, &format!("{FILTER}:older"), &module, &[])?;
    let newer = cluster.push(&registry, &format!("{FILTER}:newer"), &other, &[])?;
    ensure!(older != newer, "two modules have one digest: {older}");
    // As docs/operations.md has it: all else of the resource stays.
    let manifest = folder.write("extension.yaml", manifest)?.display().to_string();
    let by_digest = |digest: &str| {
        cluster.narrows(&["render", &manifest, "--as", "traffic-extension", "--digest", digest])
    };
    let mut attached = cluster.attach(&by_digest(&older)?)?;
    books.settle(&chosen)?;
    let before = loaded(cluster)?;
    let load = books.front_end().load(&users(), 8)?;
    attached.change(&by_digest(&newer)?)?;
    let after = wait::until("the newer module to be loaded", PATIENCE, || {
        let now = loaded(cluster)?;
        Ok((!now.is_empty() && now != before).then_some(now))
    })?;
    books.settle(&chosen)?;
    let seen = load.end()?;
    seen.none_lost()?;
    ensure!(before.len() == 1 && after.len() == 1, "more modules than one: {before:?}, {after:?}");
    Ok(format!("{} requests, 0 failed", seen.requests))
}

/// The files of modules in the front end's proxy.
fn loaded(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let dump = cluster.proxy(NAMESPACE, "deployment/front-end", "config_dump?resource=ecds_filters")?;
    let is_module = |text: &&str| Path::new(text).extension().is_some_and(|end| end == "wasm");
    let mut files: Vec<String> = dump.split('"').filter(is_module).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    Ok(files)
}
