//! NRW604: a field that Istio requires.

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};

/// Fields that are always required are found by [`crate::lint::fields`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW604",
        title: "required by Istio",
        text: "Istio refuses the resource without the field.",
    },
    checks: &[Check::Resource(extension), Check::Resource(route)],
};

fn extension(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some((key, _)) = manifest.resource.field("spec") else { return };
    let has = |path| manifest.resource.get(path).is_some();
    if manifest.kind == Kind::TrafficExtension && !has("spec.wasm") && !has("spec.lua") {
        let help = "write exactly one of \"wasm\" and \"lua\"";
        findings.push(Finding::error(&RULE.code, &key.at, "spec", "the extension is empty", help));
    }
}

/// What an HTTP route may do; it needs one of these.
const ACTIONS: [&str; 4] = ["route", "redirect", "directResponse", "delegate"];

fn route(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.kind != Kind::VirtualService {
        return;
    }
    for (i, route) in manifest.list("spec.http").iter().enumerate() {
        if !ACTIONS.iter().any(|action| route.get(action).is_some()) {
            let (place, help) = (format!("spec.http[{i}]"), "add \"route\" with a \"destination\"");
            let message = "the route has no destination";
            findings.push(Finding::error(&RULE.code, &route.head(), &place, message, help));
        }
    }
}
