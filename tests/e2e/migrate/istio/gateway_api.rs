//! `HTTPRoute`, of which istiod makes a `VirtualService`.

use serde_json::{Value, json};

use super::{edits, matched, route};

/// The virtual host of an `HTTPRoute`: istiod makes a `VirtualService` of it, and sorts its routes.
pub(crate) fn http_route(resource: &Value) -> Value {
    let spec = &resource["spec"];
    let hosts = spec["hostnames"].as_array().cloned().unwrap_or_else(|| vec![json!("*")]);
    let mut all: Vec<(Value, Value)> = Vec::new();
    for rule in spec["rules"].as_array().into_iter().flatten() {
        let http = http(rule);
        match rule["matches"].as_array().filter(|list| !list.is_empty()) {
            None => all.push((json!({ "uri": { "prefix": "/" } }), http)),
            Some(list) => all.extend(list.iter().map(|one| (uri_match(one), http.clone()))),
        }
    }
    all.sort_by_key(|(one, _)| {
        let uri = &one["uri"];
        let kinds = ["exact", "prefix", "regex"];
        let kind = kinds.iter().position(|kind| uri[*kind].is_string()).unwrap();
        let length = uri[kinds[kind]].as_str().unwrap().len();
        let count = |list: &str| one[list].as_object().map_or(0, serde_json::Map::len);
        std::cmp::Reverse((
            3 - kind,
            length,
            one["method"].is_object(),
            count("headers"),
            count("queryParams"),
        ))
    });
    let routes: Vec<Value> = all.iter().map(|(one, http)| answered(http, one)).collect();
    json!({ "name": resource["metadata"]["name"], "domains": hosts, "routes": routes })
}

/// A rule without backends is answered with 500.
fn answered(http: &Value, one: &Value) -> Value {
    let weights: u64 =
        http["route"].as_array().into_iter().flatten().filter_map(|one| one["weight"].as_u64()).sum();
    if http["redirect"].is_null() && weights == 0 {
        let mut route = json!({ "match": matched(one, true), "direct_response": { "status": 500 } });
        edits(&http["headers"], &mut route);
        return route;
    }
    route(http, one, true)
}

fn uri_match(one: &Value) -> Value {
    let path = &one["path"];
    let value = path["value"].as_str().unwrap_or("/");
    let uri = match path["type"].as_str().unwrap_or("PathPrefix") {
        "Exact" => json!({ "exact": value }),
        "RegularExpression" => json!({ "regex": value }),
        _ => json!({ "prefix": if value == "/" { value } else { value.trim_end_matches('/') } }),
    };
    let mut found = json!({ "uri": uri });
    if let Some(method) = one["method"].as_str() {
        found["method"] = json!({ "exact": method });
    }
    for (list, to) in [("headers", "headers"), ("queryParams", "queryParams")] {
        for condition in one[list].as_array().into_iter().flatten() {
            let kind = if condition["type"] == "RegularExpression" { "regex" } else { "exact" };
            found[to][condition["name"].as_str().unwrap()] = json!({ kind: condition["value"] });
        }
    }
    found
}

/// A rule as an entry of `http`.
fn http(rule: &Value) -> Value {
    let mut http = json!({});
    for filter in rule["filters"].as_array().into_iter().flatten() {
        self::filter(filter, &mut http);
    }
    let refs = rule["backendRefs"].as_array().cloned().unwrap_or_default();
    let route = refs.iter().map(|one| {
        let mut to =
            json!({ "destination": { "host": one["name"] }, "weight": one["weight"].as_u64().unwrap_or(1) });
        for filter in one["filters"].as_array().into_iter().flatten() {
            self::filter(filter, &mut to);
        }
        to
    });
    http["route"] = route.collect();
    http
}

fn filter(filter: &Value, http: &mut Value) {
    let pairs = |list: &Value| -> Value {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| (one["name"].as_str().unwrap().to_owned(), one["value"].clone())).collect()
    };
    let headers = |one: &Value| {
        json!({ "set": pairs(&one["set"]), "add": pairs(&one["add"]),
        "remove": one["remove"].as_array().cloned().unwrap_or_default() })
    };
    match filter["type"].as_str().unwrap() {
        "RequestHeaderModifier" => http["headers"]["request"] = headers(&filter["requestHeaderModifier"]),
        "ResponseHeaderModifier" => http["headers"]["response"] = headers(&filter["responseHeaderModifier"]),
        "RequestRedirect" => {
            let old = &filter["requestRedirect"];
            let mut redirect = json!({ "redirectCode": old["statusCode"].as_u64().unwrap_or(302) });
            for (from, to) in [("hostname", "authority"), ("scheme", "scheme"), ("port", "port")] {
                if !old[from].is_null() {
                    redirect[to] = old[from].clone();
                }
            }
            if let Some(full) = old["path"]["replaceFullPath"].as_str() {
                redirect["uri"] = json!(full);
            }
            if let Some(prefix) = old["path"]["replacePrefixMatch"].as_str() {
                redirect["uri"] = json!(format!("%PREFIX()%{}", prefix.trim_end_matches('/')));
            }
            http["redirect"] = redirect;
        }
        "URLRewrite" => {
            let old = &filter["urlRewrite"];
            if let Some(host) = old["hostname"].as_str() {
                http["rewrite"]["authority"] = json!(host);
            }
            if let Some(full) = old["path"]["replaceFullPath"].as_str() {
                http["rewrite"]["uriRegexRewrite"] = json!({ "match": "/.*", "rewrite": full });
            }
            if let Some(prefix) = old["path"]["replacePrefixMatch"].as_str() {
                let prefix = prefix.trim_end_matches('/');
                http["rewrite"]["uri"] = json!(if prefix.is_empty() { "/" } else { prefix });
            }
        }
        other => panic!("{other} has no translation here"),
    }
}
