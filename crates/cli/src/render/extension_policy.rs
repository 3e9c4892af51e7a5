//! Envoy Gateway's `EnvoyExtensionPolicy`.

use narrows_core::{PolicyValue, vm_config};

use super::kept::metadata;
use super::{RenderRequest, table, text};
use crate::error::CliError;
use crate::write::yaml;

/// What such a policy may be attached to.
const TARGETS: [&str; 3] = ["Gateway", "HTTPRoute", "GRPCRoute"];

/// The resource. Envoy Gateway runs Wasm after authentication and before its authorization, and nowhere else.
pub(super) fn render(request: &RenderRequest<'_>) -> Result<String, CliError> {
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
    let mut plugin = vec![("name".to_owned(), text(&request.name))];
    let written = request.kept.text("pluginName", request.istio);
    if request.strict || request.is_bundle() {
        let is_strict = request.strict || written.is_some_and(|name| vm_config::is_strict(name.as_bytes()));
        let strict = if is_strict { vm_config::STRICT } else { "" };
        plugin.push(("rootID".to_owned(), text([request.filter.name(), strict].concat())));
    }
    plugin.push(("code".to_owned(), code(request)?));
    let fails_open = request.filter.attachment().fails_open;
    plugin.push(("failOpen".to_owned(), PolicyValue::Flag(fails_open)));
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
    if fails_open {
        comments
            .push_str("# failOpen: while the filter cannot run, requests pass without it. Then nothing is\n");
        comments.push_str("# stripped, answered or refused.\n");
    }
    Ok(comments + &yaml::document(&resource))
}

/// Where the module is: in an image, or behind an address of HTTP.
fn code(request: &RenderRequest<'_>) -> Result<PolicyValue, CliError> {
    let url = request.url.as_deref().ok_or_else(|| {
        CliError::new("the address of the module is missing", "add --url oci://registry/repository:tag")
    })?;
    let mut code = match url.split_once("://") {
        Some(("http" | "https", _)) => {
            vec![("type".to_owned(), text("HTTP")), ("http".to_owned(), table([("url", text(url))]))]
        }
        Some(("oci", image)) => image_of(image),
        None if url.contains('/') => image_of(url),
        _ => {
            return Err(CliError::new(
                format!("Envoy Gateway cannot fetch {url:?}"),
                "write --url oci://registry/repository:tag, or https://…",
            ));
        }
    };
    code.extend(request.sha256.iter().map(|digest| ("sha256".to_owned(), text(digest))));
    Ok(PolicyValue::Table(code))
}

fn image_of(image: &str) -> Vec<(String, PolicyValue)> {
    vec![("type".to_owned(), text("Image")), ("image".to_owned(), table([("url", text(image))]))]
}
