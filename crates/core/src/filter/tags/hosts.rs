//! `hostMap`: maps a host to the component behind it.
//!
//! Keys are hosts, or the beginnings of hosts with a `*` at the end. JSON keeps no order, so order must
//! not matter: a whole host wins over a beginning, and a longer beginning wins over a shorter one. The
//! names of workloads are mapped in the same way.

use crate::language::invalid::{Code, Invalid};
use crate::language::names::IndexByName;
use crate::wire::host::split_port;

/// A map from hosts to values.
#[derive(Clone, Debug, Default)]
pub(super) struct HostMap {
    /// Whole hosts as they are; beginnings with their `*`, which no host has.
    hosts: IndexByName,
    /// The lengths of beginnings, longest first.
    lengths: Vec<usize>,
}

impl HostMap {
    /// Reads a key into the form in which hosts are compared.
    pub(super) fn key(written: &str) -> Result<Box<str>, Invalid> {
        let key = written.to_ascii_lowercase();
        let is_beginning = key.ends_with('*');
        let stem = key.strip_suffix('*').unwrap_or_else(|| key.trim_end_matches('.'));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.[:]".contains(&b);
        if written == "*" {
            return Err(Invalid::new(Code::BadHost, "\"*\" is every host", "write its value as \"other\""));
        }
        // The beginning of an IPv6 address has colons that do not start a port.
        let may_have_colons = is_beginning && stem.starts_with('[');
        let port = !may_have_colons && split_port(stem.as_bytes()).1.is_some();
        if stem.is_empty() || stem.len() > 253 || port || !stem.bytes().all(plain) {
            return Err(Invalid::new(
                Code::BadHost,
                format!("{written:?} is not a host, nor the beginning of one"),
                "write \"keycloak.example.com\" or \"keycloak*\": no scheme, no port, \"*\" at the end only",
            ));
        }
        Ok(if is_beginning { key.into() } else { stem.into() })
    }

    pub(super) fn insert(&mut self, key: &str, value: u32) {
        if let Some(stem) = key.strip_suffix('*')
            && !self.lengths.contains(&stem.len())
        {
            let shorter = self.lengths.partition_point(|length| *length > stem.len());
            self.lengths.insert(shorter, stem.len());
        }
        self.hosts.insert(key.as_bytes().into(), value);
    }

    /// The value of a host, or of another lower-case name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        if let Some(value) = self.hosts.get(name) {
            return Some(*value);
        }
        let mut key = Vec::new();
        self.lengths.iter().find_map(|length| {
            key.clear();
            key.extend_from_slice(name.get(..*length)?);
            key.push(b'*');
            self.hosts.get(key.as_slice()).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::HostMap;
    use crate::wire::host::Host;

    #[test]
    fn the_longest_beginning_wins() {
        let mut map = HostMap::default();
        for (value, key) in
            (0..).zip(["es*", "es-ingest*", "Keycloak.", "es-ingest.shop", "[::1]", "[fd00:*"])
        {
            map.insert(&HostMap::key(key).unwrap(), value);
        }
        let find = |host: &str| map.find(Host::of(host.as_bytes()).name());
        assert_eq!(find("es-master:9200"), Some(0));
        assert_eq!(find("ES-INGEST.vmi:443"), Some(1));
        assert_eq!(find("keycloak"), Some(2));
        assert_eq!(find("keycloak.example.com"), None);
        assert_eq!(find("es-ingest.shop"), Some(3));
        assert_eq!(find("[::1]:80"), Some(4));
        assert_eq!(find("e"), None);
        assert_eq!(find("es*"), Some(0));
        assert_eq!(find("es-ingest.shop:x"), Some(3));
        assert_eq!(find("[fd00::1]:x"), Some(5));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for key in ["", "*", "*.example.com", "a*b", "http://a", "a:80", "[::1]:80", "a:80*", "a/b", "a b"] {
            assert!(HostMap::key(key).is_err(), "{key}");
        }
    }
}
