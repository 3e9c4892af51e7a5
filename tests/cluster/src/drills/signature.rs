//! cosign, built from its Go module, verifies what `narrows pack --sign` has pushed.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use narrows_harness::temp::TempDir;

use crate::binaries;
use crate::cluster::Cluster;
use crate::place::Place;
use crate::run;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let place = Place::of(&cluster.root);
    binaries::build_for_drill(&place, &binaries::COSIGN)?;
    let cosign = place.bin().join("cosign");
    let folder = TempDir::new("cosign")?;
    let (own, other) = (key(folder.path(), "own")?, key(folder.path(), "other")?);
    let module = cluster.root.join("dist/canary-split.wasm");
    let registry = cluster.registry()?;
    let unsigned = cluster.push(&registry, "unsigned:1", &module, &[])?;
    let private = format!("{own}.key");
    let signed = cluster.push(&registry, "signed:1", &module, &["--sign", &private])?;
    let verify = |name: &str, digest: &str, key: &str| {
        let image = format!("{}/narrows/{name}@{digest}", registry.address());
        let mut command = Command::new(&cosign);
        command.args(["verify", "--key", &format!("{key}.pub"), "--insecure-ignore-tlog"]);
        command.args(["--allow-insecure-registry", "--allow-http-registry", "--offline", &image]);
        run::output(command.env("HOME", folder.path()))
    };
    let said = verify("signed", &signed, &own)?;
    ensure!(said.contains(&signed), "cosign verifies something else than {signed}: {said}");
    ensure!(verify("signed", &signed, &other).is_err(), "cosign accepts a signature by another key");
    ensure!(verify("unsigned", &unsigned, &own).is_err(), "cosign accepts an image without a signature");
    // The signature is of the image, wherever a tag leads.
    let elsewhere = cluster.push(&registry, "signed:1", &module, &["--annotation", "a=b"])?;
    ensure!(verify("signed", &elsewhere, &own).is_err(), "cosign accepts another image under the tag");
    Ok(String::new())
}

/// A new pair of keys: the path of both without their endings.
fn key(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name).display().to_string();
    for line in [
        format!("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {path}.key"),
        format!("openssl pkey -in {path}.key -pubout -out {path}.pub"),
    ] {
        run::output(&mut run::words(&line))?;
    }
    Ok(path)
}
