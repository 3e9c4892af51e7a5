//! What an `EnvoyExtensionPolicy` says besides the policy of one of its plugins.
//!
//! Source: `api/v1alpha1/wasm_types.go` and `envoyextensionypolicy_types.go` of Envoy Gateway.

use narrows_core::PolicyValue;

use super::{Fields, Given, Kept, Lost};
use crate::source::{Node, Value};

/// What a field takes.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    Text,
    Flag,
    Texts,
    Any,
}

/// The fields of a plugin that are kept, or need not be. An older form has the digest beside the source.
const PLUGIN: [(&str, Takes); 15] = [
    ("name", Takes::Text),
    ("rootID", Takes::Text),
    ("failOpen", Takes::Flag),
    ("config", Takes::Any),
    ("env.hostKeys", Takes::Texts),
    ("code.type", Takes::Text),
    ("code.pullPolicy", Takes::Text),
    ("code.sha256", Takes::Text),
    ("code.http.url", Takes::Text),
    ("code.http.sha256", Takes::Text),
    ("code.image.url", Takes::Text),
    ("code.image.sha256", Takes::Text),
    ("code.image.pullSecretRef.group", Takes::Text),
    ("code.image.pullSecretRef.kind", Takes::Text),
    ("code.image.pullSecretRef.name", Takes::Text),
];
/// The fields of a target. Another one, such as `sectionName`, chooses a part of it.
pub(super) const TARGET: [(&str, Takes); 3] =
    [("group", Takes::Text), ("kind", Takes::Text), ("name", Takes::Text)];

/// What the resource says besides this policy.
pub(super) fn kept(resource: &Node, policy: &Node) -> Kept {
    let plugins = resource.get("spec.wasm").map(Node::elements).unwrap_or_default();
    // A plugin without a policy has an empty one, in its own place.
    let place =
        |plugin: &Node| plugin.get("config").map_or_else(|| plugin.head(), |config| config.at.clone());
    let of_policy = plugins.iter().position(|plugin| place(plugin) == policy.at);
    let mut lost = beside(resource, of_policy);
    let Some(plugin) = of_policy.and_then(|i| plugins.get(i)) else {
        return Kept { lost, ..Kept::default() };
    };
    unknown(plugin, "", &PLUGIN, &mut |path| {
        let by = if path.starts_with("code") { Given::Module } else { Given::Nothing };
        lost.push(Lost { path: format!("spec.wasm.{path}"), by });
    });
    let text = |path: &str| plugin.text_at(path).map(str::to_owned);
    let image =
        text("code.image.url").map(|url| if url.contains("://") { url } else { format!("oci://{url}") });
    let digests = ["code.image.sha256", "code.http.sha256", "code.sha256"];
    Kept {
        url: image.or_else(|| text("code.http.url")),
        sha256: digests.iter().find_map(|path| text(path)),
        plugin: in_words_of_istio(plugin),
        lost,
        ..Kept::default()
    }
}

/// What the spec says beside the plugin.
fn beside(resource: &Node, of_policy: Option<usize>) -> Vec<Lost> {
    let mut lost = Vec::new();
    for (key, value) in resource.get("spec").map(Node::fields).unwrap_or_default() {
        match &*key.name {
            "targetRef" | "targetRefs" => {
                for target in value.elements().iter().chain([value]) {
                    unknown(target, "", &TARGET, &mut |path| {
                        lost.push(Lost { path: format!("spec.{}.{path}", key.name), by: Given::Target });
                    });
                }
            }
            "wasm" => {
                let others = (0..value.elements().len()).filter(|i| Some(*i) != of_policy);
                lost.extend(others.map(|i| Lost { path: format!("spec.wasm[{i}]"), by: Given::Name }));
            }
            "targetSelectors" => {
                lost.push(Lost { path: "spec.targetSelectors".to_owned(), by: Given::Target });
            }
            other => lost.push(Lost { path: format!("spec.{other}"), by: Given::Name }),
        }
    }
    lost
}

/// Tells the paths of fields that are not known, or of another type. Those of Envoy have two spellings.
pub(super) fn unknown(node: &Node, path: &str, known: &[(&str, Takes)], tell: &mut dyn FnMut(&str)) {
    for (key, value) in node.fields() {
        let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
        let spelt = |field: &str| field == path || envoys_spelling(&path) == field;
        let is_above =
            |field: &str| field.rmatch_indices('.').any(|(end, _)| field.get(..end).is_some_and(spelt));
        match (known.iter().find(|(field, _)| spelt(field)), &value.value) {
            (_, Value::Scalar(PolicyValue::Null))
            | (Some((_, Takes::Any)), _)
            | (Some((_, Takes::Text)), Value::Scalar(PolicyValue::Text(_)))
            | (Some((_, Takes::Flag)), Value::Scalar(PolicyValue::Flag(_))) => {}
            (Some((_, Takes::Texts)), Value::List(all)) if all.iter().all(|one| one.text().is_some()) => {}
            (None, Value::Table(_)) if known.iter().any(|(field, _)| is_above(field)) => {
                unknown(value, &path, known, tell);
            }
            _ => tell(&path),
        }
    }
}

/// The path in the spelling of Envoy's files, if it is in that of JSON.
fn envoys_spelling(path: &str) -> String {
    let mut words = String::new();
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The plugin's fields under the names that a `WasmPlugin` has for them.
fn in_words_of_istio(plugin: &Node) -> Fields {
    let text = |text: &str| PolicyValue::Text(text.to_owned());
    let copied = [
        ("imagePullPolicy", "code.pullPolicy"),
        ("imagePullSecret", "code.image.pullSecretRef.name"),
        ("pluginName", "rootID"),
    ];
    let copied = copied.iter().filter_map(|(name, path)| Some((*name, text(plugin.text_at(path)?))));
    let mut fields: Fields = copied.map(|(name, value)| (name.to_owned(), value)).collect();
    // Without the field it is closed.
    let is_open = plugin
        .get("failOpen")
        .is_some_and(|flag| matches!(flag.value, Value::Scalar(PolicyValue::Flag(true))));
    let strategy = if is_open { "FAIL_OPEN" } else { "FAIL_CLOSE" };
    fields.push(("failStrategy".to_owned(), text(strategy)));
    let keys = plugin.get("env.hostKeys").map(Node::elements).unwrap_or_default().iter();
    let keys = keys.filter_map(Node::text).map(|key| {
        PolicyValue::Table(vec![("name".to_owned(), text(key)), ("valueFrom".to_owned(), text("HOST"))])
    });
    let keys: Vec<_> = keys.collect();
    if !keys.is_empty() {
        let config = vec![("env".to_owned(), PolicyValue::List(keys))];
        fields.push(("vmConfig".to_owned(), PolicyValue::Table(config)));
    }
    fields
}
