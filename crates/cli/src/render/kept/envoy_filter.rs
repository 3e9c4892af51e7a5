//! What an `EnvoyFilter` says besides its policies: for which proxies it is, where its filters are, and how
//! they run.
//!
//! Source: `networking/v1alpha3/envoy_filter.proto` of Istio, `extensions/wasm/v3/wasm.proto` of Envoy.

use narrows_core::PolicyValue;

use super::extension_policy::{TARGET, Takes, unknown};
use super::{Fields, Given, Kept, Lost, integer, pairs};
use crate::documents::{self, envoys};
use crate::filter::Filter;
use crate::placement::Deeds;
use crate::render::envoy_filter::{MANAGER, ROUTER};
use crate::source::{Key, Node, SourceFile, Value};

/// The fields of a filter that are kept, or that `render` writes itself.
const FILTER: [(&str, Takes); 5] = [
    ("name", Takes::Text),
    ("typed_config.@type", Takes::Text),
    ("typed_config.type_url", Takes::Text),
    ("typed_config.config", Takes::Any),
    ("typed_config.value.config", Takes::Any),
];
/// The same of the plugin in it.
const PLUGIN: [(&str, Takes); 11] = [
    ("name", Takes::Text),
    ("root_id", Takes::Text),
    ("failure_policy", Takes::Text),
    ("fail_open", Takes::Flag),
    ("configuration", Takes::Any),
    ("vm_config.vm_id", Takes::Text),
    ("vm_config.runtime", Takes::Text),
    ("vm_config.configuration", Takes::Any),
    ("vm_config.code.local.filename", Takes::Text),
    ("vm_config.environment_variables.host_env_keys", Takes::Texts),
    ("vm_config.environment_variables.key_values", Takes::Any),
];
/// The end of the name of a filter that only strips, for another one that decides.
const STRIP: &str = "-strip";
/// The one runtime that is written.
const RUNTIME: &str = "envoy.wasm.runtime.v8";
/// How a filter fails, in Istio's words and in Envoy's.
const STRATEGIES: [(&str, &str); 3] =
    [("FAIL_OPEN", "FAIL_OPEN"), ("FAIL_CLOSE", "FAIL_CLOSED"), ("FAIL_RELOAD", "FAIL_RELOAD")];

/// The fields that are lost, each once.
#[derive(Default)]
struct Losses(Vec<Lost>);

impl Losses {
    fn push(&mut self, path: impl Into<String>, by: Given) {
        let path = path.into();
        if self.0.iter().all(|lost| lost.path != path) {
            self.0.push(Lost { path, by });
        }
    }

    fn of_patch(&mut self, path: &str, by: Given) {
        self.push(format!("spec.configPatches.{path}"), by);
    }
}

/// What a filter says of its plugin.
#[derive(Default, PartialEq)]
struct Said {
    /// In the words of a `WasmPlugin`.
    plugin: Fields,
    /// The file of the module.
    file: Option<String>,
}

/// What the resource says besides this policy of it.
pub(super) fn kept(source: &SourceFile, resource: &Node, filter: Filter, policy: &Node) -> Kept {
    let mut lost = Losses::default();
    let patch_priority = beside(resource, &mut lost);
    let mut said: Option<Said> = None;
    let mut is_first = None;
    let mut is_split = false;
    let mut name = None;
    let patches = resource.get("spec.configPatches").map(Node::elements).unwrap_or_default();
    for (index, patch) in patches.iter().enumerate() {
        let path = format!("spec.configPatches[{index}]");
        let Some((value, decides)) = of_policy(source, patch, filter, policy) else {
            lost.push(path, Given::Name);
            continue;
        };
        is_split |= !decides;
        matched(patch, &mut lost);
        let place = place(patch);
        // A filter that strips is the first one, and those that decide have one place.
        let expected = if decides { is_first.or(place) } else { Some(true) };
        if place.is_none() || place != expected {
            lost.of_patch("patch.operation", Given::Phase);
        } else if decides {
            is_first = place;
        }
        // Two filters of one module are told apart by it.
        if decides && let Some(root) = config(value).and_then(|config| envoys(config, "root_id")?.text()) {
            name = Some(("pluginName".to_owned(), text(root)));
        }
        let own = plugin(value, &mut lost);
        match &said {
            None => said = Some(own),
            // All filters of a policy are written alike.
            Some(first) if *first != own => lost.push(format!("{path}.patch.value"), Given::Nothing),
            Some(_) => {}
        }
    }
    let labels = resource.get("spec.workloadSelector.labels").map(Node::fields).unwrap_or_default();
    let Said { mut plugin, file } = said.unwrap_or_default();
    plugin.extend(name);
    Kept {
        selector: pairs(labels),
        patch_priority,
        is_first,
        is_split,
        plugin,
        file,
        lost: lost.0,
        ..Kept::default()
    }
}

