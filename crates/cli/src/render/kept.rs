//! What a resource says besides its policy. Whoever renders the policy again keeps it.

mod envoy_filter;
mod extension_policy;

use narrows_core::PolicyValue;

use crate::documents::Kind;
use crate::filter::Filter;
use crate::istio::fields::Schema;
use crate::istio::{Mode, Release};
use crate::placement::site::Side;
use crate::source::{Node, SourceFile, Value};

/// The fields of a table, in their order.
pub type Fields = Vec<(String, PolicyValue)>;

/// A field of a resource that is not kept.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Its path.
    pub path: String,
    /// What on the command line stands in its place.
    pub by: Given,
}

/// What the command line can say in place of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Another name: then the resource stays as it is, with whatever else it says.
    Name,
    /// The proxies.
    Target,
    /// The module.
    Module,
    /// The module, where the output has another one in a file.
    File,
    /// The direction, or that the proxies are gateways.
    Direction,
    /// The ports.
    Ports,
    /// The place among the filters.
    Phase,
    /// The priority.
    Priority,
    /// Nothing.
    Nothing,
}

/// Values of the environment of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// Names that the proxy has values for.
    pub(super) of_host: Vec<String>,
    /// Names and values.
    pub(super) written: Vec<(String, String)>,
}

/// What a resource says besides its policy, in the words of a `WasmPlugin`.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Its name.
    pub name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its labels and annotations.
    pub metadata: Fields,
    /// The labels of the workloads.
    pub selector: Vec<(String, String)>,
    /// Kind and name of Gateway API's targets.
    pub targets: Vec<(String, String)>,
    /// The phase, if it writes one.
    pub phase: Option<&'static str>,
    /// The priority, if it writes one.
    pub priority: Option<i32>,
    /// Whether an `EnvoyFilter` has the filter that decides as the first one, or as the last one.
    pub is_first: Option<bool>,
    /// Whether an `EnvoyFilter` has another filter before it, which strips.
    pub is_split: bool,
    /// The priority of an `EnvoyFilter`, which is that of its patches.
    pub patch_priority: Option<i64>,
    /// The file of the module.
    pub file: Option<String>,
    /// The address of the module.
    pub url: Option<String>,
    /// The digest of the module.
    pub sha256: Option<String>,
    /// The clauses of `match`.
    matches: Vec<Node>,
    /// Every other field of the plugin.
    plugin: Fields,
    /// What is not kept.
    pub lost: Vec<Lost>,
}

/// The fields of a plugin that are not copied: `render` writes them itself.
const WRITTEN: [&str; 9] =
    ["url", "sha256", "pluginConfig", "selector", "targetRef", "targetRefs", "phase", "priority", "match"];

impl Kept {
    /// What this resource says besides this policy of it; nothing if the kind has no attachment.
    pub fn of(source: &SourceFile, resource: &Node, filter: Filter, policy: &Node) -> Self {
        let kind = Kind::of(resource);
        let kept = match (kind, kind.plugin()) {
            (_, Some(path)) => Self::of_plugin(resource, kind, path),
            (Kind::ExtensionPolicy, _) => extension_policy::kept(resource, policy),
            (Kind::Envoy, _) if resource.text_at("kind").is_some() => {
                envoy_filter::kept(source, resource, filter, policy)
            }
            _ => return Self::default(),
        };
        let own = |field: &str| resource.text_at(field).map(str::to_owned);
        Self {
            name: own("metadata.name"),
            namespace: own("metadata.namespace"),
            metadata: written_metadata(resource),
            targets: targets(resource),
            ..kept
        }
    }

    /// What a `WasmPlugin` or `TrafficExtension` says.
    fn of_plugin(resource: &Node, kind: Kind, path: &str) -> Self {
        let own = |field: &str| resource.text_at(field).map(str::to_owned);
        let plugin = resource.get(path).map(Node::fields).unwrap_or_default();
        let is_known = |name: &str| {
            Schema::of(kind).is_some_and(|schema| schema.field(&format!("{path}.{name}")).is_some())
        };
        let copied = plugin.iter().filter(|(key, _)| !WRITTEN.contains(&&*key.name) && is_known(&key.name));
        Self {
            selector: pairs(resource.get("spec.selector.matchLabels").map(Node::fields).unwrap_or_default()),
            phase: own("spec.phase")
                .and_then(|phase| ["AUTHN", "AUTHZ", "STATS"].into_iter().find(|known| *known == phase)),
            priority: integer(resource.get("spec.priority")).and_then(|number| number.try_into().ok()),
            url: own(&format!("{path}.url")),
            sha256: own(&format!("{path}.sha256")),
            matches: resource.get("spec.match").map(Node::elements).unwrap_or_default().to_vec(),
            plugin: copied.map(|(key, value)| (key.name.clone(), value.tree())).collect(),
            ..Self::default()
        }
    }

