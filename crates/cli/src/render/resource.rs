//! Istio's resources that carry a filter.

use narrows_core::{Tree, vm_config};

use super::{Wanted, table, text, yaml};
use crate::finding::Failure;
use crate::manifest::{self, Release};
use crate::placement::Deeds;
use crate::placement::part::{self, Part};
use crate::placement::site::{Known, Side, Site};
use crate::source::Node;

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
    resources(wanted, "WasmPlugin", |part| {
        let mut spec = attachment(wanted, part)?;
        spec.extend(plugin(wanted, &part.policy)?);
        Ok(spec)
    })
}

pub(super) fn traffic_extension(wanted: &Wanted<'_>) -> Result<String, Failure> {
    if wanted.istio < EXTENSION {
        return Err(Failure::new(
            format!("Istio {} has no TrafficExtension: it came with {EXTENSION}", wanted.istio),
            "render it as wasm-plugin",
        ));
    }
    resources(wanted, "TrafficExtension", |part| {
        let mut spec = attachment(wanted, part)?;
        spec.push(("wasm".to_owned(), Tree::Table(plugin(wanted, &part.policy)?)));
        Ok(spec)
    })
}

pub(super) type Fields = Vec<(String, Tree)>;

/// A resource for each plugin that the policy takes there, with what is to be known of them.
fn resources(
    wanted: &Wanted<'_>,
    kind: &str,
    spec: impl Fn(&Part) -> Result<Fields, Failure>,
) -> Result<String, Failure> {
    let site = Site::of(&known(wanted));
    let parts = match wanted.phase {
        // Whoever names the phase has decided.
        Some(_) => part::parts(wanted.filter, &wanted.tree, wanted.policy, Site::Outbound)?,
        None => part::parts(wanted.filter, &wanted.tree, wanted.policy, site)?,
    };
    let mut out = String::new();
    for part in &parts {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&comments(wanted, site, &parts, part));
        let mut metadata = vec![("name".to_owned(), text(format!("{}{}", wanted.name, part.suffix)))];
        metadata.extend(wanted.namespace.iter().map(|name| ("namespace".to_owned(), text(name))));
        out.push_str(&yaml::document(&table([
            ("apiVersion", text("extensions.istio.io/v1alpha1")),
            ("kind", text(kind)),
            ("metadata", Tree::Table(metadata)),
            ("spec", Tree::Table(spec(part)?)),
        ])));
    }
    Ok(out)
}

/// What is known of where it attaches.
fn known<'w>(wanted: &'w Wanted<'_>) -> Known<'w> {
    let side = match wanted.mode {
        // A release that cannot choose runs it on both.
        _ if wanted.istio < MATCH => Side::Both,
        Some("CLIENT") => Side::Client,
        Some("SERVER") => Side::Server,
        _ => Side::Both,
    };
    Known {
        namespace: wanted.namespace.as_deref(),
        labels: wanted.selector.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        targets: wanted.targets.iter().map(|(kind, _)| kind.as_str()).collect(),
        gateway: wanted.gateway,
        waypoint: false,
        side,
    }
}

/// What the release means for the plugin, and why it stands where it does.
fn comments(wanted: &Wanted<'_>, site: Site, parts: &[Part], part: &Part) -> String {
    let mut lines = Vec::new();
    if parts.first().is_some_and(|first| first.suffix == part.suffix) {
        let later = if is_last(wanted) { "" } else { " and later" };
        lines.push(format!("For Istio {}{later}.", wanted.istio));
        let restricted = wanted.mode.is_some() || !wanted.ports.is_empty();
        if wanted.istio < MATCH && restricted {
            lines.push(
                "It has no \"match\": the filter runs in both directions and on every port.".to_owned(),
            );
        }
        if wanted.istio < FAIL_STRATEGY {
            lines
                .push("It has no \"failStrategy\": a filter that cannot run refuses all traffic.".to_owned());
        }
    }
    if wanted.phase.is_none() {
        lines.extend(placed(wanted, site, parts, part));
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

/// Why it stands on that side of authorization.
fn placed(wanted: &Wanted<'_>, site: Site, parts: &[Part], part: &Part) -> Vec<String> {
    let policy = Node::unplaced(&wanted.tree, &(0..0));
    let deeds = Deeds::of(wanted.filter, &policy);
    if !part.decides {
        return vec![
            "Two plugins of one policy. This one takes away what clients must not send, before".to_owned(),
            "authentication and authorization.".to_owned(),
        ];
    }
    let at_gateways = deeds.slot(wanted.filter, Site::Gateway);
    if site == Site::Outbound {
        return if at_gateways == part.slot && !is_split(wanted) {
            Vec::new()
        } else {
            vec![
                "For sidecars, outbound, where nothing is authorized. If the workloads are gateways,"
                    .to_owned(),
                "render it with --gateway.".to_owned(),
            ]
        };
    }
    let mut lines = Vec::new();
    if deeds.rewrites {
        lines.push("Behind authorization, which judges the path and host that the client sent.".to_owned());
    } else if parts.len() > 1 {
        lines.push("And this one decides, behind authorization.".to_owned());
    } else if deeds.restores {
        lines.push("Before authorization, which judges the host that comes back.".to_owned());
    }
    if site == Site::Mixed && !lines.is_empty() {
        lines.push(
            "It runs inbound or on gateways too, where requests are authorized: so it stands".to_owned(),
        );
        lines.push("where it must there. Outbound, on a sidecar, nothing is.".to_owned());
    }
    lines
}

/// Whether it takes two plugins where authorization runs.
fn is_split(wanted: &Wanted<'_>) -> bool {
    part::parts(wanted.filter, &wanted.tree, wanted.policy, Site::Gateway).is_ok_and(|parts| parts.len() > 1)
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
fn attachment(wanted: &Wanted<'_>, part: &Part) -> Result<Fields, Failure> {
    let mut fields = choice(wanted)?;
    fields.push(("phase".to_owned(), text(wanted.phase.unwrap_or(part.slot.phase))));
    let priority = wanted.priority.filter(|_| part.decides).unwrap_or(part.slot.priority);
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
fn plugin(wanted: &Wanted<'_>, policy: &Tree) -> Result<Fields, Failure> {
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
        let root_id = [wanted.filter.name(), vm_config::STRICT].concat();
        fields.push(("pluginName".to_owned(), text(root_id)));
    }
    fields.push(("pluginConfig".to_owned(), policy.clone()));
    Ok(fields)
}
