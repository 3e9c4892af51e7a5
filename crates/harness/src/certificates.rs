//! The certificates of a mesh, made anew for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use serde_json::{Value, json};

use crate::bootstrap::Rewrite;
use crate::temp::TempDir;

/// Where the committed bootstraps expect certificates.
const COMMITTED: &str = "target/certificates";

/// What `envoy-configs/certificates.sh` has made, for as long as this lives.
#[derive(Debug)]
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes all that the committed bootstraps name.
    pub fn make(root: &Path) -> anyhow::Result<Self> {
        Self::make_for(root, &[])
    }

    /// Makes those of these `NAMESPACE/ACCOUNT`s or `SECRET=HOST`s.
    pub fn make_for(root: &Path, wanted: &[&str]) -> anyhow::Result<Self> {
        let directory = TempDir::new("certificates")?;
        let made = Command::new("sh")
            .arg(root.join("envoy-configs/certificates.sh"))
            .arg(directory.path())
            .args(wanted)
            .output()
            .context("certificates.sh needs sh and openssl")?;
        ensure!(made.status.success(), "certificates.sh: {}", String::from_utf8_lossy(&made.stderr));
        Ok(Self(directory))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The authority that has signed them all.
    pub fn authority(&self) -> PathBuf {
        self.path().join("ca.pem")
    }

    /// One side of TLS (`Downstream` or `Upstream`), with the certificate of a `NAMESPACE/ACCOUNT`, or with
    /// none: what a listener's filter chain or a cluster has as its `transport_socket`.
    pub fn tls(&self, side: &str, account: Option<&str>) -> Value {
        let file = |name: String| json!({ "filename": self.path().join(name) });
        let own = account.map(|account| {
            let stem = account.replace('/', ".");
            json!({ "certificate_chain": file(format!("{stem}.pem")), "private_key": file(format!("{stem}.key")) })
        });
        json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": format!("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{side}TlsContext"),
                "common_tls_context": {
                    "tls_certificates": own.into_iter().collect::<Vec<_>>(),
                    "validation_context": { "trusted_ca": { "filename": self.authority() } },
                },
            },
        })
    }

    /// A bootstrap that names certificates where `make certificates` puts them finds
    /// these instead.
    #[must_use]
    pub fn in_place_of_committed(&self, rewrite: Rewrite) -> Rewrite {
        rewrite.path(COMMITTED, self.path())
    }
}
