//! Who sends a request, and whether Envoy's runner can be that sender.

use std::net::{IpAddr, SocketAddr};

use anyhow::ensure;
use serde::Deserialize;

/// Who sends a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// `source.address`.
    pub address: Option<String>,
    /// The name in the certificate: `spiffe://cluster.local/ns/<namespace>/sa/<account>`.
    pub principal: Option<String>,
    /// Whether that certificate was verified on this connection.
    pub verified: bool,
    /// The namespace of the sidecar that the filter runs in.
    pub namespace: Option<String>,
    /// The workload of that sidecar.
    pub workload: Option<String>,
}

/// Which HTTP to speak.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1, byte for byte.
    #[default]
    Http1,
    /// HTTP/2 over clear text.
    Http2,
}

/// On which side of a workload a request passes the proxy beside it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It comes in to the workload.
    Inbound,
    /// The workload made it.
    Outbound,
}

impl Direction {
    /// The number that Envoy has for it.
    pub fn number(self) -> i64 {
        match self {
            Self::Inbound => 1,
            Self::Outbound => 2,
        }
    }

    /// The word that Envoy's configuration has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbound => "INBOUND",
            Self::Outbound => "OUTBOUND",
        }
    }
}

/// A service account, as the mesh's certificates name it.
#[derive(Clone, Copy, Debug)]
pub struct Account<'s> {
    namespace: &'s str,
    name: &'s str,
}

impl Account<'_> {
    /// Its namespace and its name, with something between them.
    pub fn name(&self, between: &str) -> String {
        format!("{}{between}{}", self.namespace, self.name)
    }
}

impl Default for Source {
    fn default() -> Self {
        Self { address: None, principal: None, verified: true, namespace: None, workload: None }
    }
}

impl Source {
    /// The service account that the principal names; none if it is not one of the mesh.
    pub fn account(&self) -> Option<Account<'_>> {
        let rest = self.principal.as_deref()?.strip_prefix("spiffe://cluster.local/ns/")?;
        let (namespace, name) = rest.split_once("/sa/")?;
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        (plain(namespace) && plain(name)).then_some(Account { namespace, name })
    }

    /// Whether a text is an address as Envoy writes one: of IP, with or without a port, or of a connection
    /// that is no network's, such as a pipe or another listener of the same Envoy.
    pub fn is_address(text: &str) -> bool {
        let is_local = ["envoy://", "/", "@"].iter().any(|begin| text.starts_with(begin));
        is_local || text.parse::<SocketAddr>().is_ok() || text.parse::<IpAddr>().is_ok()
    }

    /// Whether Envoy's runner can be the sender.
    pub(crate) fn check(&self, protocol: Protocol) -> anyhow::Result<()> {
        ensure!(self.verified, "Envoy verifies the certificates of its callers here");
        if let Some(address) = &self.address {
            ensure!(address.parse::<SocketAddr>().is_ok(), "{address:?} is not an address with a port");
            ensure!(protocol == Protocol::Http1, "a sender's address needs http1");
        }
        if let Some(principal) = &self.principal {
            ensure!(self.account().is_some(), "no certificate of the mesh names {principal:?}");
        }
        Ok(())
    }
}
