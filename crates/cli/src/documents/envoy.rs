//! Policies in Envoy's own configuration.

use super::found::Found;
use super::kind::Kind;
use crate::code;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::source::{Node, SourceFile, Value};

/// The type of Envoy's Wasm filter.
const WASM: &str = ".filters.http.wasm.v3.Wasm";
/// The type of a string in a `google.protobuf.Any`.
const STRING: &str = "google.protobuf.StringValue";

/// The value under a path, in the spelling of Envoy's files or in that of JSON, which its admin
/// interface and istioctl print.
pub(crate) fn get<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    node.get(path).or_else(|| {
        let mut words = path.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let camel = words.fold(first, |mut camel, word| {
            let mut letters = word.chars();
            camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            camel + letters.as_str()
        });
        node.get(&camel)
    })
}

fn text_at<'n>(node: &'n Node, path: &str) -> Option<&'n str> {
    get(node, path)?.text()
}

/// The documents in the string of a `ConfigMap`, if it mentions the type of Envoy's Wasm filter.
pub(super) fn embedded(source: &SourceFile, string: &Node) -> Vec<Node> {
    let is_envoys = string.text().is_some_and(|text| text.contains(WASM));
    if is_envoys { source.embedded(string) } else { Vec::new() }
}

/// Finds Envoy's Wasm filters anywhere below a node.
pub(super) fn find(source: &SourceFile, node: &Node, found: &mut Vec<Found>, findings: &mut Vec<Finding>) {
    let type_at = |field| text_at(node, field).unwrap_or_default();
    if type_at("@type").ends_with(WASM) {
        plugin(source, node.get("config"), found, findings);
    } else if type_at("@type").ends_with(".TypedStruct") && type_at("type_url").ends_with(WASM) {
        plugin(source, node.get("value.config"), found, findings);
    } else {
        node.children().for_each(|inner| find(source, inner, found, findings));
    }
}

/// Reads Envoy's `PluginConfig`.
fn plugin(source: &SourceFile, config: Option<&Node>, found: &mut Vec<Found>, findings: &mut Vec<Finding>) {
    let Some(config) = config else { return };
    let code = ["vm_config.code.local.filename", "vm_config.code.remote.http_uri.uri"];
    let root_id = text_at(config, "root_id");
    let module = code.iter().find_map(|path| Filter::of_plugin(text_at(config, path), root_id));
    let filter = module.or_else(|| Filter::of_module(config.text_at("name")?));
    let mut read = |field: &str| match get(config, field).map(|any| content(source, any)) {
        Some(Ok(node)) => Some(node),
        None => Some(Node { at: config.head(), value: Value::Table(Vec::new()) }),
        Some(Err(finding)) => {
            // A plugin that is not ours may have any configuration.
            findings.extend(filter.map(|_| finding));
            None
        }
    };
    let vm = get(config, "vm_config.configuration").and(read("vm_config.configuration"));
    if let Some(policy) = read("configuration") {
        let filter = filter.or_else(|| Filter::of_policy(&policy));
        found.extend(filter.map(|filter| Found { filter: Some(filter), policy, vm, within: Kind::Envoy }));
    }
}

/// The JSON in a `google.protobuf.Any` that Envoy hands to a plugin.
fn content(source: &SourceFile, any: &Node) -> Result<Node, Finding> {
    let refuse = |message: String| Finding {
        code: code::NOT_A_STRING,
        level: Level::Error,
        at: any.field("@type").map_or_else(|| any.head(), |(_, value)| value.at.clone()),
        place: String::new(),
        message,
        help: format!("write {{ \"@type\": type.googleapis.com/{STRING}, value: '{{…}}' }}"),
    };
    let Some(name) = any.text_at("@type") else {
        return Err(refuse("the configuration has no \"@type\"".to_owned()));
    };
    if !name.ends_with(STRING) {
        let name = name.rsplit('/').next().unwrap_or(name);
        return Err(refuse(format!("a {name} does not reach the filter as JSON")));
    }
    match any.get("value") {
        None => Ok(Node { at: any.head(), value: Value::Table(Vec::new()) }),
        Some(value) if value.text().is_some() => source.inner(value),
        Some(value) => Err(Finding { at: value.head(), ..refuse("the value is not a string".to_owned()) }),
    }
}
