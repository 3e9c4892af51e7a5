//! The policies that are made of an API's paths.

use std::collections::BTreeMap;

use narrows_core::{PolicyValue, limits};

use super::{Api, Path, Use};

/// The host in a policy for an API that names none.
const EXAMPLE: &str = "api.example.com";

impl Api {
    /// A policy with these paths, for people to go on with.
    pub fn policy(&self, of: Use) -> PolicyValue {
        match of {
            Use::Tags => self.tags(),
            Use::Routing => {
                table([("filter", text("header-router")), ("rules", PolicyValue::List(self.routes()))])
            }
            Use::Egress => table([
                ("filter", text("egress-policy")),
                ("default", text("deny")),
                ("rules", PolicyValue::List(self.rules())),
            ]),
        }
    }

    /// What the policy has not taken from the description, or takes otherwise, a phrase each.
    pub fn remarks(&self, of: Use) -> Vec<String> {
        let mut remarks = Vec::new();
        let paths = self.paths_of_any_host();
        for path in &paths {
            if let Some(written) = &path.wider_than {
                remarks.push(format!("{} also fits more than {written}", path.template));
            }
        }
        if of != Use::Tags {
            let idle = paths.iter().filter(|path| path.methods.is_empty());
            remarks.extend(idle.map(|path| format!("{} has no operation and is left out", path.template)));
        }
        if of == Use::Egress {
            let unknown = self.unknown_servers.iter();
            remarks.extend(unknown.map(|url| {
                format!("the host of the server {url} is not known: its variables have no values")
            }));
        }
        remarks
    }

    /// The paths, each once, whatever its hosts.
    fn paths_of_any_host(&self) -> Vec<Path> {
        let mut paths: Vec<Path> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for path in &self.paths {
            let place = *places.entry(&path.shape).or_insert(paths.len());
            match paths.get_mut(place) {
                Some(known) => {
                    let new = path.methods.iter().filter(|method| !known.methods.contains(method));
                    let new: Vec<String> = new.cloned().collect();
                    known.methods.extend(new);
                }
                None => paths.push(path.clone()),
            }
        }
        paths
    }

    fn tags(&self) -> PolicyValue {
        let templates = self.paths_of_any_host().iter().map(|path| text(&path.template)).collect();
        let operation =
            table([("pathTemplates", PolicyValue::List(templates)), ("other", text("unmatched"))]);
        let metric = table([
            ("name", text("requests_total")),
            ("type", text("counter")),
            ("tags", list([text("operation")])),
        ]);
        table([
            ("filter", text("metric-tags")),
            ("tags", table([("operation", operation)])),
            ("metrics", list([metric])),
        ])
    }

    fn routes(&self) -> Vec<PolicyValue> {
        let paths = self.paths_of_any_host();
        let matches: Vec<PolicyValue> = paths
            .iter()
            .filter(|path| !path.methods.is_empty())
            .map(|path| table([("path", template(path)), ("method", table([("in", texts(&path.methods))]))]))
            .collect();
        let rules = matches.chunks(limits::MATCHES).enumerate().map(|(number, matches)| {
            let name = if number == 0 { "api".to_owned() } else { format!("api-{}", number + 1) };
            table([
                ("name", text(&name)),
                ("matches", PolicyValue::List(matches.to_vec())),
                ("route", table([("to", text("api"))])),
            ])
        });
        rules.collect()
    }

    /// A rule for each set of hosts and methods; several if it has more paths than a rule may have.
    fn rules(&self) -> Vec<PolicyValue> {
        let mut sets: Vec<((&[String], Vec<String>), Vec<PolicyValue>)> = Vec::new();
        let mut places: BTreeMap<(&[String], Vec<String>), usize> = BTreeMap::new();
        for path in self.paths.iter().filter(|path| !path.methods.is_empty()) {
            let mut methods = path.methods.clone();
            methods.sort();
            let set = (&*path.hosts, methods);
            let place = *places.entry(set.clone()).or_insert(sets.len());
            match sets.get_mut(place) {
                Some((_, paths)) => paths.push(template(path)),
                None => sets.push((set, vec![template(path)])),
            }
        }
        let rules = sets.iter().flat_map(|((hosts, methods), paths)| {
            let hosts = if hosts.is_empty() { list([text(EXAMPLE)]) } else { texts(hosts) };
            paths.chunks(limits::MATCHES).map(move |paths| {
                table([
                    ("hosts", hosts.clone()),
                    ("methods", texts(methods)),
                    ("paths", PolicyValue::List(paths.to_vec())),
                ])
            })
        });
        let named = rules.enumerate().map(|(number, to)| {
            table([("name", text(&format!("api-{}", number + 1))), ("action", text("allow")), ("to", to)])
        });
        named.collect()
    }
}

fn template(path: &Path) -> PolicyValue {
    table([("template", text(&path.template))])
}

fn texts(texts: &[String]) -> PolicyValue {
    PolicyValue::List(texts.iter().map(|one| text(one)).collect())
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
