//! Istio's `EnvoyFilter`: for proxies that have the module as a file, and no `WasmPlugin`.

use narrows_core::PolicyValue;

use super::kept::metadata;
use super::resource::{choice, parts_of, phase};
use super::{RenderRequest, clauses, envoy, table, text};
use crate::error::CliError;
use crate::placement::part::Part;
use crate::placement::site::Site;
use crate::write::yaml;

/// The filter of Envoy that has HTTP filters in it.
pub(super) const MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// The last one of them, which sends the request.
pub(super) const ROUTER: &str = "envoy.filters.http.router";

/// The resource, with a comment that says where its filters are.
pub(super) fn render(request: &RenderRequest<'_>) -> Result<String, CliError> {
    let (site, parts) = parts_of(request)?;
    let mut patches = Vec::new();
    for part in &parts {
        for (context, port) in clauses::places(request, site, part) {
            patches.push(patch(request, site, part, context, port)?);
        }
    }
    let mut spec = Vec::new();
    let priority = request.kept.patch_priority;
    spec.extend(priority.map(|priority| ("priority".to_owned(), PolicyValue::Integer(priority))));
    for (name, value) in choice(request)? {
        match (name.as_str(), value) {
            ("selector", PolicyValue::Table(fields)) => {
                let labels = fields.into_iter().map(|(_, labels)| ("labels".to_owned(), labels)).collect();
                spec.push(("workloadSelector".to_owned(), PolicyValue::Table(labels)));
            }
            (_, value) => spec.push((name, value)),
        }
    }
    spec.push(("configPatches".to_owned(), PolicyValue::List(patches)));
    let resource = table([
        ("apiVersion", text("networking.istio.io/v1alpha3")),
        ("kind", text("EnvoyFilter")),
        ("metadata", metadata(&request.name, request.namespace.as_deref(), &request.kept)),
        ("spec", PolicyValue::Table(spec)),
    ]);
    let mut comments = String::new();
    for part in &parts {
        comments.push_str(match (is_first(request, site, part), part.decides) {
            (true, false) => "# One filter removes what clients must not send, before authentication.\n",
            (true, true) => {
                "# It is the first filter, before authentication: it reads no claims of a token.\n"
            }
            (false, _) => "# The filter that decides is the last one, after authorization.\n",
        });
    }
    if request.priority.is_some() {
        comments.push_str("# It has no priority: that of the resource has no place here.\n");
    }
    Ok(comments + &yaml::document(&resource))
}

/// Whether a filter must come before authorization. An `EnvoyFilter` has no other place there than the first
/// one: the filters of Istio are not on every proxy.
fn is_first(request: &RenderRequest<'_>, site: Site, part: &Part) -> bool {
    match phase(request) {
        _ if !part.decides => true,
        // The resource names another phase than that of the policy.
        Some(phase) => phase != "STATS",
        None => site.authorizes() && part.slot.phase != "STATS",
    }
}

fn patch(
    request: &RenderRequest<'_>,
    site: Site,
    part: &Part,
    context: &str,
    port: Option<u16>,
) -> Result<PolicyValue, CliError> {
    let mut listener = Vec::new();
    listener.extend(port.map(|port| ("portNumber".to_owned(), PolicyValue::Integer(port.into()))));
    let is_first = is_first(request, site, part);
    let mut manager = vec![("name".to_owned(), text(MANAGER))];
    if !is_first {
        manager.push(("subFilter".to_owned(), table([("name", text(ROUTER))])));
    }
    let chain = table([("filter", PolicyValue::Table(manager))]);
    listener.push(("filterChain".to_owned(), chain));
    let operation = if is_first { "INSERT_FIRST" } else { "INSERT_BEFORE" };
    Ok(table([
        ("applyTo", text("HTTP_FILTER")),
        ("match", table([("context", text(context)), ("listener", PolicyValue::Table(listener))])),
        (
            "patch",
            table([
                ("operation", text(operation)),
                ("value", envoy::filter(request, part.filter, &part.policy, part.suffix)?),
            ]),
        ),
    ]))
}
