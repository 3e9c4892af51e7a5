//! Ingresses with the canary annotations of ingress-nginx as routes of Envoy: what the annotations'
//! documentation says, and `balancer.lua` where it is silent.

use serde_json::{Value, json};

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// The virtual hosts of a list of Ingresses.
pub(crate) fn virtual_hosts(all: &[Value]) -> Vec<Value> {
    let is_canary = |one: &&Value| one["metadata"]["annotations"][format!("{PREFIX}canary")] == "true";
    let mut hosts: Vec<String> = Vec::new();
    let mut locations: Vec<(String, Value, String)> = Vec::new();
    for main in all.iter().filter(|one| !is_canary(one)) {
        for (host, path, service) in paths(main) {
            if !hosts.contains(&host) {
                hosts.push(host.clone());
            }
            locations.push((host, path, service));
        }
    }
    // An exact path first, then the longest.
    locations.sort_by_key(|(_, path, _)| {
        std::cmp::Reverse((path["pathType"] == "Exact", path["path"].as_str().unwrap().len()))
    });
    let canaries: Vec<(&Value, String, Value, String)> = all
        .iter()
        .filter(is_canary)
        .flat_map(|one| paths(one).into_iter().map(move |(host, path, service)| (one, host, path, service)))
        .collect();
    let mut found = Vec::new();
    for host in hosts {
        let mut routes = Vec::new();
        for (_, path, service) in locations.iter().filter(|(own, ..)| *own == host) {
            let canary = canaries.iter().find(|(_, own, canary, _)| *own == host && canary == path);
            if let Some((ingress, _, _, canary)) = canary {
                routes.extend(chosen(&ingress["metadata"]["annotations"], path, service, canary));
            } else {
                routes.push(to(path, &[], service));
            }
        }
        found.push(json!({ "name": host, "domains": [host], "routes": routes }));
    }
    found
}

/// Host, path and service of each path of an Ingress.
fn paths(ingress: &Value) -> Vec<(String, Value, String)> {
    let mut all = Vec::new();
    for rule in ingress["spec"]["rules"].as_array().into_iter().flatten() {
        let host = rule["host"].as_str().unwrap_or("*").to_owned();
        for path in rule["http"]["paths"].as_array().into_iter().flatten() {
            // Named as istiod names the cluster of what remains.
            let service = format!("outbound||{}", path["backend"]["service"]["name"].as_str().unwrap());
            let kind = path["pathType"].as_str().unwrap_or("ImplementationSpecific");
            all.push((host.clone(), json!({ "path": path["path"], "pathType": kind }), service));
        }
    }
    all
}

/// The routes of one path, in the order of the annotations: header, cookie, weight.
fn chosen(annotations: &Value, path: &Value, stable: &str, canary: &str) -> Vec<Value> {
    let text = |name: &str| annotations[format!("{PREFIX}{name}")].as_str();
    let mut routes = Vec::new();
    let header = |name: &str, test: Value| json!({ "name": name, "string_match": test });
    let cookie = |name: &str, word: &str| {
        header("cookie", json!({ "safe_regex": { "regex": format!("(.*; )?{name}={word}(;.*)?") } }))
    };
    if let Some(name) = text("canary-by-header") {
        if let Some(value) = text("canary-by-header-value") {
            routes.push(to(path, &[header(name, json!({ "exact": value }))], canary));
        } else if let Some(pattern) = text("canary-by-header-pattern") {
            let regex = json!({ "safe_regex": { "regex": format!(".*({pattern}).*") } });
            routes.push(to(path, &[header(name, regex)], canary));
        } else {
            routes.push(to(path, &[header(name, json!({ "exact": "always" }))], canary));
            routes.push(to(path, &[header(name, json!({ "exact": "never" }))], stable));
        }
    }
    if let Some(name) = text("canary-by-cookie") {
        routes.push(to(path, &[cookie(name, "always")], canary));
        routes.push(to(path, &[cookie(name, "never")], stable));
    }
    let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
    let total = number("canary-weight-total").filter(|total| *total > 100).unwrap_or(100);
    let weight = number("canary-weight").unwrap_or_default().min(total);
    let mut last = to(path, &[], stable);
    if weight > 0 {
        last["route"] = json!({ "weighted_clusters": { "clusters": [
            { "name": stable, "weight": total - weight }, { "name": canary, "weight": weight } ] } });
    }
    routes.push(last);
    routes
}

fn to(path: &Value, headers: &[Value], service: &str) -> Value {
    let text = path["path"].as_str().unwrap();
    let kind = match path["pathType"].as_str().unwrap() {
        "Exact" => "path",
        "Prefix" if text != "/" => "path_separated_prefix",
        _ => "prefix",
    };
    let text = if kind == "path_separated_prefix" { text.trim_end_matches('/') } else { text };
    json!({ "match": { kind: text, "headers": headers }, "route": { "cluster": service } })
}
