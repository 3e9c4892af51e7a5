//! The destinations that `egress-policy` logged, as one policy.

mod log;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};

use narrows_core::egress::destination::Destination;
use narrows_core::egress::learn::METHODS;
use serde_json::Value;

use crate::source::WHOLE;
pub use written::Written;

/// The first word of the filter's lines.
const SPEAKER: &str = "egress-policy";

/// Destinations that were requested although no rule names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// How many lines there were.
    pub lines: usize,
    /// Requests to hosts that no line names.
    pub unnamed: u64,
    /// The plugins that logged them, as Envoy names plugins.
    pub plugins: BTreeSet<String>,
    /// The methods by host; none means any method.
    hosts: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Learnt {
    /// Reads a log: Envoy's own or Istio's, in text or JSON, with or without what containers add to it.
    /// If `plugins` is not empty, only their lines count: each is the name that Envoy gives a plugin.
    ///
    /// # Errors
    /// The log cannot be read, or has a line of more than [`WHOLE`] bytes.
    pub fn read(mut log: impl BufRead, plugins: &[String]) -> io::Result<Self> {
        let mut learnt = Self::default();
        let mut lines = log::Log::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = log.by_ref().take(WHOLE).read_until(b'\n', &mut line)?;
            if count == 0 {
                return Ok(learnt);
            }
            if u64::try_from(count) == Ok(WHOLE) && !line.ends_with(b"\n") {
                return Err(io::Error::other(format!("a line of more than {} MiB", WHOLE >> 20)));
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
            let Some(log::Message { plugin, words }) = lines.message(text) else { continue };
            // After the name, Envoy writes the root id and the VM's id.
            let is_named = |name: &String| {
                plugin.strip_prefix(&**name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            if (plugins.is_empty() || plugins.iter().any(is_named)) && learnt.add(&words) {
                learnt.plugins.insert(plugin);
            }
        }
    }

    /// The same of a log that is a text already.
    pub fn of(log: &str, plugins: &[String]) -> Self {
        Self::read(log.as_bytes(), plugins).unwrap_or_default()
    }

    /// How many hosts were named.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Adds a line, if it is one of the filter's: `egress-policy: 3 unlisted destinations, …`.
    fn add(&mut self, words: &str) -> bool {
        let told = words.strip_prefix(SPEAKER).and_then(|rest| rest.strip_prefix(": "));
        let count = told.and_then(|told| told.split_once(" unlisted destinations, "));
        let Some((_, told)) = count.filter(|(count, _)| count.parse::<u64>().is_ok()) else { return false };
        self.lines += 1;
        let unnamed = told.split_once(" requests to more hosts than").map(|(before, _)| before);
        let unnamed = unnamed.and_then(|before| before.rsplit(' ').next()?.parse::<u64>().ok());
        self.unnamed = self.unnamed.saturating_add(unnamed.unwrap_or_default());
        let Some((_, policy)) = told.split_once("them: ") else { return true };
        // After the policy, Istio's log has the thread that wrote it.
        let policy = serde_json::Deserializer::from_str(policy).into_iter::<Value>().next();
        let Some(Ok(policy)) = policy else { return true };
        for to in policy["rules"].as_array().into_iter().flatten().map(|rule| &rule["to"]) {
            let texts = |list: &Value| -> Option<BTreeSet<String>> {
                Some(list.as_array()?.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
            };
            let methods = texts(&to["methods"])
                .filter(|methods| methods.iter().all(|method| METHODS.contains(&method.as_str())));
            for host in texts(&to["hosts"]).into_iter().flatten().filter(|host| is_destination(host)) {
                let known = self.hosts.entry(host).or_insert_with(|| Some(BTreeSet::new()));
                match (known.as_mut(), &methods) {
                    (Some(known), Some(methods)) => known.extend(methods.iter().cloned()),
                    _ => *known = None,
                }
            }
        }
        true
    }
}

/// Whether a host is one destination, in the form in which the filter logs it. A line that allows more,
/// such as `*.com`, is not the filter's.
fn is_destination(host: &str) -> bool {
    Destination::of(host.as_bytes())
        .is_ok_and(|read| read.port.is_none() && *read.host.text() == *host.as_bytes())
}

#[cfg(test)]
mod tests;
