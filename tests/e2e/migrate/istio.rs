//! `VirtualService` and `HTTPRoute` as routes of Envoy, as istiod 1.27 writes them but for the names of
//! clusters (`pilot/pkg/networking/core/route`).

mod gateway_api;

pub(crate) use gateway_api::http_route;
use serde_json::{Value, json};

/// The virtual host of a `VirtualService`.
pub(crate) fn virtual_service(resource: &Value) -> Value {
    let spec = &resource["spec"];
    let gateways = spec["gateways"].as_array().map(Vec::len).unwrap_or_default();
    let namespace = resource["metadata"]["namespace"].as_str().unwrap_or("default");
    let mut domains = Vec::new();
    for host in spec["hosts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match host.strip_suffix(".svc.cluster.local") {
            Some(service) if gateways == 0 => domains.extend(forms(service)),
            _ if gateways == 0 && !host.contains(['.', '*']) => {
                domains.extend(forms(&format!("{host}.{namespace}")));
            }
            _ => domains.push(host.to_owned()),
        }
    }
    let mut routes = Vec::new();
    for http in spec["http"].as_array().into_iter().flatten() {
        match http["match"].as_array().filter(|list| !list.is_empty()) {
            None => routes.push(route(http, &json!({}), false)),
            Some(list) => routes.extend(list.iter().map(|one| route(http, one, false))),
        }
    }
    json!({ "name": resource["metadata"]["name"], "domains": domains, "routes": routes })
}

fn forms(service: &str) -> [String; 4] {
    let bare = service.split('.').next().unwrap().to_owned();
    [bare, service.to_owned(), format!("{service}.svc"), format!("{service}.svc.cluster.local")]
}

/// One match of one entry of `http`; `by_segment` for what was made of a Gateway API resource.
pub(crate) fn route(http: &Value, one: &Value, by_segment: bool) -> Value {
    let mut route = json!({ "match": matched(one, by_segment) });
    edits(&http["headers"], &mut route);
    if let Some(redirect) = http["redirect"].as_object() {
        route["redirect"] = self::redirect(&Value::Object(redirect.clone()));
        return route;
    }
    if http["directResponse"].is_object() {
        let answer = &http["directResponse"];
        route["direct_response"] = json!({ "status": answer["status"] });
        if let Some(body) = answer["body"]["string"].as_str() {
            route["direct_response"]["body"] = json!({ "inline_string": body });
        }
        return route;
    }
    let mut action = json!({ "timeout": "5s" });
    let rewrite = &http["rewrite"];
    if rewrite["uriRegexRewrite"].is_object() {
        action["regex_rewrite"] = json!({ "pattern": { "regex": rewrite["uriRegexRewrite"]["match"] },
            "substitution": rewrite["uriRegexRewrite"]["rewrite"] });
    } else if let Some(uri) = rewrite["uri"].as_str() {
        if by_segment && uri == "/" {
            let prefix = route["match"]["path_separated_prefix"].as_str().unwrap_or_default();
            let regex = format!("^{prefix}(/?)(.*)");
            action["regex_rewrite"] = json!({ "pattern": { "regex": regex }, "substitution": "/\\2" });
        } else {
            action["prefix_rewrite"] = json!(uri);
        }
    }
    if let Some(authority) = rewrite["authority"].as_str() {
        action["host_rewrite_literal"] = json!(authority);
    }
    let destinations = http["route"].as_array().unwrap();
    if let [only] = &**destinations {
        action["cluster"] = json!(cluster(&only["destination"]));
        edits(&only["headers"], &mut route);
    } else {
        let clusters = destinations.iter().filter(|one| one["weight"].as_u64().unwrap_or_default() > 0);
        let clusters = clusters.map(|one| {
            let mut weight = json!({ "name": cluster(&one["destination"]), "weight": one["weight"] });
            edits(&one["headers"], &mut weight);
            weight
        });
        action["weighted_clusters"] = json!({ "clusters": clusters.collect::<Vec<_>>() });
    }
    route["route"] = action;
    route
}

fn cluster(destination: &Value) -> String {
    let text = |name: &str| destination[name].as_str().unwrap_or_default();
    format!("outbound|{}|{}", text("subset"), text("host"))
}

