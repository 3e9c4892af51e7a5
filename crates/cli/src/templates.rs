//! Path templates from a description of an API (`OpenAPI` 2 or 3): as tags, as rules that route, and as
//! rules for what may leave. They are bounded, because the description is.

mod policy;
mod references;
mod servers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::error::CliError;
use crate::source::{Node, SourceFile};
use references::parts;
use servers::Servers;

/// The methods that an operation may have, as the description writes them.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// The operations of an API that share a path and hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The hosts of the servers that have it; none if no server names one.
    pub hosts: Vec<String>,
    /// The template.
    pub template: String,
    /// Its methods; none if the description has none.
    pub methods: Vec<String>,
    /// The path as it was written, if the template is wider.
    pub wider_than: Option<String>,
    /// The template without the names of its variables: two of one shape fit the same paths.
    shape: String,
}

/// An API, as far as its requests' paths go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Its paths in the order written, each once for each set of hosts.
    pub paths: Vec<Path>,
    /// Servers whose host has a variable without values.
    pub unknown_servers: Vec<String>,
    /// Where each path is, by its hosts and its shape.
    known: BTreeMap<(Vec<String>, String), usize>,
}

/// For what a description is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Use {
    /// A tag `operation` of metric-tags
    Tags,
    /// A rule of header-router for each path
    Routing,
    /// Rules of egress-policy, one for each set of methods
    Egress,
}

/// Reads the one description of a file.
pub fn read(source: &SourceFile, document: &Node) -> Result<Api, CliError> {
    if document.get("openapi").is_none() && document.get("swagger").is_none() {
        return Err(CliError::new(
            "this is no description of an API",
            "name a file with \"openapi\" and \"paths\"",
        ));
    }
    let mut api = Api::default();
    let servers = Servers::of_document(document);
    for (key, item) in document.get("paths").map(Node::fields).unwrap_or_default() {
        if key.name.starts_with("x-") {
            continue;
        }
        if key.name == "$ref" {
            return Err(references::elsewhere(source, "the list of paths", item));
        }
        if !key.name.starts_with('/') {
            let (line, column) = source.position(key.at.start);
            return Err(CliError::new(
                format!("{:?} under \"paths\" is no path, at line {line}, column {column}", key.name),
                "write it with a \"/\" at its beginning, or take it out",
            ));
        }
        let parts = parts(source, document, &key.name, item)?;
        let own = parts.iter().find_map(|part| Servers::of(part));
        api.add_item(&key.name, &parts, own.as_ref().unwrap_or(&servers));
    }
    if api.paths.is_empty() {
        return Err(CliError::new("the description has no paths", "write them under \"paths\""));
    }
    Ok(api)
}

impl Api {
    /// Adds the operations of a path, which may be in several parts.
    fn add_item(&mut self, written: &str, parts: &[&Node], servers: &Servers) {
        let mut is_empty = true;
        let usual = |part: &&Node| -> Vec<(String, Option<Servers>)> {
            let known =
                METHODS.iter().filter_map(|method| Some((method.to_ascii_uppercase(), part.get(method)?)));
            let others = part.get("additionalOperations").map(Node::fields).unwrap_or_default();
            let others = others.iter().map(|(method, operation)| (method.name.clone(), operation));
            known.chain(others).map(|(method, operation)| (method, Servers::of(operation))).collect()
        };
        for (method, own) in parts.iter().flat_map(usual) {
            is_empty = false;
            self.add(written, Some(&method), own.as_ref().unwrap_or(servers));
        }
        if is_empty {
            self.add(written, None, servers);
        }
    }

    /// Adds an operation under each base path of its servers.
    fn add(&mut self, written: &str, method: Option<&String>, servers: &Servers) {
        for (base, hosts) in &servers.bases {
            let (template, is_wider) = template(&format!("{base}{written}"));
            let wider_than = is_wider.then(|| written.to_owned());
            let shape = shape(&template);
            match self.known.entry((hosts.clone(), shape.clone())) {
                Entry::Occupied(at) => {
                    let Some(known) = self.paths.get_mut(*at.get()) else { continue };
                    known.methods.extend(method.filter(|method| !known.methods.contains(method)).cloned());
                    known.wider_than = known.wider_than.take().or(wider_than);
                }
                Entry::Vacant(new) => {
                    new.insert(self.paths.len());
                    self.paths.push(Path {
                        hosts: hosts.clone(),
                        template,
                        methods: method.into_iter().cloned().collect(),
                        wider_than,
                        shape,
                    });
                }
            }
        }
        for unknown in &servers.unknown {
            if !self.unknown_servers.contains(unknown) {
                self.unknown_servers.push(unknown.clone());
            }
        }
    }
}

/// A path of a description as a template; and whether that fits more than the path.
fn template(path: &str) -> (String, bool) {
    let mut wider = false;
    let segments = path.split('/').map(|segment| {
        if !segment.contains(['{', '}', '*']) {
            return segment.to_owned();
        }
        let inner = segment.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let plain =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match inner {
            Some((name, ending)) if !ending.contains(['{', '}', '*']) => {
                let name = if plain(name) { name } else { "value" };
                let rest = ending.strip_prefix(['.', ':']);
                let ends_well = ending.is_empty()
                    || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['.', ':']));
                wider |= !ends_well;
                format!("{{{name}}}{}", if ends_well { ending } else { "" })
            }
            _ => {
                wider = true;
                "{value}".to_owned()
            }
        }
    });
    let template = segments.collect::<Vec<_>>().join("/");
    (template, wider)
}

/// A template without the names of its variables, which mean nothing.
fn shape(template: &str) -> String {
    #[cfg(test)]
    tests::SHAPES.set(tests::SHAPES.get() + 1);
    let of =
        |segment: &str| segment.split_once('}').map_or(segment.to_owned(), |(_, end)| format!("{{}}{end}"));
    template.split('/').map(of).collect::<Vec<_>>().join("/")
}
