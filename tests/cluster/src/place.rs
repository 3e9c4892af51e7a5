//! Where everything lies: one folder, `target/cluster`.

use std::path::{Path, PathBuf};

/// The folder, and the tree that it is made from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The workspace.
    pub(crate) root: PathBuf,
    folder: PathBuf,
}

impl Place {
    pub(crate) fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), folder: root.join("target/cluster") }
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was built from Go modules. It is kept.
    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// What Debian's packages hold, unpacked. It is kept.
    pub(crate) fn packages(&self) -> PathBuf {
        self.folder.join("packages")
    }

    /// The archives of the images. They are kept.
    pub(crate) fn images(&self) -> PathBuf {
        self.folder.join("images")
    }

    /// All that one run of the cluster writes. It goes with it.
    pub(crate) fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// What each program says.
    pub(crate) fn log(&self) -> PathBuf {
        self.run().join("log")
    }

    /// Certificates and keys.
    pub(crate) fn pki(&self) -> PathBuf {
        self.run().join("pki")
    }

    /// How the administrator reaches the API server.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where containerd listens.
    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.run().join("containerd.sock")
    }

    /// The manifests that this program applies, and its Go modules.
    pub(crate) fn sources(&self) -> PathBuf {
        self.root.join("tests/cluster")
    }
}
