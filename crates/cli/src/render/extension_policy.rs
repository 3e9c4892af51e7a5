//! Envoy Gateway's `EnvoyExtensionPolicy`.

use narrows_core::{PolicyValue, vm_config};

use super::kept::metadata;
use super::{RenderRequest, table, text};
use crate::error::CliError;
use crate::istio::{Mode, Release};
use crate::write::yaml;

/// What such a policy may be attached to.
const TARGETS: [&str; 3] = ["Gateway", "HTTPRoute", "GRPCRoute"];

/// The resource. Envoy Gateway runs Wasm after authentication and before its authorization, and nowhere else.
pub(super) fn render(request: &RenderRequest<'_>) -> Result<String, CliError> {
    let targets = targets(request)?;
    can_say(request)?;
    let mut plugin = vec![("name".to_owned(), text(&request.name))];
    let written = request.kept.text("pluginName", Release::NEWEST);
    let is_strict = request.strict || written.is_some_and(|name| vm_config::is_strict(name.as_bytes()));
    if is_strict || request.is_bundle() {
        let strict = if is_strict { vm_config::STRICT } else { "" };
        plugin.push(("rootID".to_owned(), text([request.filter.name(), strict].concat())));
    }
    plugin.push(("code".to_owned(), code(request)?));
    let strategy = request.kept.text("failStrategy", Release::NEWEST);
    let fails_open = match strategy.as_deref() {
        Some(strategy) => strategy == "FAIL_OPEN",
        None => request.filter.attachment().fails_open,
    };
    plugin.push(("failOpen".to_owned(), PolicyValue::Flag(fails_open)));
    let keys = request.kept.environment().of_host;
    if !keys.is_empty() {
        let keys = PolicyValue::List(keys.into_iter().map(PolicyValue::Text).collect());
        plugin.push(("env".to_owned(), table([("hostKeys", keys)])));
    }
    plugin.push(("config".to_owned(), request.tree.clone()));
    let resource = table([
        ("apiVersion", text("gateway.envoyproxy.io/v1alpha1")),
        ("kind", text("EnvoyExtensionPolicy")),
        ("metadata", metadata(&request.name, request.namespace.as_deref(), &request.kept)),
        (
            "spec",
            table([
                ("targetRefs", PolicyValue::List(targets)),
                ("wasm", PolicyValue::List(vec![PolicyValue::Table(plugin)])),
            ]),
        ),
    ]);
    let mut comments =
        String::from("# Envoy Gateway runs it after authentication and before authorization.\n");
    if request.priority.is_some() {
        comments.push_str("# It has no priority: that of the resource has no place here.\n");
    }
    if strategy.as_deref() == Some("FAIL_RELOAD") {
        comments.push_str("# It has no FAIL_RELOAD: while the filter cannot run, requests are refused.\n");
    }
    if fails_open {
        comments
            .push_str("# failOpen: while the filter cannot run, requests pass without it. Then nothing is\n");
        comments.push_str("# stripped, answered or refused.\n");
    }
    Ok(comments + &yaml::document(&resource))
}

/// What it attaches to.
fn targets(request: &RenderRequest<'_>) -> Result<Vec<PolicyValue>, CliError> {
    let mut targets = Vec::new();
    for (kind, name) in &request.targets {
        if !TARGETS.contains(&kind.as_str()) {
            return Err(CliError::new(
                format!("an EnvoyExtensionPolicy cannot attach to a {kind}"),
                format!(
                    "write --target with one of {}",
                    TARGETS.map(|kind| format!("{kind}/NAME")).join(", ")
                ),
            ));
        }
        targets.push(table([
            ("group", text("gateway.networking.k8s.io")),
            ("kind", text(kind)),
            ("name", text(name)),
        ]));
    }
    if targets.is_empty() {
        return Err(CliError::new(
            "there is nothing to attach to",
            "add --target Gateway/NAME or HTTPRoute/NAME",
        ));
    }
    Ok(targets)
}

/// Refuses what the resource says and Envoy Gateway has no field for.
fn can_say(request: &RenderRequest<'_>) -> Result<(), CliError> {
    let lacks = |field: &str, help: &str| {
        Err(CliError::new(format!("an EnvoyExtensionPolicy has no field for {field} of the resource"), help))
    };
    // All traffic of a gateway is outbound.
    let is_all = |(mode, ports): (Option<Mode>, Vec<u16>)| mode != Some(Mode::Server) && ports.is_empty();
    if request.kept.clauses().is_some() && !request.kept.restrictions().any(is_all) {
        return lacks(
            "\"match\"",
            "take it out of the resource: the filter then runs on every port of its target",
        );
    }
    if !request.kept.environment().written.is_empty() {
        return lacks(
            "values in \"vmConfig\"",
            "take them out, or write \"valueFrom: HOST\" and set them for the proxy",
        );
    }
    if request.kept.text("verificationKey", Release::NEWEST).is_some() {
        return lacks("\"verificationKey\"", "take it out, and write the digest of the module with --sha256");
    }
    if request.kept.text("type", Release::NEWEST).is_some_and(|kind| kind == "NETWORK") {
        return lacks("\"type: NETWORK\"", "take it out: the filters are filters of HTTP");
    }
    Ok(())
}

/// Where the module is: in an image, or behind an address of HTTP.
fn code(request: &RenderRequest<'_>) -> Result<PolicyValue, CliError> {
    let url = request.url.as_deref().ok_or_else(|| {
        CliError::new("the address of the module is missing", "add --url oci://registry/repository:tag")
    })?;
    let (kind, field, url) = match url.split_once("://") {
        Some(("http" | "https", _)) => ("HTTP", "http", url),
        Some(("oci", image)) => ("Image", "image", image),
        None if url.contains('/') => ("Image", "image", url),
        _ => {
            return Err(CliError::new(
                format!("Envoy Gateway cannot fetch {url:?}"),
                "write --url oci://registry/repository:tag, or https://…",
            ));
        }
    };
    let mut source = vec![("url".to_owned(), text(url))];
    source.extend(request.sha256.iter().map(|digest| ("sha256".to_owned(), text(digest))));
    // Istio has the secret of an address of HTTP for nothing.
    let secret = request.kept.text("imagePullSecret", Release::NEWEST).filter(|_| kind == "Image");
    source.extend(
        secret.map(|name| {
            ("pullSecretRef".to_owned(), table([("kind", text("Secret")), ("name", text(name))]))
        }),
    );
    let mut code = vec![("type".to_owned(), text(kind)), (field.to_owned(), PolicyValue::Table(source))];
    let policy = request.kept.text("imagePullPolicy", Release::NEWEST);
    let policy = policy.filter(|policy| ["IfNotPresent", "Always"].contains(&policy.as_str()));
    code.extend(policy.map(|policy| ("pullPolicy".to_owned(), text(policy))));
    Ok(PolicyValue::Table(code))
}
