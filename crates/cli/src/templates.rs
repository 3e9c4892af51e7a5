//! Path templates from a description of an API (`OpenAPI` 2 or 3): as tags, as a rule that routes, and as
//! rules for what may leave. They are bounded, because the description is.

use narrows_core::PolicyValue;

use crate::error::CliError;
use crate::source::Node;

/// The methods that an operation may have, as the description writes them.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The operations of an API that share a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The template.
    pub template: String,
    /// Its methods, in upper case.
    pub methods: Vec<String>,
    /// The path as it was written, if the template is wider.
    pub wider_than: Option<String>,
}

/// An API, as far as its requests' paths go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// The hosts of its servers.
    pub hosts: Vec<String>,
    /// Its paths in the order written, each once.
    pub paths: Vec<Path>,
}

/// Reads a description.
pub fn read(document: &Node) -> Result<Api, CliError> {
    if document.get("openapi").is_none() && document.get("swagger").is_none() {
        return Err(CliError::new(
            "this is no description of an API",
            "name a file with \"openapi\" and \"paths\"",
        ));
    }
    let (hosts, base) = servers(document);
    let mut paths: Vec<Path> = Vec::new();
    let written = document.get("paths").map(Node::fields).unwrap_or_default();
    for (key, item) in written.iter().filter(|(key, _)| key.name.starts_with('/')) {
        let (template, is_wider) = template(&format!("{base}{}", key.name));
        let methods = METHODS.iter().filter(|method| item.get(method).is_some());
        let methods = methods.map(|method| method.to_ascii_uppercase());
        let wider_than = is_wider.then(|| key.name.clone());
        match paths.iter_mut().find(|known| same(&known.template, &template)) {
            Some(known) => {
                let new: Vec<String> = methods.filter(|method| !known.methods.contains(method)).collect();
                known.methods.extend(new);
            }
            None => paths.push(Path { template, methods: methods.collect(), wider_than }),
        }
    }
    if paths.is_empty() {
        return Err(CliError::new("the description has no paths", "write them under \"paths\""));
    }
    Ok(Api { hosts, paths })
}

/// The hosts of the servers, and the path that each path begins with: that of the first server.
fn servers(document: &Node) -> (Vec<String>, String) {
    let mut hosts = Vec::new();
    let mut bases = Vec::new();
    for server in document.get("servers").map(Node::elements).unwrap_or_default() {
        let url = server.text_at("url").unwrap_or_default();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (authority, path) = if url.starts_with('/') {
            ("", url)
        } else {
            rest.split_at(rest.find('/').unwrap_or(rest.len()))
        };
        let host = authority.split(':').next().unwrap_or_default();
        if !host.is_empty() && !host.contains(['{', '}']) && !hosts.contains(&host.to_owned()) {
            hosts.push(host.to_owned());
        }
        bases.push(path.trim_end_matches('/').to_owned());
    }
    if let Some(host) = document.text_at("host") {
        hosts.push(host.split(':').next().unwrap_or_default().to_owned());
    }
    bases.extend(document.text_at("basePath").map(|base| base.trim_end_matches('/').to_owned()));
    (hosts, bases.into_iter().next().unwrap_or_default())
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
                let ends_well = ending.is_empty()
                    || (ending.starts_with(['.', ':'])
                        && !ending[1..].contains(['.', ':'])
                        && ending.len() > 1);
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

/// Whether two templates fit the same paths: the names of variables mean nothing.
fn same(one: &str, other: &str) -> bool {
    let shape = |template: &str| -> Vec<String> {
        let of = |segment: &str| {
            segment.split_once('}').map_or(segment.to_owned(), |(_, end)| format!("{{}}{end}"))
        };
        template.split('/').map(of).collect()
    };
    shape(one) == shape(other)
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

impl Api {
    /// A policy with these paths, for people to go on with.
    pub fn policy(&self, of: Use) -> PolicyValue {
        let templates = || self.paths.iter().map(|path| text(&path.template)).collect();
        let template = |path: &Path| table([("template", text(&path.template))]);
        match of {
            Use::Tags => table([
                ("filter", text("metric-tags")),
                (
                    "tags",
                    table([(
                        "operation",
                        table([
                            ("pathTemplates", PolicyValue::List(templates())),
                            ("other", text("unmatched")),
                        ]),
                    )]),
                ),
                (
                    "metrics",
                    list([table([
                        ("name", text("requests_total")),
                        ("type", text("counter")),
                        ("tags", list([text("operation")])),
                    ])]),
                ),
            ]),
            Use::Routing => {
                let matches = self.paths.iter().map(|path| {
                    let methods = path.methods.iter().map(|method| text(method)).collect();
                    let mut fields = vec![("path", template(path))];
                    if !path.methods.is_empty() {
                        fields.push(("method", table([("in", PolicyValue::List(methods))])));
                    }
                    table(fields)
                });
                let rule = table([
                    ("name", text("api")),
                    ("matches", PolicyValue::List(matches.collect())),
                    ("route", table([("to", text("api"))])),
                ]);
                table([("filter", text("header-router")), ("rules", list([rule]))])
            }
            Use::Egress => table([
                ("filter", text("egress-policy")),
                ("default", text("deny")),
                ("rules", PolicyValue::List(self.rules())),
            ]),
        }
    }

    fn rules(&self) -> Vec<PolicyValue> {
        let mut sets: Vec<(Vec<String>, Vec<&Path>)> = Vec::new();
        for path in &self.paths {
            let mut methods = path.methods.clone();
            methods.sort();
            match sets.iter_mut().find(|(known, _)| *known == methods) {
                Some((_, paths)) => paths.push(path),
                None => sets.push((methods, vec![path])),
            }
        }
        let hosts: Vec<PolicyValue> = if self.hosts.is_empty() {
            vec![text("api.example.com")]
        } else {
            self.hosts.iter().map(|host| text(host)).collect()
        };
        let rule = |(number, (methods, paths)): (usize, (Vec<String>, Vec<&Path>))| {
            let paths = paths.iter().map(|path| table([("template", text(&path.template))])).collect();
            let mut to = vec![("hosts", PolicyValue::List(hosts.clone()))];
            if !methods.is_empty() {
                to.push(("methods", PolicyValue::List(methods.iter().map(|method| text(method)).collect())));
            }
            to.push(("paths", PolicyValue::List(paths)));
            table([
                ("name", text(&format!("api-{}", number + 1))),
                ("action", text("allow")),
                ("to", table(to)),
            ])
        };
        sets.into_iter().enumerate().map(rule).collect()
    }
}

fn text(text: &str) -> PolicyValue {
    PolicyValue::Text(text.into())
}

fn list(elements: impl IntoIterator<Item = PolicyValue>) -> PolicyValue {
    PolicyValue::List(elements.into_iter().collect())
}

fn table<'n>(fields: impl IntoIterator<Item = (&'n str, PolicyValue)>) -> PolicyValue {
    PolicyValue::Table(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
