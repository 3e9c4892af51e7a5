//! `hostMap`: maps a host to the component behind it.
//!
//! Keys are hosts, the beginnings of hosts with a `*` at the end, or hosts with `*` as in `hosts` of a match.
//! JSON keeps no order, so order must not matter: a whole host wins, then the longer key, and of two that
//! are as long the first in the alphabet. The names of workloads are mapped in the same way.

use std::cmp::Reverse;

use crate::language::invalid::{Code, Invalid};
use crate::language::names::IndexByName;
use crate::language::policy_value::PolicyValue;
use crate::matching::hosts::{Globs, HostPattern};
use crate::matching::parse;

/// A map from hosts to values.
#[derive(Clone, Debug, Default)]
pub(super) struct HostMap {
    /// Whole hosts as they are; beginnings with their `*`, which no host has.
    hosts: IndexByName,
    /// The lengths of beginnings, longest first.
    lengths: Vec<usize>,
    /// Hosts with a `*` elsewhere, by their index in `starred`.
    globs: Globs,
    starred: Vec<(Box<str>, u32)>,
}

impl HostMap {
    /// Reads a key into the form in which hosts are compared.
    pub(super) fn key(written: &str) -> Result<Box<str>, Invalid> {
        if written == "*" {
            return Err(Invalid::new(Code::BadHost, "\"*\" is every host", "write its value as \"other\""));
        }
        if !is_starred(written) {
            return parse::host_or_beginning(written);
        }
        let (before, name) = match parse::host(&PolicyValue::Text(written.to_owned()))? {
            HostPattern::Glob(glob) => ("", glob),
            HostPattern::Suffix(domain) => ("*", domain),
            HostPattern::Exact(_) | HostPattern::Any => ("", Box::default()),
        };
        Ok([before, &String::from_utf8_lossy(&name)].concat().into())
    }

    /// Bytes that a key takes besides those of every entry.
    pub(super) fn weight(key: &str) -> usize {
        if is_starred(key) { Globs::weight(key.as_bytes()).saturating_add(key.len()) } else { 0 }
    }

    pub(super) fn insert(&mut self, key: &str, value: u32) {
        if is_starred(key) {
            let index = u32::try_from(self.starred.len()).unwrap_or(u32::MAX);
            self.globs.insert(key.as_bytes(), index);
            self.starred.push((key.into(), value));
            return;
        }
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
        let starred = self.find_starred(name);
        let shortest = starred.map_or(0, |(length, _)| length);
        let mut key = Vec::new();
        let beginnings = self.lengths.iter().take_while(|length| **length >= shortest);
        let mut beginning = beginnings.filter_map(|length| {
            key.clear();
            key.extend_from_slice(name.get(..*length)?);
            key.push(b'*');
            self.hosts.get(key.as_slice()).copied()
        });
        beginning.next().or(starred.map(|(_, value)| value))
    }

    /// The longest key with a `*` inside that covers a name: its length, and its value.
    fn find_starred(&self, name: &[u8]) -> Option<(usize, u32)> {
        let mut best: Option<&(Box<str>, u32)> = None;
        self.globs.find(name, &mut |index| {
            let found = self.starred.get(index as usize);
            if best.is_none_or(|best| found.is_some_and(|found| rank(found) > rank(best))) {
                best = found;
            }
        });
        best.map(|(key, value)| (key.len(), *value))
    }
}

/// What comes first among keys.
fn rank((key, _): &(Box<str>, u32)) -> (usize, Reverse<&str>) {
    (key.len(), Reverse(key))
}

/// Whether a key has a `*` anywhere but at its end.
fn is_starred(key: &str) -> bool {
    key.strip_suffix('*').unwrap_or(key).contains('*')
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
    fn the_longest_of_all_keys_wins() {
        let mut map = HostMap::default();
        for (value, key) in (0..).zip([
            "pr-*.Example.com.",
            "pr-7.example.com",
            "*.example.com",
            "pr-8*",
            "pr-8.example.com.longer*",
            "*-eu.shop",
            "a*-eu.shop",
            "ab*eu.shop",
            "ab*-eu.shop",
            "ab-*eu.shop",
            "*-db.s*",
        ]) {
            map.insert(&HostMap::key(key).unwrap(), value);
        }
        for (host, value) in [
            ("pr-1.example.com", Some(0)),
            ("pr-7.example.com", Some(1)),
            ("a.b.example.com", Some(2)),
            ("pr-1.x.example.com", Some(2)),
            ("example.com", None),
            ("pr-8.example.com", Some(0)),
            ("pr-8.example.org", Some(3)),
            ("pr-8.example.com.longer.still", Some(4)),
            ("x-eu.shop", Some(5)),
            ("ac-eu.shop", Some(6)),
            ("abeu.shop", Some(7)),
            // As long as `ab-*eu.shop`, and before it in the alphabet.
            ("ab-eu.shop", Some(8)),
            ("ab-xeu.shop", Some(9)),
            ("x-db.shop", Some(10)),
            ("x-db.shop.more", None),
        ] {
            assert_eq!(map.find(Host::of(host.as_bytes()).name()), value, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for key in [
            "",
            "*",
            "**",
            "a**",
            "*.",
            "*a*b.c",
            "a*:80",
            "[*::1]",
            "http://a*b",
            "http://a",
            "a:80",
            "[::1]:80",
            "a:80*",
            "a/b",
            "a b",
        ] {
            assert!(HostMap::key(key).is_err(), "{key}");
        }
    }
}
