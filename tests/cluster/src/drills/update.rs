//! A new module, named by its digest, under load.

use std::fs;
use std::path::Path;

use anyhow::ensure;
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
    let mut module = fs::read(cluster.root.join("dist").join(format!("{FILTER}.wasm")))?;
    let older = cluster.push(FILTER, "older", &module)?;
    module.extend_from_slice(SECTION);
    let newer = cluster.push(FILTER, "newer", &module)?;
    let by_digest =
        |digest: &str| manifest.replace(&format!("{FILTER}:0.1.0"), &format!("{FILTER}@{digest}"));
    let mut attached = cluster.attach(&by_digest(&older))?;
    books.settle(&chosen)?;
    let before = loaded(cluster)?;
    let load = books.front_end().load(&users(), 8)?;
    attached.change(&by_digest(&newer))?;
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
