//! The HTTP filter of Envoy's own configuration.

use narrows_core::PolicyValue;

use super::{RenderRequest, table, text};
use crate::error::CliError;
use crate::filter::Filter;
use crate::istio::Release;
use crate::write::{json, yaml};

/// The type of a string in a `google.protobuf.Any`.
const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";

pub(super) fn filter_block(request: &RenderRequest<'_>) -> Result<String, CliError> {
    Ok(yaml::document(&PolicyValue::List(vec![filter(request, request.filter, &request.tree, "")?])))
}

/// One of the filters of a module, with a policy; the suffix tells it from others of the same filter.
pub(super) fn filter(
    request: &RenderRequest<'_>,
    filter: Filter,
    policy: &PolicyValue,
    suffix: &str,
) -> Result<PolicyValue, CliError> {
    let filter = filter.name();
    let name = text(format!("narrows.{filter}{suffix}"));
    let file = match request.file() {
        None => format!("dist/{}.wasm", request.filter.name()),
        Some(url) => match url.split_once("://") {
            None => url.to_owned(),
            Some(("file", path)) => path.to_owned(),
            Some(_) => {
                return Err(CliError::new(
                    format!("Envoy cannot fetch {url:?} without Istio"),
                    "give the path of a file, or file:///path",
                ));
            }
        },
    };
    let string = |value: String| table([("@type", text(STRING)), ("value", text(value))]);
    let mut vm = vec![
        // Plugins of one module share a VM if their VM ids are equal, and only they share what they know.
        (
            "vm_id",
            match request.filter {
                _ if request.is_bundle() => text("narrows"),
                Filter::TrafficLanes => text(format!("narrows.{filter}")),
                _ => name.clone(),
            },
        ),
        ("runtime", text("envoy.wasm.runtime.v8")),
        ("code", table([("local", table([("filename", text(file))]))])),
        // Refuse to start with a bad policy: no control plane would report it.
        ("configuration", string("{\"strict\": true}".to_owned())),
    ];
    vm.extend(environment(request).map(|environment| ("environment_variables", environment)));
    let vm = vm.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut config = vec![("name".to_owned(), name.clone())];
    if request.is_bundle() {
        config.push(("root_id".to_owned(), text(filter)));
    }
    config.extend([
        ("failure_policy".to_owned(), text(failure_policy(request))),
        ("vm_config".to_owned(), PolicyValue::Table(vm)),
        ("configuration".to_owned(), string(json::lines(policy))),
    ]);
    let config = PolicyValue::Table(config);
    let typed = table([
        ("@type", text("type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm")),
        ("config", config),
    ]);
    Ok(table([("name", name), ("typed_config", typed)]))
}

/// What happens to traffic while the filter cannot run: a resource says it in Istio's words.
fn failure_policy(request: &RenderRequest<'_>) -> &'static str {
    match request.kept.text("failStrategy", Release::NEWEST).as_deref() {
        Some("FAIL_OPEN") => "FAIL_OPEN",
        Some("FAIL_CLOSE") => "FAIL_CLOSED",
        _ => "FAIL_RELOAD",
    }
}

/// The environment that the resource gives the module.
fn environment(request: &RenderRequest<'_>) -> Option<PolicyValue> {
    let environment = request.kept.environment();
    let mut fields = Vec::new();
    if !environment.of_host.is_empty() {
        let names = environment.of_host.into_iter().map(PolicyValue::Text).collect();
        fields.push(("host_env_keys".to_owned(), PolicyValue::List(names)));
    }
    if !environment.written.is_empty() {
        let values = environment.written.into_iter().map(|(name, value)| (name, PolicyValue::Text(value)));
        fields.push(("key_values".to_owned(), PolicyValue::Table(values.collect())));
    }
    (!fields.is_empty()).then_some(PolicyValue::Table(fields))
}
