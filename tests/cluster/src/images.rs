//! The images that the cluster and its drills run, made of what is on this machine: no registry is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::binaries;
use crate::image::Image;
use crate::packages;
use crate::place::Place;
use crate::run;
use crate::step::step;

/// What Istio's init container redirects a pod's traffic with: Debian's `iptables`, one program under many names.
const IPTABLES: [&str; 6] =
    ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"];

/// Makes the archives of all.
pub(crate) fn make(place: &Place) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(place.images())?;
    all(place)?.iter().map(|image| image.archive(&place.images())).collect()
}

/// Gives them to containerd.
pub(crate) fn import(place: &Place, archives: &[PathBuf]) -> anyhow::Result<()> {
    for archive in archives {
        step(&format!("importing {}", archive.file_stem().unwrap_or_default().display()), || {
            give(place, archive)
        })?;
    }
    Ok(())
}

/// Makes the images that set weights, and gives them to the containerd of a cluster that runs here. `narrows` is the
/// command line.
pub(crate) fn bring_drivers(place: &Place, narrows: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        place.containerd_socket().exists(),
        "no cluster of this tree runs: the images of this drill are given to its containerd, and to no other"
    );
    for image in drivers(place, narrows)? {
        give(place, &image.archive(&place.images())?)?;
    }
    Ok(())
}

fn give(place: &Place, archive: &Path) -> anyhow::Result<()> {
    let mut import = Command::new(packages::program(place, "ctr"));
    import.arg("--address").arg(place.containerd_socket());
    import.args(["--namespace", "k8s.io", "images", "import"]).arg(archive);
    run::output(&mut import).map(drop)
}

fn all(place: &Place) -> anyhow::Result<Vec<Image>> {
    let bin = |name: &str| place.bin().join(name);
    let ours = |name: &str| (place.root.join("target/images/echo").join(name), format!("/{name}"));
    Ok(vec![
        image("pause:1", "sleep infinity", "", vec![(real("/usr/bin/sleep")?, "/usr/bin/sleep".to_owned())]),
        image("coredns:1", "/coredns", "", vec![(bin("coredns"), "/coredns".to_owned())]),
        image(
            "registry:1",
            "docker-registry serve /etc/registry.yaml",
            "",
            vec![
                (packages::program(place, "docker-registry"), "/usr/bin/docker-registry".to_owned()),
                (place.sources().join("manifests/registry-config.yaml"), "/etc/registry.yaml".to_owned()),
            ],
        ),
        image(
            "narrows-echo:1",
            "/narrows-echo",
            "65534:65534",
            vec![ours("narrows-echo"), ours("narrows-call")],
        ),
        image("pilot:dev", "pilot-discovery", "1337:1337", vec![at_its_place(bin("pilot-discovery"))]),
        image("proxyv2:dev", "pilot-agent", "", proxy(place)?),
    ])
}

/// Argo's controller with our plugin, the receiver of Flagger's events with the command line, and what the
/// controller asks about proxies.
fn drivers(place: &Place, narrows: &Path) -> anyhow::Result<Vec<Image>> {
    let bin = |name: &str| place.bin().join(name);
    Ok(vec![
        image(
            "argo-rollouts:1",
            "/bin/rollouts-controller",
            "999",
            vec![
                (bin("rollouts-controller"), "/bin/rollouts-controller".to_owned()),
                at_its_place(bin("narrows-traffic-router")),
            ],
        ),
        image(
            "narrows-webhook:1",
            "/narrows-webhook",
            "65534:65534",
            vec![
                (bin("narrows-webhook"), "/narrows-webhook".to_owned()),
                (narrows.to_owned(), "/narrows".to_owned()),
            ],
        ),
        image("prometheus:1", "prometheus", "65534:65534", vec![at_its_place(prometheus()?)]),
    ])
}

/// Debian's, wherever it is on the path.
fn prometheus() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("prometheus")).find(|file| file.is_file());
    found.context("no prometheus on the path: make prometheus")
}

/// Istio's proxy: its agent, a stock Envoy, the template of its bootstrap, and what redirects traffic.
fn proxy(place: &Place) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let template = binaries::istio_sources(place)?.join("tools/packaging/common/envoy_bootstrap.json");
    let mut files = vec![
        at_its_place(place.bin().join("pilot-agent")),
        at_its_place(narrows_harness::envoy::binary()?),
        (template, "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json".to_owned()),
    ];
    for name in IPTABLES {
        // The program knows from its name what to do: a copy for each.
        for variant in ["", "-nft", "-legacy"] {
            let variant = name.replace("tables", &format!("tables{variant}"));
            let program = real(&format!("/usr/sbin/{variant}"))?;
            files.push((program, format!("/usr/sbin/{variant}")));
        }
    }
    let extensions = format!("/usr/lib/{}-linux-gnu/xtables", std::env::consts::ARCH);
    files.push((real(&extensions)?, extensions));
    Ok(files)
}

fn image(name: &str, entry: &str, user: &str, files: Vec<(PathBuf, String)>) -> Image {
    Image {
        name: format!("localhost/{name}"),
        entry: entry.split_whitespace().map(str::to_owned).collect(),
        user: user.to_owned(),
        files,
    }
}

fn at_its_place(program: PathBuf) -> (PathBuf, String) {
    let place = format!("/usr/local/bin/{}", program.file_name().unwrap_or_default().display());
    (program, place)
}

fn real(path: &str) -> anyhow::Result<PathBuf> {
    fs::canonicalize(path).with_context(|| path.to_owned())
}
