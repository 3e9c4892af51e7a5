//! Fits a committed bootstrap to this machine.
//!
//! Committed bootstraps name hosts and ports of docker-compose. The same file
//! runs without Docker when listeners take free loopback ports, endpoints
//! become the addresses where the others really listen, and paths lead into
//! this tree.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

/// Where the hosts and ports that a bootstrap names really are.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(BTreeMap<(String, u16), Place>);

#[derive(Clone, Copy, Debug)]
enum Place {
    At(SocketAddr),
    Nowhere,
}

/// How to fit a bootstrap to this machine.
#[derive(Clone, Debug)]
pub struct Rewrite {
    endpoints: Endpoints,
    dist: PathBuf,
    paths: Vec<(String, PathBuf)>,
    fixed_ports: bool,
    unreachable_is_fine: bool,
}

// === impl Endpoints ===

impl Endpoints {
    /// A host and port, and where that is.
    #[must_use]
    pub fn with(mut self, host: &str, port: u16, address: SocketAddr) -> Self {
        self.0.insert((host.to_owned(), port), Place::At(address));
        self
    }

    /// A host and port where nobody is: its cluster has no host.
    #[must_use]
    pub fn without(mut self, host: &str, port: u16) -> Self {
        self.0.insert((host.to_owned(), port), Place::Nowhere);
        self
    }

    fn find(&self, host: &str, port: u16) -> Option<Place> {
        self.0.get(&(host.to_owned(), port)).copied()
    }
}

// === impl Rewrite ===

impl Rewrite {
    /// Modules (`*.wasm`) are taken from `dist`, whatever folder the bootstrap
    /// names.
    pub fn new(endpoints: Endpoints, dist: &Path) -> Self {
        Self {
            endpoints,
            dist: dist.to_owned(),
            paths: Vec::new(),
            fixed_ports: false,
            unreachable_is_fine: false,
        }
    }

    /// Other files below `prefix` are taken from `directory`.
    #[must_use]
    pub fn path(mut self, prefix: &str, directory: &Path) -> Self {
        self.paths.push((prefix.to_owned(), directory.to_owned()));
        self
    }

    /// Listeners keep their ports.
    #[must_use]
    pub fn fixed_ports(mut self) -> Self {
        self.fixed_ports = true;
        self
    }

    /// An endpoint that is nowhere is left out: its cluster has no host, as
    /// when docker-compose does not run that service. Otherwise it is an error.
    #[must_use]
    pub fn unreachable_is_fine(mut self) -> Self {
        self.unreachable_is_fine = true;
        self
    }

    /// Reads a YAML (or JSON) bootstrap and fits it.
    pub fn load(&self, path: &Path) -> anyhow::Result<Value> {
        let bootstrap = read_yaml(path)?;
        self.apply(bootstrap).with_context(|| format!("in {}", path.display()))
    }

    /// Fits a bootstrap.
    pub fn apply(&self, mut bootstrap: Value) -> anyhow::Result<Value> {
        let resources = &mut bootstrap["static_resources"];
        for listener in items(&mut resources["listeners"]) {
            self.listener(listener);
        }
        for cluster in items(&mut resources["clusters"]) {
            self.cluster(cluster)?;
        }
        self.files(&mut bootstrap)?;
        Ok(bootstrap)
    }

    fn listener(&self, listener: &mut Value) {
        // A listener without a socket is found by its port: that is a key.
        let bound = listener["bind_to_port"] != json!(false);
        let free = bound && !self.fixed_ports;
        let to_loopback = |place: &mut Value| {
            if let Some(socket) = place.pointer_mut("/address/socket_address") {
                socket["address"] = json!("127.0.0.1");
                if free {
                    socket["port_value"] = json!(0);
                }
            }
        };
        to_loopback(listener);
        if let Some(Value::Array(more)) = listener.get_mut("additional_addresses") {
            more.iter_mut().for_each(to_loopback);
        }
    }

    fn cluster(&self, cluster: &mut Value) -> anyhow::Result<()> {
        let name = cluster["name"].as_str().unwrap_or_default().to_owned();
        let Some(assignment) = cluster.get_mut("load_assignment") else {
            return Ok(());
        };
        for locality in items(&mut assignment["endpoints"]) {
            let mut found = Vec::new();
            for mut host in std::mem::take(items(&mut locality["lb_endpoints"])) {
                if self.endpoint(&mut host, &name)? {
                    found.push(host);
                }
            }
            locality["lb_endpoints"] = json!(found);
        }
        // Addresses need no resolver; Envoy refuses a name in a STATIC cluster
        // and this leaves none.
        let by_name = matches!(cluster["type"].as_str(), Some("STRICT_DNS" | "LOGICAL_DNS"));
        let by_extension = cluster["cluster_type"]["name"].as_str().is_some_and(|kind| kind.contains("dns"));
        if let Some(cluster) = cluster.as_object_mut()
            && (by_name || by_extension)
        {
            cluster.retain(|key, _| key != "cluster_type" && !key.starts_with("dns_"));
            cluster.insert("type".to_owned(), json!("STATIC"));
        }
        Ok(())
    }

    /// Whether this endpoint is there; its address is replaced.
    fn endpoint(&self, host: &mut Value, cluster: &str) -> anyhow::Result<bool> {
        let Some(socket) = host.pointer_mut("/endpoint/address/socket_address") else {
            return Ok(true);
        };
        let name = socket["address"].as_str().unwrap_or_default();
        let port = socket["port_value"].as_u64().unwrap_or_default();
        let port = u16::try_from(port).with_context(|| format!("cluster {cluster}: port {port}"))?;
        if let Some(known) = self.endpoints.find(name, port) {
            let Place::At(address) = known else { return Ok(false) };
            *socket = json!({ "address": address.ip().to_string(), "port_value": address.port() });
            return Ok(true);
        }
        anyhow::ensure!(
            self.unreachable_is_fine,
            "cluster {cluster} names {name}:{port}, and nobody said where that is; \
             add it to the endpoints"
        );
        Ok(false)
    }

    /// Turns paths below known keys into paths of this machine.
    fn files(&self, value: &mut Value) -> anyhow::Result<()> {
        match value {
            Value::Array(list) => list.iter_mut().try_for_each(|item| self.files(item)),
            Value::Object(object) => {
                for (key, item) in object {
                    match key.as_str() {
                        "filename" => self.file(item)?,
                        "path_config_source" | "watched_directory" => {
                            if let Some(path) = item.get_mut("path") {
                                self.file(path)?;
                            }
                        }
                        _ => {}
                    }
                    self.files(item)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn file(&self, value: &mut Value) -> anyhow::Result<()> {
        let Some(text) = value.as_str() else {
            return Ok(());
        };
        let path = Path::new(text);
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_name().unwrap_or_default();
            let module = std::path::absolute(self.dist.join(name))?;
            anyhow::ensure!(module.is_file(), "no module {}: run make filters", module.display());
            *value = json!(module);
            return Ok(());
        }
        for (prefix, directory) in &self.paths {
            if let Ok(rest) = path.strip_prefix(prefix) {
                // Joining nothing would append a slash.
                let there =
                    if rest.as_os_str().is_empty() { directory.clone() } else { directory.join(rest) };
                *value = json!(std::path::absolute(there)?);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Reads a YAML or JSON file into one JSON value.
pub fn read_yaml(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

/// The elements of a list; none if it is not there.
fn items(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = json!([]);
    }
    match value {
        Value::Array(list) => list,
        _ => unreachable!("it was made a list above"),
    }
}

#[cfg(test)]
mod tests;
