//! Istio's resources that carry a filter.

use narrows_core::{PolicyValue, vm_config};

use super::kept::metadata;
use super::{Fields, RenderRequest, clauses, table, text};
use crate::error::CliError;
use crate::filter::Filter;
use crate::istio::{Mode, ROOT_NAMESPACE, Release, TARGETS as TARGET_KINDS};
use crate::placement::Deeds;
use crate::placement::part::{self, Part};
use crate::placement::site::{Known, Side, Site};
use crate::source::Node;
use crate::write::yaml;

/// The release that added `match`.
const MATCH: Release = Release::minor(16);
/// The release that added `failStrategy`.
const FAIL_STRATEGY: Release = Release::minor(19);
/// The release that added `targetRefs`.
const TARGETS: Release = Release::minor(22);
/// The release that added `FAIL_RELOAD`.
const FAIL_RELOAD: Release = Release::minor(27);
/// The release that added `TrafficExtension`.
const EXTENSION: Release = Release::minor(30);

pub(super) fn wasm_plugin(request: &RenderRequest<'_>) -> Result<String, CliError> {
    resources(request, "WasmPlugin", |part| {
        let mut spec = attachment(request, part)?;
        spec.extend(plugin(request, part)?);
        Ok(spec)
    })
}

pub(super) fn traffic_extension(request: &RenderRequest<'_>) -> Result<String, CliError> {
    if request.istio < EXTENSION {
        return Err(CliError::new(
            format!("Istio {} has no TrafficExtension: it came with {EXTENSION}", request.istio),
            "render it as wasm-plugin",
        ));
    }
    resources(request, "TrafficExtension", |part| {
        let mut spec = attachment(request, part)?;
        spec.push(("wasm".to_owned(), PolicyValue::Table(plugin(request, part)?)));
        Ok(spec)
    })
}

/// A resource, with comments, for each plugin that the policy needs.
fn resources(
    request: &RenderRequest<'_>,
    kind: &str,
    spec: impl Fn(&Part) -> Result<Fields, CliError>,
) -> Result<String, CliError> {
    let (site, parts) = parts_of(request)?;
    let mut out = String::new();
    for part in &parts {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&comments(request, site, &parts, part));
        let name = format!("{}{}", request.name, part.suffix);
        out.push_str(&yaml::document(&table([
            ("apiVersion", text("extensions.istio.io/v1alpha1")),
            ("kind", text(kind)),
            ("metadata", metadata(&name, request.namespace.as_deref(), &request.kept)),
            ("spec", PolicyValue::Table(spec(part)?)),
        ])));
    }
    Ok(out)
}

/// Where it attaches, and the plugins that it needs there.
pub(super) fn parts_of(request: &RenderRequest<'_>) -> Result<(Site, Vec<Part>), CliError> {
    let site = Site::of(&known(request));
    let parts = match phase(request) {
        // A release without `match` has one plugin for both sides.
        None if request.istio < MATCH && site == Site::Mixed && request.filter == Filter::TrafficLanes => {
            part::parts(request.filter, &request.tree, request.policy, Site::Inbound)?
        }
        // In the place where the resource has it, it needs no other plugin by itself.
        Some("STATS") if request.phase.is_none() && request.kept.is_split && site.authorizes() => {
            return Err(CliError::new(
                "the filter of the resource that only strips would be lost: the policy does not need it",
                "take it out; or put the filter that decides first",
            ));
        }
        // A phase on the command line or of the resource takes precedence.
        Some(_) => part::parts(request.filter, &request.tree, request.policy, Site::Outbound)?,
        None => part::parts(request.filter, &request.tree, request.policy, site)?,
    };
    Ok((site, parts))
}

/// What is known about where it attaches.
fn known<'w>(request: &'w RenderRequest<'_>) -> Known<'w> {
    let side = match request.mode {
        // A release without `match` runs the plugin on both sides.
        _ if request.istio < MATCH => Side::Both,
        Some(Mode::Client) => Side::Client,
        Some(Mode::Server) => Side::Server,
        None => request.kept.side(),
    };
    Known {
        is_root: request.namespace.as_deref() == Some(ROOT_NAMESPACE),
        labels: request.selector.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        targets: request.targets.iter().map(|(kind, _)| kind.as_str()).collect(),
        gateway: request.gateway,
        waypoint: false,
        side,
    }
}

