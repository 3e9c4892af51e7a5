//! A cluster with Istio in it, as the drills see it: through `kubectl`, and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use narrows_harness::wait;

use crate::forward::Forward;
use crate::kubectl::Kubectl;
use crate::push;
use crate::run;

/// The registry, as the proxies name it.
pub(crate) const REGISTRY: &str = "registry.registry.svc.cluster.local:5000";
/// The registry in the examples' manifests.
const EXAMPLE: &str = "registry.example.com";
/// The tag of the examples' modules.
const TAG: &str = "0.1.0";
/// For what a push to every proxy takes, and what a pod takes to come up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The cluster, the tree, and the command line.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) kubectl: Kubectl,
    pub(crate) root: PathBuf,
    narrows: PathBuf,
}

impl Cluster {
    /// `narrows` is built beside this program.
    pub(crate) fn new(kubectl: Kubectl, root: &Path) -> anyhow::Result<Self> {
        let narrows = std::env::current_exe()?.with_file_name("narrows");
        anyhow::ensure!(narrows.is_file(), "there is no {}: make test-cluster builds it", narrows.display());
        Ok(Self { kubectl, root: root.to_owned(), narrows })
    }

    /// Makes sure that the registry runs and has the modules.
    pub(crate) fn stock(&self) -> anyhow::Result<()> {
        self.deploy("registry", &self.manifest("registry.yaml")?)?;
        self.push_modules()
    }

    /// Pushes the modules of all filters, with the tag of the examples.
    pub(crate) fn push_modules(&self) -> anyhow::Result<()> {
        for entry in fs::read_dir(self.root.join("dist"))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(filter) = name.strip_suffix(".wasm") {
                self.push(filter, TAG, &fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    /// Pushes one module; returns its digest.
    pub(crate) fn push(&self, filter: &str, tag: &str, module: &[u8]) -> anyhow::Result<String> {
        let registry = Forward::open(&self.kubectl, "registry", "deployment/registry", 5000)?;
        push::push(registry.address(), &format!("narrows/{filter}"), tag, module)
            .with_context(|| format!("pushing {filter}"))
    }

    /// A manifest of the examples, with the registry of this cluster.
    pub(crate) fn example(&self, path: &str) -> anyhow::Result<String> {
        let path = self.root.join("examples").join(path);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.replace(EXAMPLE, REGISTRY))
    }

    /// A manifest of these drills.
    pub(crate) fn manifest(&self, name: &str) -> anyhow::Result<String> {
        let path = self.root.join("tests/cluster/manifests").join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// What `narrows` prints.
    pub(crate) fn narrows(&self, arguments: &[&str]) -> anyhow::Result<String> {
        run::output(Command::new(&self.narrows).args(arguments).current_dir(&self.root))
    }

    /// By which a shell finds this cluster and the programs to speak with it.
    pub(crate) fn environment(&self) -> anyhow::Result<Vec<(&'static str, OsString)>> {
        let programs =
            [self.kubectl.folder(), self.narrows.parent()].into_iter().flatten().map(Path::to_owned);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)))?;
        Ok(vec![("KUBECONFIG", self.kubectl.kubeconfig().into()), ("PATH", path)])
    }

    /// Applies applications, and waits until all of the namespace are up to date and ready.
    pub(crate) fn deploy(&self, namespace: &str, manifest: &str) -> anyhow::Result<()> {
        self.kubectl.apply(manifest)?;
        self.ready(namespace)
    }

    /// Waits until every deployment of a namespace is up to date and ready, and no older pod is left.
    pub(crate) fn ready(&self, namespace: &str) -> anyhow::Result<()> {
        let names = self.kubectl.run(&format!("get deployments --namespace {namespace} --output name"))?;
        for name in names.lines() {
            self.kubectl.run(&format!("rollout status {name} --namespace {namespace} --timeout=120s"))?;
        }
        wait::until("older pods to be gone", PATIENCE, || {
            let pods = self.kubectl.run(&format!("get pods --namespace {namespace} --output name"))?;
            let leaving = self.kubectl.run(&format!(
                "get pods --namespace {namespace} --output jsonpath={{.items[*].metadata.deletionTimestamp}}"
            ))?;
            std::thread::sleep(Duration::from_millis(200));
            Ok((!pods.is_empty() && leaving.trim().is_empty()).then_some(()))
        })
    }

    /// Applies what attaches a filter, for as long as the value lives.
    pub(crate) fn attach(&self, manifest: &str) -> anyhow::Result<Attached> {
        self.kubectl.apply(manifest)?;
        Ok(Attached { kubectl: self.kubectl.clone(), manifest: manifest.to_owned() })
    }

    /// A page of the admin interface of a proxy.
    pub(crate) fn proxy(&self, namespace: &str, workload: &str, page: &str) -> anyhow::Result<String> {
        self.kubectl.run(&format!(
            "exec --namespace {namespace} {workload} --container istio-proxy -- pilot-agent request GET {page}"
        ))
    }

    /// Restarts every pod of a namespace's deployments.
    pub(crate) fn restart(&self, namespace: &str) -> anyhow::Result<()> {
        self.kubectl.run(&format!("rollout restart deployment --namespace {namespace}"))?;
        self.ready(namespace)
    }
}

/// Something that a drill has attached. It goes with it, so that the next drill meets none of it.
#[derive(Debug)]
pub(crate) struct Attached {
    kubectl: Kubectl,
    manifest: String,
}

impl Attached {
    /// Applies it again, changed.
    pub(crate) fn change(&mut self, manifest: &str) -> anyhow::Result<()> {
        manifest.clone_into(&mut self.manifest);
        self.kubectl.apply(manifest).map(drop)
    }

    /// Takes it away now.
    pub(crate) fn detach(&self) -> anyhow::Result<()> {
        self.kubectl.feed("delete --ignore-not-found -f -", &self.manifest).map(drop)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        _ = self.detach();
    }
}
