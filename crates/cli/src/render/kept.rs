//! What a resource says besides its policy. Whoever renders the policy again keeps it.

use narrows_core::PolicyValue;

use crate::documents::Kind;
use crate::istio::fields::Schema;
use crate::istio::{Mode, Release};
use crate::placement::site::Side;
use crate::source::{Node, Value};

/// The fields of a table, in their order.
pub type Fields = Vec<(String, PolicyValue)>;

/// What a `WasmPlugin` or `TrafficExtension` says besides its policy.
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
    /// The address of the module.
    pub url: Option<String>,
    /// The digest of the module.
    pub sha256: Option<String>,
    /// The clauses of `match`.
    matches: Vec<Node>,
    /// Every other field of the plugin.
    plugin: Fields,
}

/// The fields of a plugin that are not copied: `render` writes them itself.
const WRITTEN: [&str; 9] =
    ["url", "sha256", "pluginConfig", "selector", "targetRef", "targetRefs", "phase", "priority", "match"];

impl Kept {
    /// What this resource says; nothing if it carries no plugin.
    pub fn of(resource: &Node) -> Self {
        let kind = Kind::of(resource);
        let Some(path) = kind.plugin() else { return Self::default() };
        let own = |field: &str| resource.text_at(field).map(str::to_owned);
        let plugin = resource.get(path).map(Node::fields).unwrap_or_default();
        let is_known = |name: &str| {
            Schema::of(kind).is_some_and(|schema| schema.field(&format!("{path}.{name}")).is_some())
        };
        let copied = plugin.iter().filter(|(key, _)| !WRITTEN.contains(&&*key.name) && is_known(&key.name));
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
        Self {
            name: own("metadata.name"),
            namespace: own("metadata.namespace"),
            metadata,
            selector: pairs(resource.get("spec.selector.matchLabels").map(Node::fields).unwrap_or_default()),
            targets: targets(resource),
            phase: own("spec.phase")
                .and_then(|phase| ["AUTHN", "AUTHZ", "STATS"].into_iter().find(|known| *known == phase)),
            priority: integer(resource.get("spec.priority")),
            url: own(&format!("{path}.url")),
            sha256: own(&format!("{path}.sha256")),
            matches: resource.get("spec.match").map(Node::elements).unwrap_or_default().to_vec(),
            plugin: copied.map(|(key, value)| (key.name.clone(), value.tree())).collect(),
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

fn integer(node: Option<&Node>) -> Option<i32> {
    match node?.value {
        Value::Scalar(PolicyValue::Integer(number)) => number.try_into().ok(),
        _ => None,
    }
}

/// The metadata of a resource: its name with the suffix of the part, its namespace, what is kept.
pub(super) fn metadata(name: &str, namespace: Option<&str>, kept: &Kept) -> PolicyValue {
    let text = |text: &str| PolicyValue::Text(text.to_owned());
    let mut fields = vec![("name".to_owned(), text(name))];
    fields.extend(namespace.map(|name| ("namespace".to_owned(), text(name))));
    fields.extend(kept.metadata.iter().cloned());
    PolicyValue::Table(fields)
}