fn matched(one: &Value, by_segment: bool) -> Value {
    let mut matched = json!({ "prefix": "/" });
    let uri = &one["uri"];
    let only = |name: &str, value: Value| json!({ name: value });
    if let Some(exact) = uri["exact"].as_str() {
        matched = only("path", json!(exact));
    } else if let Some(prefix) = uri["prefix"].as_str() {
        let name = if by_segment && prefix != "/" { "path_separated_prefix" } else { "prefix" };
        matched = only(name, json!(prefix));
    } else if let Some(regex) = uri["regex"].as_str() {
        matched = only("safe_regex", json!({ "regex": regex }));
    }
    matched["case_sensitive"] = json!(one["ignoreUriCase"] != json!(true));
    let mut headers = Vec::new();
    for (list, is_inverted) in [("headers", false), ("withoutHeaders", true)] {
        for (name, test) in one[list].as_object().into_iter().flatten() {
            headers.push(header(name, test, is_inverted));
        }
    }
    if one["method"].is_object() {
        headers.push(header(":method", &one["method"], false));
    }
    if one["authority"].is_object() {
        headers.push(header(":authority", &one["authority"], false));
    }
    matched["headers"] = json!(headers);
    let parameters = one["queryParams"].as_object().into_iter().flatten().map(|(name, test)| {
        let mut parameter = json!({ "name": name });
        match string(test) {
            Some(test) => parameter["string_match"] = test,
            None => parameter["present_match"] = json!(true),
        }
        parameter
    });
    matched["query_parameters"] = parameters.collect();
    matched
}

/// A `StringMatch`; none for whatever is there.
fn string(test: &Value) -> Option<Value> {
    if let Some(regex) = test["regex"].as_str() {
        return (regex != "*").then(|| json!({ "safe_regex": { "regex": regex } }));
    }
    let found = ["exact", "prefix"].into_iter().find(|kind| test[*kind].is_string())?;
    Some(json!({ found: test[found] }))
}

fn header(name: &str, test: &Value, is_inverted: bool) -> Value {
    let mut header = json!({ "name": name });
    match string(test) {
        Some(test) => {
            header["string_match"] = test;
            if is_inverted {
                header["treat_missing_header_as_empty"] = json!(true);
            }
        }
        None => header["present_match"] = json!(true),
    }
    if is_inverted {
        header["invert_match"] = json!(true);
    }
    header
}

fn edits(headers: &Value, to: &mut Value) {
    for side in ["request", "response"] {
        let list = |kind: &str, action: &str| -> Vec<Value> {
            let pairs = headers[side][kind].as_object().into_iter().flatten();
            pairs.map(|(name, value)| json!({ "header": { "key": name, "value": value }, "append_action": action }))
                .collect()
        };
        let mut added = to[format!("{side}_headers_to_add")].as_array().cloned().unwrap_or_default();
        added.extend(list("set", "OVERWRITE_IF_EXISTS_OR_ADD"));
        added.extend(list("add", "APPEND_IF_EXISTS_OR_ADD"));
        let mut removed = to[format!("{side}_headers_to_remove")].as_array().cloned().unwrap_or_default();
        removed.extend(headers[side]["remove"].as_array().cloned().unwrap_or_default());
        if !added.is_empty() {
            to[format!("{side}_headers_to_add")] = json!(added);
        }
        if !removed.is_empty() {
            to[format!("{side}_headers_to_remove")] = json!(removed);
        }
    }
}

fn redirect(redirect: &Value) -> Value {
    let code = match redirect["redirectCode"].as_u64().unwrap_or(301) {
        302 => "FOUND",
        303 => "SEE_OTHER",
        307 => "TEMPORARY_REDIRECT",
        308 => "PERMANENT_REDIRECT",
        _ => "MOVED_PERMANENTLY",
    };
    let mut action = json!({ "response_code": code });
    if let Some(host) = redirect["authority"].as_str() {
        action["host_redirect"] = json!(host);
    }
    if let Some(uri) = redirect["uri"].as_str() {
        match uri.strip_prefix("%PREFIX()%") {
            Some(to) => action["prefix_rewrite"] = json!(to),
            None => action["path_redirect"] = json!(uri),
        }
    }
    if let Some(scheme) = redirect["scheme"].as_str() {
        action["scheme_redirect"] = json!(scheme);
    }
    let usual = if redirect["scheme"] == "https" { 443 } else { 80 };
    if let Some(port) = redirect["port"].as_u64().filter(|port| *port != usual) {
        action["port_redirect"] = json!(port);
    }
    action
}
