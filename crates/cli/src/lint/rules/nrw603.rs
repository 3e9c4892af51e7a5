//! NRW603: a value that Istio refuses.

mod service_entry;
mod values;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::istio::Release;
use crate::kubernetes;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::lint::telemetry;

/// Types and words are found by [`crate::lint::fields`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW603",
        title: "refused by Istio",
        text: "The schema of Istio, or its validation, refuses the value.",
    },
    checks: &[
        Check::Resource(names),
        Check::Resource(two_extensions),
        Check::Resource(environment),
        Check::Resource(filter_state),
        Check::Resource(service_entry::check),
        Check::Resource(values::selectors),
        Check::Resource(values::tag_overrides),
        Check::Resource(values::warmup),
    ],
};

/// Names as Kubernetes takes them: DNS labels, in lower case.
fn names(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let rules: [(&str, fn(&str) -> bool); 2] =
        [("metadata.name", kubernetes::is_name), ("metadata.namespace", kubernetes::is_label)];
    for (place, is_right) in rules {
        let Some((text, node)) = manifest.resource.get(place).and_then(|node| Some((node.text()?, node)))
        else {
            continue;
        };
        // Something else fills it in before it is applied.
        let is_filled = text.contains(['$', '{', '<']);
        if !is_right(text) && !is_filled {
            let message = format!("Kubernetes refuses the name {text:?}");
            findings.push(Finding::error(&RULE.code, &node.at, place, &message, kubernetes::HELP));
        }
    }
}

fn two_extensions(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let is_extension = manifest.kind == Kind::TrafficExtension;
    let lua = manifest.resource.field("spec.lua").filter(|_| is_extension);
    if let (Some((lua, _)), Some(_)) = (lua, manifest.resource.get("spec.wasm")) {
        let message = "\"wasm\" and \"lua\" exclude each other";
        findings.push(Finding::error(
            &RULE.code,
            &lua.at,
            "spec.lua",
            message,
            "write one resource for each",
        ));
    }
}

fn environment(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let path = plugin.place("vmConfig.env");
    let variables = manifest.list(&path);
    for (i, variable) in variables.iter().enumerate() {
        if let Some((key, _)) = variable.field("value")
            && variable.text_at("valueFrom") == Some("HOST")
        {
            let (place, message) =
                (format!("{path}[{i}].value"), "a variable with valueFrom: HOST cannot have a \"value\"");
            findings.push(Finding::error(&RULE.code, &key.at, &place, message, "leave it out"));
        }
        let name = variable.text_at("name");
        if let Some(node) = variable.get("name")
            && variables.iter().take(i).any(|earlier| earlier.text_at("name") == name)
        {
            let (place, message) = (format!("{path}[{i}].name"), "duplicate variable");
            findings.push(Finding::error(&RULE.code, &node.at, &place, message, "keep one of them"));
        }
    }
}

/// The names of the filter state that the filters publish begin with this.
const OURS: &str = "narrows_";
/// From this release on, a label is made from `filter_state["wasm.…"]`.
const STATE_BY_NAME: Release = Release::minor(24);

fn filter_state(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.release < STATE_BY_NAME {
        return;
    }
    for (place, value, node) in telemetry::values(manifest) {
        let unprefixed = value.split_once("filter_state[\"").map(|(_, name)| name);
        let (message, help) = if value.starts_with(OURS) {
            (
                format!("from Istio {STATE_BY_NAME} on the bare name is unknown"),
                format!("write filter_state[\"wasm.{value}\"]"),
            )
        } else if let Some(name) = unprefixed.filter(|name| name.starts_with(OURS)) {
            let message = "filter state of a Wasm filter has the prefix \"wasm.\" in Envoy";
            (message.to_owned(), format!("write filter_state[\"wasm.{name}"))
        } else {
            continue;
        };
        findings.push(Finding::error(&RULE.code, &node.at, &place, &message, &help));
    }
}
