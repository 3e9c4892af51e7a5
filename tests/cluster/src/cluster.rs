//! A cluster with Istio in it, as the drills see it: through `kubectl`, and nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use narrows_harness::wait;

use crate::forward::Forward;
use crate::kubectl::Kubectl;
use crate::run;

/// The registry, as the proxies name it.
pub(crate) const REGISTRY: &str = "registry.registry.svc.cluster.local:5000";
/// The modules in the examples' manifests.
const EXAMPLES: &str = "registry.example.com/narrows";
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
    /// The digest of each filter's image, as `narrows pack` has printed it.
    digests: BTreeMap<String, String>,
}

impl Cluster {
    /// `narrows` is built beside this program.
    pub(crate) fn new(kubectl: Kubectl, root: &Path) -> anyhow::Result<Self> {
        let narrows = std::env::current_exe()?.with_file_name("narrows");
        anyhow::ensure!(narrows.is_file(), "there is no {}: make test-cluster builds it", narrows.display());
        Ok(Self { kubectl, root: root.to_owned(), narrows, digests: BTreeMap::new() })
    }

    /// Makes sure that the registry runs and has the modules. From then on the examples name them by digest.
    pub(crate) fn stock(&mut self) -> anyhow::Result<()> {
        self.deploy("registry", &self.manifest("registry.yaml")?)?;
        self.digests = self.push_modules()?;
        Ok(())
    }

    /// Pushes the modules of all filters, with the tag of the examples. Returns the digest of each.
    pub(crate) fn push_modules(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let registry = self.registry()?;
        let mut digests = BTreeMap::new();
        for entry in fs::read_dir(self.root.join("dist"))?.flatten() {
            let module = entry.path();
            if module.extension().is_some_and(|end| end == "wasm") {
                let filter = module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let digest = self.push(&registry, &format!("{filter}:{TAG}"), &module, &[])?;
                digests.insert(filter, digest);
            }
        }
        Ok(digests)
    }

    /// The registry, as it is reached from here.
    pub(crate) fn registry(&self) -> anyhow::Result<Forward> {
        Forward::open(&self.kubectl, "registry", "deployment/registry", 5000)
    }

    /// Pushes the module of a file under a name and a tag, by `narrows pack`, with more options of it.
    /// Returns the digest that it prints.
    pub(crate) fn push(
        &self,
        registry: &Forward,
        name: &str,
        module: &Path,
        options: &[&str],
    ) -> anyhow::Result<String> {
        let (module, image) =
            (module.display().to_string(), format!("{}/narrows/{name}", registry.address()));
        let push = ["pack", &module, "--push", &image, "--insecure"];
        let digest = self.narrows(&[&push, options].concat())?.trim().to_owned();
        anyhow::ensure!(digest.starts_with("sha256:"), "narrows pack prints no digest: {digest:?}");
        Ok(digest)
    }

    /// A manifest of the examples, with the modules that the registry of this cluster has, by their digests.
    pub(crate) fn example(&self, path: &str) -> anyhow::Result<String> {
        let path = self.root.join("examples").join(path);
        let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for (filter, digest) in &self.digests {
            let tagged = format!("{EXAMPLES}/{filter}:{TAG}");
            text = text.replace(&tagged, &format!("{REGISTRY}/narrows/{filter}@{digest}"));
        }
        anyhow::ensure!(!text.contains(EXAMPLES), "{}: a module that was not pushed", path.display());
        Ok(text)
    }

    /// A manifest of these drills.
    pub(crate) fn manifest(&self, name: &str) -> anyhow::Result<String> {
        let path = self.root.join("tests/cluster/manifests").join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// The command line, built beside this program.
    pub(crate) fn program(&self) -> &Path {
        &self.narrows
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
