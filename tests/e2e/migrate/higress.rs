//! Higress's plugins as routes of Envoy: what their documentation says. All of them lead to one application,
//! and what counts is the headers that it gets.

use serde_json::{Value, json};

/// The virtual host of a configuration of traffic-tag that sets one header.
pub(crate) fn traffic_tag(config: &Value) -> Value {
    let groups = || config["conditionGroups"].as_array().into_iter().flatten();
    let weights = config["weightGroups"].as_array().cloned().unwrap_or_default();
    let names = groups().chain(&weights).filter_map(|group| group["headerName"].as_str());
    let header = names.chain(config["defaultTagKey"].as_str()).next().unwrap();
    let there = json!({ "name": header, "string_match": { "safe_regex": { "regex": ".+" } } });
    let mut routes = vec![route(&json!({ "headers": [there] }), None)];
    for group in groups() {
        let list = group["conditions"].as_array().unwrap();
        let tag = Some((header, group["headerValue"].as_str().unwrap()));
        if group["logic"] == "or" {
            routes.extend(list.iter().map(|one| route(&matched(std::slice::from_ref(one)), tag)));
        } else {
            routes.push(route(&matched(list), tag));
        }
    }
    let default = config["defaultTagVal"].as_str().map(|value| (header, value));
    if weights.is_empty() {
        routes.push(route(&json!({}), default));
    } else {
        let taken: u64 = weights.iter().map(|one| one["weight"].as_u64().unwrap()).sum();
        let mut clusters: Vec<Value> = weights
            .iter()
            .map(|one| {
                weighted(
                    one["weight"].as_u64().unwrap(),
                    Some((header, one["headerValue"].as_str().unwrap())),
                )
            })
            .collect();
        clusters.push(weighted(100 - taken, default));
        let mut last = route(&json!({}), None);
        last["route"] = json!({ "weighted_clusters": { "clusters": clusters } });
        routes.push(last);
    }
    json!({ "name": "all", "domains": ["*"], "routes": routes })
}

/// What sets a tag unless there is one.
fn added(tag: Option<(&str, &str)>) -> Value {
    tag.map_or(json!([]), |(name, value)| {
        json!([{ "header": { "key": name, "value": value }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }])
    })
}

fn weighted(weight: u64, tag: Option<(&str, &str)>) -> Value {
    json!({ "name": "app", "weight": weight, "request_headers_to_add": added(tag) })
}

fn route(one: &Value, tag: Option<(&str, &str)>) -> Value {
    let mut matched = json!({ "prefix": "/" });
    for list in ["headers", "query_parameters"] {
        if one[list].is_array() {
            matched[list] = one[list].clone();
        }
    }
    json!({ "match": matched, "route": { "cluster": "app" }, "request_headers_to_add": added(tag) })
}

fn matched(list: &[Value]) -> Value {
    let (mut headers, mut parameters) = (Vec::new(), Vec::new());
    for one in list {
        let key = one["key"].as_str().unwrap();
        let first = one["value"][0].as_str().unwrap_or_default();
        let any: Vec<&str> =
            one["value"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (test, is_inverted) = match one["operator"].as_str().unwrap() {
            "equal" => (json!({ "exact": first }), false),
            "not_equal" => (json!({ "exact": first }), true),
            "prefix" => (json!({ "prefix": first }), false),
            "in" => (json!({ "safe_regex": { "regex": any.join("|") } }), false),
            "not_in" => (json!({ "safe_regex": { "regex": any.join("|") } }), true),
            "regex" => (json!({ "safe_regex": { "regex": format!(".*({first}).*") } }), false),
            other => panic!("{other} has no translation here"),
        };
        match one["conditionType"].as_str().unwrap() {
            "header" => {
                headers.push(json!({ "name": key, "string_match": test, "invert_match": is_inverted }));
            }
            "parameter" => parameters.push(json!({ "name": key, "string_match": test })),
            _ => {
                let regex = format!("(.*; ?)?{key}={first}(;.*)?");
                headers
                    .push(json!({ "name": "cookie", "string_match": { "safe_regex": { "regex": regex } } }));
            }
        }
    }
    json!({ "headers": headers, "query_parameters": parameters })
}

/// The virtual host of a configuration of frontend-gray that has users alone.
pub(crate) fn frontend_gray(config: &Value) -> Value {
    let key = config["grayKey"].as_str().unwrap();
    let tags = |deployment: &Value| -> Value {
        let pairs = [("x-higress-tag", "version"), ("x-mse-tag", "backendVersion")];
        pairs
            .iter()
            .filter_map(|(name, field)| {
                Some(json!({ "header": { "key": name, "value": deployment[field].as_str()? },
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }))
            })
            .collect()
    };
    let cookie = |name: &str, values: &str, is_there: bool| {
        let regex =
            if is_there { format!("(.*; ?)?{name}=({values})(;.*)?") } else { format!("(.*; ?)?{name}=.*") };
        json!({ "name": "cookie", "string_match": { "safe_regex": { "regex": regex } }, "invert_match": !is_there,
            "treat_missing_header_as_empty": !is_there })
    };
    let alternatives = |list: &Value| -> String {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("|")
    };
    let mut routes = Vec::new();
    for deployment in
        config["grayDeployments"].as_array().unwrap().iter().filter(|one| one["enabled"] == true)
    {
        let rule = config["rules"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rule| rule["name"] == deployment["name"])
            .unwrap();
        let users = alternatives(&rule["grayKeyValue"]);
        let header = json!({ "name": key, "string_match": { "safe_regex": { "regex": users } } });
        let mut all = vec![json!([cookie(key, &users, true)]), json!([header, cookie(key, "", false)])];
        if let Some(tag) = rule["grayTagKey"].as_str() {
            all.push(json!([cookie(tag, &alternatives(&rule["grayTagValue"]), true)]));
        }
        for headers in all {
            routes
                .push(json!({ "match": { "prefix": "/", "headers": headers }, "route": { "cluster": "app" },
                "request_headers_to_add": tags(deployment) }));
        }
    }
    routes.push(json!({ "match": { "prefix": "/" }, "route": { "cluster": "app" },
        "request_headers_to_add": tags(&config["baseDeployment"]) }));
    json!({ "name": "all", "domains": ["*"], "routes": routes })
}