/// Tells what the spec says beside its patches, and returns the priority of the patches.
fn beside(resource: &Node, lost: &mut Losses) -> Option<i64> {
    let mut priority = None;
    for (key, value) in resource.get("spec").map(Node::fields).unwrap_or_default() {
        match &*key.name {
            "configPatches" => {}
            "priority" => {
                priority = integer(Some(value));
                let by = if priority.is_some() { Given::Priority } else { Given::Nothing };
                lost.push("spec.priority", by);
            }
            "workloadSelector" => {
                for (key, value) in value.fields() {
                    let path = format!("spec.workloadSelector.{}", key.name);
                    if key.name != "labels" {
                        lost.push(path, Given::Target);
                        continue;
                    }
                    for (key, _) in value.fields().iter().filter(|(_, value)| value.text().is_none()) {
                        lost.push(format!("{path}.{}", key.name), Given::Target);
                    }
                }
            }
            "targetRefs" => {
                for target in value.elements() {
                    let mut tell = |path: &str| lost.push(format!("spec.targetRefs.{path}"), Given::Target);
                    unknown(target, "", &TARGET, &mut tell);
                }
            }
            other => lost.push(format!("spec.{other}"), Given::Name),
        }
    }
    priority
}

/// The filter in a patch, and whether it decides: if it has this policy, or is the one that strips for it.
fn of_policy<'n>(
    source: &SourceFile,
    patch: &'n Node,
    filter: Filter,
    policy: &Node,
) -> Option<(&'n Node, bool)> {
    let value = patch.get("patch.value")?;
    if patch.text_at("applyTo") != Some("HTTP_FILTER") || config(value).is_none() {
        return None;
    }
    let mut found = documents::policies(source, value, &mut Vec::new()).into_iter();
    let (one, None) = (found.next()?, found.next()) else { return None };
    if one.filter == Some(filter) && one.policy.tree() == policy.tree() {
        return Some((value, true));
    }
    let own = if filter == Filter::Narrows { Filter::HeaderRouter } else { filter };
    let is_named = value.text_at("name") == Some(&*format!("narrows.{}{STRIP}", own.name()));
    let strips = is_named && one.filter == Some(own) && Deeds::of(own, &one.policy).only_strips;
    strips.then_some((value, false))
}

/// The configuration of the Wasm filter.
fn config(filter: &Node) -> Option<&Node> {
    let typed = envoys(filter, "typed_config")?;
    typed.get("config").or_else(|| typed.get("value.config"))
}

/// Tells what chooses connections of a proxy, and what else a patch says.
fn matched(patch: &Node, lost: &mut Losses) {
    for (key, value) in patch.fields() {
        let (fields, known): (_, &[&str]) = match &*key.name {
            "match" => (value.fields(), &["context", "listener"]),
            "patch" => (value.fields(), &["operation", "value"]),
            "applyTo" => continue,
            other => {
                lost.of_patch(other, Given::Nothing);
                continue;
            }
        };
        for (inner, value) in fields {
            let path = format!("{}.{}", key.name, inner.name);
            match &*inner.name {
                "context" if value.text() == Some("ANY") => {}
                "context" => lost.of_patch(&path, Given::Direction),
                "listener" => listened(value, lost),
                "filterClass" => lost.of_patch(&path, Given::Phase),
                other if known.contains(&other) => {}
                _ => lost.of_patch(&path, Given::Nothing),
            }
        }
    }
}

fn listened(listener: &Node, lost: &mut Losses) {
    for (key, value) in listener.fields() {
        // The filters choose the place, and not which connections.
        let is_place = |(key, _): &(Key, Node)| key.name == "filter";
        let by = match &*key.name {
            "filterChain" if value.fields().iter().all(is_place) => continue,
            "portNumber" => Given::Ports,
            _ => Given::Nothing,
        };
        lost.of_patch(&format!("match.listener.{}", key.name), by);
    }
}

