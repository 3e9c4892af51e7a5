//! The servers of an API: under which hosts and base paths its paths are.

use crate::source::Node;

/// More hosts than anyone means by the values of variables.
const MOST: usize = 256;

/// Servers, by what each path begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Servers {
    /// Base paths, each with its hosts; both in the order written.
    pub(super) bases: Vec<(String, Vec<String>)>,
    /// The servers whose host has a variable without values.
    pub(super) unknown: Vec<String>,
}

impl Servers {
    /// The servers of a whole description; without any, one that is at `/`.
    pub(super) fn of_document(document: &Node) -> Self {
        let mut servers = Self::of(document).unwrap_or_default();
        let (host, base) = (document.text_at("host"), document.text_at("basePath"));
        if host.is_some() || base.is_some() {
            servers.add(host.and_then(host_of), base.unwrap_or_default());
        }
        if servers.bases.is_empty() && servers.unknown.is_empty() {
            servers.add(None, "");
        }
        servers
    }

    /// The servers of a part of a description, if it has its own.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let written = node.get("servers").map(Node::elements).filter(|servers| !servers.is_empty())?;
        let mut servers = Self::default();
        for server in written {
            let url = server.text_at("url").unwrap_or_default();
            let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
            let (authority, path) = match rest {
                None if url.starts_with('/') => ("", url),
                rest => {
                    let rest = rest.unwrap_or(url);
                    rest.split_at(rest.find('/').unwrap_or(rest.len()))
                }
            };
            match host_of(authority).map(|host| hosts(&host, server)) {
                None => servers.add(None, path),
                Some(Some(hosts)) => hosts.into_iter().for_each(|host| servers.add(Some(host), path)),
                Some(None) => {
                    servers.unknown.push(url.to_owned());
                    servers.add(None, path);
                }
            }
        }
        Some(servers)
    }

    fn add(&mut self, host: Option<String>, path: &str) {
        let base = path.trim_end_matches('/');
        let known = self.bases.iter().position(|(known, _)| known == base);
        if known.is_none() {
            self.bases.push((base.to_owned(), Vec::new()));
        }
        let entry = match known {
            Some(at) => self.bases.get_mut(at),
            None => self.bases.last_mut(),
        };
        if let (Some((_, hosts)), Some(host)) = (entry, host)
            && !hosts.contains(&host)
        {
            hosts.push(host);
        }
    }
}

/// The host of an authority, without its port.
fn host_of(authority: &str) -> Option<String> {
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.split_once(']') {
        Some((address, _)) if authority.starts_with('[') => format!("{address}]"),
        _ => authority.split(':').next().unwrap_or_default().to_owned(),
    };
    (!host.is_empty()).then_some(host)
}

/// A host with the values of its variables; nothing if they are not known.
fn hosts(host: &str, server: &Node) -> Option<Vec<String>> {
    let mut whole = Vec::new();
    let mut open = vec![host.to_owned()];
    while let Some(host) = open.pop() {
        let Some((before, rest)) = host.split_once('{') else {
            whole.push(host);
            continue;
        };
        let (name, after) = rest.split_once('}')?;
        let variables = server.get("variables")?.fields();
        let variable = variables.iter().find(|(key, _)| key.name == name).map(|(_, variable)| variable)?;
        let listed: Vec<&str> = variable
            .get("enum")
            .map(Node::elements)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::text)
            .collect();
        let values = if listed.is_empty() { vec![variable.text_at("default")?] } else { listed };
        // The last is taken first.
        open.extend(
            values
                .iter()
                .rev()
                .filter(|value| !value.contains('{'))
                .map(|value| format!("{before}{value}{after}")),
        );
        if open.len() + whole.len() > MOST {
            return None;
        }
    }
    Some(whole)
}
