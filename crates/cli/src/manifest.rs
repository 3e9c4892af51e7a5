//! Istio's resources: what each release knows of them, and what has no effect.
//!
//! Sources: `extensions/v1alpha1/*.proto`, `telemetry/v1/*.proto` and `networking/v1/*.proto`
//! of istio/api at the release tags, and the validation and listener code of istiod.

mod attach;
mod attached;
mod authority;
mod authorization;
mod fields;
mod module;
mod order;
mod release;
mod routing;
mod run;
mod telemetry;

use std::ops::Range;

use crate::code;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::source::Node;
use crate::wrap::Kind;
pub(crate) use attach::TARGETS;
use attached::Attached;
pub use release::Release;
use run::Run;

/// A resource under judgement.
struct Manifest<'n> {
    resource: &'n Node,
    kind: Kind,
    /// Where the fields of the Wasm plugin are.
    plugin: &'n str,
    filter: Option<Filter>,
    release: Release,
}

/// Whether this tool knows the fields of a resource.
pub fn is_known(kind: Kind) -> bool {
    !matches!(kind, Kind::Policy | Kind::Envoy | Kind::Other)
}

/// Judges a resource as a release of Istio would, and as its author would wish.
pub fn lint(resource: &Node, release: Release) -> Vec<Finding> {
    let kind = Kind::of(resource);
    let plugin = if kind == Kind::TrafficExtension { "spec.wasm" } else { "spec" };
    let filter = resource.text_at(&format!("{plugin}.url")).and_then(Filter::of_module);
    let manifest = Manifest { resource, kind, plugin, filter, release };
    let mut findings = Vec::new();
    if !is_known(kind) || !fields::check(&manifest, &mut findings) {
        return findings;
    }
    match kind {
        Kind::WasmPlugin => {
            module::check(&manifest, &mut findings);
            attach::check(&manifest, &mut findings);
        }
        Kind::TrafficExtension => {
            one_extension(resource, &mut findings);
            if resource.get("spec.wasm").is_some() {
                module::check(&manifest, &mut findings);
            }
            attach::check(&manifest, &mut findings);
        }
        Kind::Telemetry => telemetry::check(&manifest, &mut findings),
        Kind::VirtualService => routing::virtual_service(resource, &mut findings),
        Kind::Service => routing::service(resource, &mut findings),
        Kind::DestinationRule | Kind::Gateway | Kind::ServiceEntry => {}
        Kind::Policy | Kind::Envoy | Kind::Other => {}
    }
    findings
}

/// What is wrong between resources that are applied together: the order of filters, their
/// side of authorization, and hosts that no route table knows.
///
/// Each resource, and each finding, with the number of its file.
pub fn together(resources: &[(usize, &Node)]) -> Vec<(usize, Finding)> {
    let run = Run::of(resources);
    let attached: Vec<Attached<'_>> =
        resources.iter().filter_map(|(file, resource)| Attached::of(*file, resource, &run)).collect();
    let mut findings = order::check(&attached);
    findings.extend(authorization::check(&attached));
    findings.extend(authority::check(&attached, &run));
    findings
}

fn one_extension(resource: &Node, findings: &mut Vec<Finding>) {
    let Some((key, _)) = resource.field("spec") else { return };
    match (resource.field("spec.wasm"), resource.field("spec.lua")) {
        (None, None) => findings.push(fault(
            code::REQUIRED,
            &key.at,
            "spec",
            "the extension is empty",
            "write exactly one of \"wasm\" and \"lua\"",
        )),
        (Some(_), Some((lua, _))) => findings.push(fault(
            code::REFUSED,
            &lua.at,
            "spec.lua",
            "\"wasm\" and \"lua\" exclude each other",
            "write a resource for each",
        )),
        _ => {}
    }
}

fn fault(code: &'static str, at: &Range<usize>, place: &str, message: &str, help: &str) -> Finding {
    Finding {
        code,
        level: Level::Error,
        at: at.clone(),
        place: place.to_owned(),
        message: message.to_owned(),
        help: help.to_owned(),
    }
}

fn warning(code: &'static str, at: &Range<usize>, place: &str, message: &str, help: &str) -> Finding {
    Finding { level: Level::Warning, ..fault(code, at, place, message, help) }
}