/// Whether a filter is the first one, or else the last one before the router; none for another place.
fn place(patch: &Node) -> Option<bool> {
    let filter = patch.get("match.listener.filterChain.filter");
    let is_known = |(key, value): &(Key, Node)| match &*key.name {
        "name" => value.text() == Some(MANAGER),
        "subFilter" => value.fields().iter().all(|(key, _)| key.name == "name"),
        _ => false,
    };
    if !filter.map(Node::fields).unwrap_or_default().iter().all(is_known) {
        return None;
    }
    let before = filter.and_then(|filter| filter.get("subFilter"));
    match (patch.text_at("patch.operation")?, before.map(|before| before.text_at("name"))) {
        // Before no filter in particular is before all of them.
        ("INSERT_FIRST" | "INSERT_BEFORE", None) => Some(true),
        ("INSERT_BEFORE", Some(Some(ROUTER))) => Some(false),
        _ => None,
    }
}

/// What a filter says of its plugin, and what of that is not kept.
fn plugin(filter: &Node, lost: &mut Losses) -> Said {
    unknown(filter, "", &FILTER, &mut |path| lost.of_patch(&format!("patch.value.{path}"), Given::Nothing));
    let Some(config) = config(filter) else { return Said::default() };
    let mut lose = |path: &str| {
        let by = if path.contains("code.remote") { Given::File } else { Given::Nothing };
        lost.of_patch(&format!("patch.value.typed_config.config.{path}"), by);
    };
    unknown(config, "", &PLUGIN, &mut lose);
    let at = |path: &str| envoys(config, path).and_then(Node::text);
    if at("vm_config.runtime").is_some_and(|runtime| runtime != RUNTIME) {
        lose("vm_config.runtime");
    }
    let mut plugin = Vec::new();
    let mut keep = |name: &str, value| plugin.push((name.to_owned(), value));
    match strategy(config) {
        Some(strategy) => keep("failStrategy", text(strategy)),
        None => lose("failure_policy"),
    }
    let environment = environment(config, &mut lose);
    if !environment.is_empty() {
        let environment = vec![("env".to_owned(), PolicyValue::List(environment))];
        keep("vmConfig", PolicyValue::Table(environment));
    }
    Said { plugin, file: at("vm_config.code.local.filename").map(str::to_owned) }
}

/// How a plugin fails, in Istio's words: closed, if it does not say.
fn strategy(config: &Node) -> Option<&'static str> {
    let is_open = |flag: &Node| matches!(flag.value, Value::Scalar(PolicyValue::Flag(true)));
    match envoys(config, "failure_policy").map(Node::text) {
        None | Some(Some("UNSPECIFIED")) if envoys(config, "fail_open").is_some_and(is_open) => {
            Some("FAIL_OPEN")
        }
        None | Some(Some("UNSPECIFIED")) => Some("FAIL_CLOSE"),
        Some(written) => {
            STRATEGIES.iter().find(|(_, envoys)| written == Some(*envoys)).map(|(istios, _)| *istios)
        }
    }
}

/// The environment of the module, as the elements of `vmConfig.env`.
fn environment(config: &Node, lose: &mut dyn FnMut(&str)) -> Vec<PolicyValue> {
    let variables = "vm_config.environment_variables";
    let at = |field: &str| envoys(config, &format!("{variables}.{field}"));
    let of_host = at("host_env_keys").map(Node::elements).unwrap_or_default().iter().filter_map(Node::text);
    let of = |name: &str, field: &str, value: &str| {
        PolicyValue::Table(vec![("name".to_owned(), text(name)), (field.to_owned(), text(value))])
    };
    let mut all: Vec<PolicyValue> = of_host.map(|name| of(name, "valueFrom", "HOST")).collect();
    for (key, value) in at("key_values").map(Node::fields).unwrap_or_default() {
        match value.text() {
            Some(value) => all.push(of(&key.name, "value", value)),
            None => lose(&format!("{variables}.key_values.{}", key.name)),
        }
    }
    all
}

fn text(text: &str) -> PolicyValue {
    PolicyValue::Text(text.to_owned())
}