/// The phase that the command line names or, if it is another than the one that the policy should have,
/// the resource.
pub(super) fn phase(request: &RenderRequest<'_>) -> Option<&'static str> {
    let deeds = Deeds::of(request.filter, &Node::unplaced(&request.tree, &(0..0)));
    let site = Site::of(&known(request));
    let own = deeds.slot(request.filter, site).phase;
    // An `EnvoyFilter` has no other place than these two.
    let is_first = site.authorizes() && own != "STATS";
    let of_place = request.kept.is_first.filter(|kept| *kept != is_first);
    let of_place = of_place.map(|is_first| if is_first { "AUTHN" } else { "STATS" });
    request.phase.or(request.kept.phase.filter(|phase| *phase != own)).or(of_place)
}

/// Comments: what the release means for the plugin, and why the plugin is at its place.
fn comments(request: &RenderRequest<'_>, site: Site, parts: &[Part], part: &Part) -> String {
    let mut lines = Vec::new();
    if parts.first().is_some_and(|first| first.suffix == part.suffix) {
        let later = if is_last(request) { "" } else { " and later" };
        lines.push(format!("For Istio {}{later}.", request.istio));
        if request.istio < MATCH && clauses::are_given(request) {
            lines.push(
                "It has no \"match\": the filter runs in both directions and on every port.".to_owned(),
            );
        }
        if request.istio < FAIL_STRATEGY {
            lines
                .push("It has no \"failStrategy\": a filter that cannot run refuses all traffic.".to_owned());
        }
        if strategy(request).as_deref() == Some("FAIL_OPEN") {
            lines.push(
                "FAIL_OPEN: while the filter cannot run, requests pass without it. Then nothing is"
                    .to_owned(),
            );
            lines.push("stripped, answered or refused.".to_owned());
        }
    }
    if phase(request).is_none() {
        lines.extend(placed(request, site, parts, part));
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

/// Why the plugin is on that side of authorization.
fn placed(request: &RenderRequest<'_>, site: Site, parts: &[Part], part: &Part) -> Vec<String> {
    let policy = Node::unplaced(&request.tree, &(0..0));
    let deeds = Deeds::of(request.filter, &policy);
    match part.mode {
        Some(Mode::Client) => {
            return vec!["Two plugins of one policy. This one gives calls their lane back.".to_owned()];
        }
        Some(Mode::Server) => return vec!["This one remembers the lanes of what comes in.".to_owned()],
        None => {}
    }
    if !part.decides {
        return vec![
            "Two plugins of one policy. This one removes what clients must not send, before".to_owned(),
            "authentication and authorization.".to_owned(),
        ];
    }
    let at_gateways = deeds.slot(request.filter, Site::Gateway);
    if site == Site::Outbound {
        return if at_gateways == part.slot && !is_split(request) {
            Vec::new()
        } else {
            vec![
                "For the outbound side of sidecars, where nothing is authorized. If the workloads are"
                    .to_owned(),
                "gateways, render it with --gateway.".to_owned(),
            ]
        };
    }
    let mut lines = Vec::new();
    if deeds.rewrites {
        lines.push("After authorization, which checks the path and host that the client sent.".to_owned());
    } else if parts.len() > 1 {
        lines.push("This one decides, after authorization.".to_owned());
    } else if deeds.restores {
        lines.push("Before authorization, which checks the restored host.".to_owned());
    }
    if site == Site::Mixed && !lines.is_empty() {
        lines.push(
            "It also runs inbound or on gateways, where requests are authorized. This place is the"
                .to_owned(),
        );
        lines.push("right one there. On the outbound side of a sidecar nothing is authorized.".to_owned());
    }
    lines
}

/// Whether it needs two plugins where authorization runs.
fn is_split(request: &RenderRequest<'_>) -> bool {
    part::parts(request.filter, &request.tree, request.policy, Site::Gateway)
        .is_ok_and(|parts| parts.len() > 1)
}

/// Whether later releases are unknown.
fn is_last(request: &RenderRequest<'_>) -> bool {
    request.istio == Release::NEWEST
}

/// The choice of proxies: by label, or by target.
pub(super) fn choice(request: &RenderRequest<'_>) -> Result<Fields, CliError> {
    let mut fields = Vec::new();
    if !request.selector.is_empty() {
        let labels = request.selector.iter().map(|(name, value)| (name.clone(), text(value)));
        fields.push(("selector".to_owned(), table([("matchLabels", PolicyValue::Table(labels.collect()))])));
    }
    if request.targets.is_empty() {
        return Ok(fields);
    }
    if request.istio < TARGETS {
        return Err(CliError::new(
            format!("Istio {} has no \"targetRefs\": they came with {TARGETS}", request.istio),
            "attach it with --selector",
        ));
    }
    let mut targets = Vec::new();
    for (kind, name) in &request.targets {
        let Some((_, group)) = TARGET_KINDS.iter().find(|(known, _)| known == kind) else {
            let known = TARGET_KINDS.map(|(kind, _)| format!("{kind}/NAME")).join(", ");
            return Err(CliError::new(
                format!("a filter cannot attach to a {kind}"),
                format!("write --target with one of {known}"),
            ));
        };
        targets.push(table([("group", text(*group)), ("kind", text(kind)), ("name", text(name))]));
    }
    fields.push(("targetRefs".to_owned(), PolicyValue::List(targets)));
    Ok(fields)
}

/// The proxies, the order, the direction and the ports.
fn attachment(request: &RenderRequest<'_>, part: &Part) -> Result<Fields, CliError> {
    let mut fields = choice(request)?;
    fields.push(("phase".to_owned(), text(phase(request).unwrap_or(part.slot.phase))));
    let priority = request.priority.filter(|_| part.decides).unwrap_or(part.slot.priority);
    fields.push(("priority".to_owned(), PolicyValue::Integer(priority.into())));
    let clauses = clauses::of_istio(request, part).filter(|_| request.istio >= MATCH);
    fields.extend(clauses.map(|clauses| ("match".to_owned(), clauses)));
    Ok(fields)
}

/// The module and its policy.
fn plugin(request: &RenderRequest<'_>, part: &Part) -> Result<Fields, CliError> {
    let url = request.url.as_ref().ok_or_else(|| {
        CliError::new("the address of the module is missing", "add --url oci://registry/repository:tag")
    })?;
    if !url.contains('/') {
        let message = format!("{url:?} has no repository");
        return Err(CliError::new(message, "write --url oci://registry/repository:tag"));
    }
    let mut fields = vec![("url".to_owned(), text(url))];
    fields.extend(request.sha256.iter().map(|digest| ("sha256".to_owned(), text(digest))));
    let kept = |name: &str| Some((name.to_owned(), request.kept.field(name, request.istio)?));
    let is_image = !url.contains("://") || url.starts_with("oci:");
    let pull = || is_image.then(|| ("imagePullPolicy".to_owned(), text("IfNotPresent")));
    fields.extend(kept("imagePullPolicy").or_else(pull));
    fields.extend(kept("imagePullSecret"));
    fields.extend(kept("verificationKey"));
    fields.extend(strategy(request).map(|strategy| ("failStrategy".to_owned(), text(strategy))));
    fields.extend(kept("type"));
    fields.extend(kept("vmConfig"));
    let written = request.kept.text("pluginName", request.istio);
    if request.strict || request.is_bundle() {
        let is_strict = request.strict || written.is_some_and(|name| vm_config::is_strict(name.as_bytes()));
        let strict = if is_strict { vm_config::STRICT } else { "" };
        fields.push(("pluginName".to_owned(), text([part.filter.name(), strict].concat())));
    } else {
        fields.extend(written.map(|name| ("pluginName".to_owned(), text(name))));
    }
    fields.push(("pluginConfig".to_owned(), part.policy.clone()));
    Ok(fields)
}

/// What happens to traffic while the filter cannot run.
fn strategy(request: &RenderRequest<'_>) -> Option<String> {
    let own = match (request.istio, request.filter.attachment().fails_open) {
        (release, _) if release >= FAIL_RELOAD => "FAIL_RELOAD",
        (release, open) if release >= FAIL_STRATEGY => {
            if open {
                "FAIL_OPEN"
            } else {
                "FAIL_CLOSE"
            }
        }
        _ => return None,
    };
    Some(request.kept.text("failStrategy", request.istio).unwrap_or_else(|| own.to_owned()))
}