    /// The side that all clauses of `match` choose.
    pub(super) fn side(&self) -> Side {
        let all = |mode: Mode| {
            !self.matches.is_empty()
                && self.matches.iter().all(|clause| clause.text_at("mode") == Some(mode.as_str()))
        };
        match (all(Mode::Client), all(Mode::Server)) {
            (true, _) => Side::Client,
            (false, true) => Side::Server,
            (false, false) => Side::Both,
        }
    }

    /// The clauses of `match`, if there are any.
    pub(super) fn clauses(&self) -> Option<PolicyValue> {
        let clauses: Vec<_> = self.matches.iter().map(Node::tree).collect();
        (!clauses.is_empty()).then_some(PolicyValue::List(clauses))
    }

    /// The direction and the ports of each clause of `match`.
    pub(super) fn restrictions(&self) -> impl Iterator<Item = (Option<Mode>, Vec<u16>)> {
        self.matches.iter().map(|clause| {
            let ports = clause.get("ports").map(Node::elements).unwrap_or_default().iter();
            let ports = ports.filter_map(|port| integer(port.get("number"))?.try_into().ok());
            (clause.text_at("mode").and_then(|mode| mode.parse().ok()), ports.collect())
        })
    }

    /// The environment in `vmConfig`.
    pub(super) fn environment(&self) -> Environment {
        let mut environment = Environment::default();
        let config = self.field("vmConfig", Release::NEWEST);
        let list = config.as_ref().and_then(|config| value_of(config, "env"));
        for one in if let Some(PolicyValue::List(all)) = list { all.as_slice() } else { &[] } {
            let text = |field| match value_of(one, field) {
                Some(PolicyValue::Text(text)) => Some(text.clone()),
                _ => None,
            };
            let Some(name) = text("name") else { continue };
            match text("valueFrom").as_deref() {
                Some("HOST") => environment.of_host.push(name),
                _ => environment.written.push((name, text("value").unwrap_or_default())),
            }
        }
        environment
    }

    /// A field of the plugin, if the release has it, and its word.
    pub(super) fn field(&self, name: &str, release: Release) -> Option<PolicyValue> {
        let (_, value) = self.plugin.iter().find(|(field, _)| field == name)?;
        let schema = Schema::of(Kind::WasmPlugin)?;
        let word = if let PolicyValue::Text(word) = value { word } else { "" };
        schema.field(&format!("spec.{name}")).filter(|field| field.has(word, release))?;
        Some(value.clone())
    }

    /// The text of a field of the plugin.
    pub(super) fn text(&self, name: &str, release: Release) -> Option<String> {
        match self.field(name, release)? {
            PolicyValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn targets(resource: &Node) -> Vec<(String, String)> {
    let list = resource.get("spec.targetRefs").map(Node::elements).unwrap_or_default().iter();
    list.chain(resource.get("spec.targetRef"))
        .filter_map(|target| Some((target.text_at("kind")?.to_owned(), target.text_at("name")?.to_owned())))
        .collect()
}

fn pairs(fields: &[(crate::source::Key, Node)]) -> Vec<(String, String)> {
    fields.iter().filter_map(|(key, value)| Some((key.name.clone(), value.text()?.to_owned()))).collect()
}

fn integer(node: Option<&Node>) -> Option<i64> {
    match node?.value {
        Value::Scalar(PolicyValue::Integer(number)) => Some(number),
        _ => None,
    }
}

/// A field of a table.
fn value_of<'v>(table: &'v PolicyValue, name: &str) -> Option<&'v PolicyValue> {
    let PolicyValue::Table(fields) = table else { return None };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// The labels and annotations.
fn written_metadata(resource: &Node) -> Fields {
    let mut metadata = Vec::new();
    for field in ["labels", "annotations"] {
        let written = resource.get(&format!("metadata.{field}")).map(Node::fields).unwrap_or_default();
        // kubectl keeps the whole resource there.
        let fields = written.iter().filter(|(key, _)| !key.name.ends_with("/last-applied-configuration"));
        let fields: Fields = fields.map(|(key, value)| (key.name.clone(), value.tree())).collect();
        if !fields.is_empty() {
            metadata.push((field.to_owned(), PolicyValue::Table(fields)));
        }
    }
    metadata
}

/// The metadata of a resource: its name with the suffix of the part, its namespace, what is kept.
pub(super) fn metadata(name: &str, namespace: Option<&str>, kept: &Kept) -> PolicyValue {
    let text = |text: &str| PolicyValue::Text(text.to_owned());
    let mut fields = vec![("name".to_owned(), text(name))];
    fields.extend(namespace.map(|name| ("namespace".to_owned(), text(name))));
    fields.extend(kept.metadata.iter().cloned());
    PolicyValue::Table(fields)
}
