//! Istio's resources that carry a filter.

use narrows_core::{Tree, vm};

use super::{Wanted, table, text, yaml};
use crate::finding::Failure;
use crate::manifest::{self, Release};

/// `match` came with this release.
const MATCH: Release = Release::minor(16);
/// `failStrategy` came with this release.
const FAIL_STRATEGY: Release = Release::minor(19);
/// `targetRefs` came with this release.
const TARGETS: Release = Release::minor(22);
/// `FAIL_RELOAD` came with this release.
const FAIL_RELOAD: Release = Release::minor(27);
/// `TrafficExtension` came with this release.
const EXTENSION: Release = Release::minor(30);

pub(super) fn wasm_plugin(wanted: &Wanted<'_>) -> Result<String, Failure> {
    let mut spec = attachment(wanted)?;
    spec.extend(plugin(wanted)?);
    Ok(resource(wanted, "WasmPlugin", spec))
}

pub(super) fn traffic_extension(wanted: &Wanted<'_>) -> Result<String, Failure> {
    if wanted.istio < EXTENSION {
        return Err(Failure::new(
            format!("Istio {} has no TrafficExtension: it came with {EXTENSION}", wanted.istio),
            "render it as wasm-plugin",
        ));
    }
    let mut spec = attachment(wanted)?;
    spec.push(("wasm".to_owned(), Tree::Table(plugin(wanted)?)));
    Ok(resource(wanted, "TrafficExtension", spec))
}

pub(super) type Fields = Vec<(String, Tree)>;

fn resource(wanted: &Wanted<'_>, kind: &str, spec: Fields) -> String {
    let mut metadata = vec![("name".to_owned(), text(&wanted.name))];
    metadata.extend(wanted.namespace.iter().map(|name| ("namespace".to_owned(), text(name))));
    let document = table([
        ("apiVersion", text("extensions.istio.io/v1alpha1")),
        ("kind", text(kind)),
        ("metadata", Tree::Table(metadata)),
        ("spec", Tree::Table(spec)),
    ]);
    let mut comments =
        format!("# For Istio {}{}.\n", wanted.istio, if is_last(wanted) { "" } else { " and later" });
    if wanted.istio < MATCH && (wanted.mode.is_some() || !wanted.ports.is_empty()) {
        comments.push_str("# It has no \"match\": the filter runs in both directions and on every port.\n");
    }
    if wanted.istio < FAIL_STRATEGY {
        comments.push_str("# It has no \"failStrategy\": a filter that cannot run refuses all traffic.\n");
    }
    comments + &yaml::document(&document)
}

/// Whether nothing is known of later releases.
fn is_last(wanted: &Wanted<'_>) -> bool {
    wanted.istio == Release::NEWEST
}

/// Which proxies: by label, or by target.
pub(super) fn choice(wanted: &Wanted<'_>) -> Result<Fields, Failure> {
    let mut fields = Vec::new();
    if !wanted.selector.is_empty() {
        let labels = wanted.selector.iter().map(|(name, value)| (name.clone(), text(value)));
        fields.push(("selector".to_owned(), table([("matchLabels", Tree::Table(labels.collect()))])));
    }
    if wanted.targets.is_empty() {
        return Ok(fields);
    }
    if wanted.istio < TARGETS {
        return Err(Failure::new(
            format!("Istio {} has no \"targetRefs\": they came with {TARGETS}", wanted.istio),
            "attach it with --selector",
        ));
    }
    let mut targets = Vec::new();
    for (kind, name) in &wanted.targets {
        let Some((_, group)) = manifest::TARGETS.iter().find(|(known, _)| known == kind) else {
            let known = manifest::TARGETS.map(|(kind, _)| format!("{kind}/NAME")).join(", ");
            return Err(Failure::new(
                format!("nothing attaches to a {kind}"),
                format!("write --target with one of {known}"),
            ));
        };
        targets.push(table([("group", text(*group)), ("kind", text(kind)), ("name", text(name))]));
    }
    fields.push(("targetRefs".to_owned(), Tree::List(targets)));
    Ok(fields)
}

/// Which proxies, in which order, direction and on which ports.
fn attachment(wanted: &Wanted<'_>) -> Result<Fields, Failure> {
    let own = wanted.filter.attachment();
    let mut fields = choice(wanted)?;
    fields.push(("phase".to_owned(), text(wanted.phase.unwrap_or(own.phase))));
    let priority = wanted.priority.unwrap_or(own.priority);
    fields.push(("priority".to_owned(), Tree::Integer(priority.into())));
    let restricted = wanted.mode.is_some() || !wanted.ports.is_empty();
    if restricted && wanted.istio >= MATCH {
        let mut clause = Vec::new();
        clause.extend(wanted.mode.map(|mode| ("mode".to_owned(), text(mode))));
        if !wanted.ports.is_empty() {
            let ports = wanted.ports.iter().map(|port| table([("number", Tree::Integer((*port).into()))]));
            clause.push(("ports".to_owned(), Tree::List(ports.collect())));
        }
        fields.push(("match".to_owned(), Tree::List(vec![Tree::Table(clause)])));
    }
    Ok(fields)
}

/// The module and its policy.
fn plugin(wanted: &Wanted<'_>) -> Result<Fields, Failure> {
    let url = wanted.url.as_ref().ok_or_else(|| {
        Failure::new("nothing says where the module is", "add --url oci://registry/repository:tag")
    })?;
    let mut fields = vec![("url".to_owned(), text(url))];
    fields.extend(wanted.sha256.iter().map(|digest| ("sha256".to_owned(), text(digest))));
    if !url.contains("://") || url.starts_with("oci:") {
        fields.push(("imagePullPolicy".to_owned(), text("IfNotPresent")));
    }
    let strategy = match (wanted.istio, wanted.filter.attachment().fails_open) {
        (release, _) if release >= FAIL_RELOAD => Some("FAIL_RELOAD"),
        (release, open) if release >= FAIL_STRATEGY => Some(if open { "FAIL_OPEN" } else { "FAIL_CLOSE" }),
        _ => None,
    };
    fields.extend(strategy.map(|strategy| ("failStrategy".to_owned(), text(strategy))));
    if wanted.strict {
        let root_id = [wanted.filter.name(), vm::STRICT].concat();
        fields.push(("pluginName".to_owned(), text(root_id)));
    }
    fields.push(("pluginConfig".to_owned(), wanted.tree.clone()));
    Ok(fields)
}
