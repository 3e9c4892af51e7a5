//! What is built from source: Kubernetes, Istio and `CoreDNS` from their Go modules, and what drills need besides.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::place::Place;
use crate::run;
use crate::step::step;

/// A Go module that pins what it builds: a folder of `tests/cluster/go`, or an example's.
pub(crate) struct Module {
    /// In the workspace.
    folder: &'static str,
    /// The module whose version the programs say, and the variables of theirs that hold it: each with
    /// what of the version.
    version_of: &'static str,
    says: &'static [(&'static str, Part)],
    programs: &'static [&'static str],
}

/// A part of a version such as `v1.2.3`.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Major,
    Minor,
}

const MODULES: [Module; 3] = [
    Module {
        folder: "tests/cluster/go/kubernetes",
        version_of: "k8s.io/kubernetes",
        says: &[
            ("k8s.io/component-base/version.gitVersion", Part::Whole),
            ("k8s.io/component-base/version.gitMajor", Part::Major),
            ("k8s.io/component-base/version.gitMinor", Part::Minor),
        ],
        programs: &[
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-scheduler",
            "k8s.io/kubernetes/cmd/kubelet",
            "k8s.io/kubernetes/cmd/kube-proxy",
            "k8s.io/kubernetes/cmd/kubectl",
        ],
    },
    Module {
        folder: "tests/cluster/go/istio",
        version_of: "istio.io/istio",
        says: &[("istio.io/istio/pkg/version.buildVersion", Part::Whole)],
        programs: &[
            "istio.io/istio/pilot/cmd/pilot-discovery",
            "istio.io/istio/pilot/cmd/pilot-agent",
            "istio.io/istio/istioctl/cmd/istioctl",
        ],
    },
    Module {
        folder: "tests/cluster/go/coredns",
        version_of: "github.com/coredns/coredns",
        says: &[],
        programs: &["./coredns"],
    },
];

/// No part of the cluster: a drill asks it.
pub(crate) const COSIGN: Module = Module {
    folder: "tests/cluster/go/cosign",
    version_of: "github.com/sigstore/cosign/v2",
    says: &[],
    programs: &["github.com/sigstore/cosign/v2/cmd/cosign"],
};

/// No part of the cluster either: what sets weights in it. The programs of the example are of the same module as Argo's.
pub(crate) const DRIVERS: Module = Module {
    folder: "examples/progressive-delivery",
    version_of: "github.com/argoproj/argo-rollouts",
    says: &[("github.com/argoproj/argo-rollouts/utils/version.version", Part::Whole)],
    programs: &[
        "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
        "./argo-rollouts/narrows-traffic-router",
        "./flagger/narrows-webhook",
    ],
};

/// Builds what the cluster is made of, if it is not there.
pub(crate) fn build(place: &Place) -> anyhow::Result<()> {
    build_each(place, &MODULES)
}

/// Builds what drills need besides, if it is not there.
pub(crate) fn build_for_drills(place: &Place) -> anyhow::Result<()> {
    build_each(place, &[COSIGN, DRIVERS])
}

/// The same for one drill, without a word.
pub(crate) fn build_for_drill(place: &Place, module: &Module) -> anyhow::Result<()> {
    let missing = missing(place, module)?;
    if missing.is_empty() { Ok(()) } else { build_all(place, module, &missing) }
}

fn build_each(place: &Place, modules: &[Module]) -> anyhow::Result<()> {
    for module in modules {
        let missing = missing(place, module)?;
        if let [first, others @ ..] = missing.as_slice() {
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            let what = format!("building {}{more} from {}", name(first), module.version_of);
            step(&what, || build_all(place, module, &missing))?;
        }
    }
    Ok(())
}

/// The programs of a module that are not there, or are of another one.
fn missing(place: &Place, module: &Module) -> anyhow::Result<Vec<&'static str>> {
    let pinned = pinned(&folder(place, module))?;
    let is_built = |program: &str| {
        let is_of_it = fs::read_to_string(stamp(place, program)).is_ok_and(|from| from == pinned);
        is_of_it && place.bin().join(name(program)).is_file()
    };
    Ok(module.programs.iter().copied().filter(|program| !is_built(program)).collect())
}

/// In one go: what they share is read once, and one is linked while another is compiled.
fn build_all(place: &Place, module: &Module, programs: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(place.bin())?;
    let folder = folder(place, module);
    let version = version(&folder, module.version_of)?;
    go(&folder, programs, &linker(module, &version), &place.bin())?;
    let pinned = pinned(&folder)?;
    programs.iter().try_for_each(|program| Ok(fs::write(stamp(place, program), &pinned)?))
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn folder(place: &Place, module: &Module) -> PathBuf {
    place.root.join(module.folder)
}

/// Says beside a program what it is made of.
fn stamp(place: &Place, program: &str) -> PathBuf {
    place.bin().join(format!("{}.from", name(program)))
}

/// The version of a module that a folder pins.
pub(crate) fn version(folder: &Path, module: &str) -> anyhow::Result<String> {
    let mut command = Command::new("go");
    command.args(["list", "-m", "-f", "{{.Version}}", module]).current_dir(folder);
    Ok(run::output(&mut command)?.trim().to_owned())
}

/// Where the sources of Istio lie: the template of its proxies' bootstrap is among them.
pub(crate) fn istio_sources(place: &Place) -> anyhow::Result<PathBuf> {
    let [_, istio, ..] = &MODULES;
    sources(place, istio)
}

/// Where the sources lie that a module's programs are built from.
pub(crate) fn sources(place: &Place, module: &Module) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("go");
    command.args(["list", "-m", "-f", "{{.Dir}}", module.version_of]).current_dir(folder(place, module));
    Ok(PathBuf::from(run::output(&mut command)?.trim()))
}

/// What the programs of a folder are made of, as one word.
fn pinned(folder: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    let mut files = vec![folder.join("go.mod"), folder.join("go.sum")];
    find_sources(folder, &mut files)?;
    for path in files {
        hash.update(fs::read(&path).with_context(|| path.display().to_string())?);
    }
    hash.update(run::output(&mut run::words("go env GOVERSION"))?);
    Ok(format!("{:x}", hash.finalize()))
}

/// The programs of a folder itself, if it has some, in order.
fn find_sources(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find_sources(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "go") {
            files.push(path);
        }
    }
    Ok(())
}

/// No symbols, and the version that is pinned: Istio refuses a Kubernetes that says none.
fn linker(module: &Module, version: &str) -> String {
    let numbers: Vec<&str> = version.trim_start_matches('v').split('.').collect();
    let number = |index: usize| numbers.get(index).copied().unwrap_or_default();
    let says = module.says.iter().map(|(variable, part)| {
        let value = match part {
            Part::Whole => version,
            Part::Major => number(0),
            Part::Minor => number(1),
        };
        format!(" -X {variable}={value}")
    });
    format!("-s -w{}", says.collect::<String>())
}

/// Builds programs statically, and last so that others come first on a machine of people.
fn go(folder: &Path, programs: &[&str], linker: &str, binaries: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("nice");
    command
        .args(["go", "build", "-trimpath", "-ldflags", linker, "-o"])
        .arg(binaries.join(""))
        .args(programs)
        .env("CGO_ENABLED", "0")
        .current_dir(folder);
    run::output(&mut command).map(drop)
}
