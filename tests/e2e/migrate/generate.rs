//! Generated configurations, each beside its policy.

use narrows_oracle::Random;
use serde_json::{Value, json};

use super::compare::Tally;
use super::files::virtual_hosts;
use super::requests::Vocabulary;
use super::sides::{Sides, converted, json_of};

const CONFIGURATIONS: usize = 10;
const REQUESTS: usize = 150;

/// Compares generated configurations, of which together at least so many requests are taken by a route, drawn,
/// redirected and rewritten.
fn beside(seed: u64, generate: impl Fn(&mut Random) -> Vec<Value>, least: [usize; 4]) {
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    for _ in 0..CONFIGURATIONS {
        let documents = generate(&mut random);
        let text = documents.iter().map(|one| format!("{one:#}")).collect::<Vec<_>>().join("\n---\n");
        let (made, _) = converted(&text, &[]);
        let old = virtual_hosts(&documents);
        let new = virtual_hosts(&made.routes.iter().map(json_of).collect::<Vec<_>>());
        let mut sides = Sides::start(&old, &made, &new);
        let vocabulary = Vocabulary::of(&old);
        let shown = || format!("{text}\n{:#}\n{new:#?}", json_of(&made.policy));
        for _ in 0..REQUESTS {
            tally.judge(&mut sides, &vocabulary.request(&mut random), &shown);
        }
    }
    println!("{tally:?}");
    let seen = [tally.taken, tally.drawn, tally.redirected, tally.rewritten];
    assert!(seen.iter().zip(least).all(|(seen, least)| *seen >= least), "it proves little: {tally:?}");
}

#[test]
fn virtual_services_do_what_they_did() {
    beside(1, |random| vec![virtual_service(random)], [700, 20, 40, 40]);
}

#[test]
fn http_routes_do_what_they_did() {
    beside(2, |random| vec![http_route(random)], [700, 20, 40, 40]);
}

#[test]
fn ingresses_do_what_they_did() {
    beside(3, ingresses, [700, 100, 0, 0]);
}

const HEADERS: [&str; 3] = ["x-user", "x-group", "x-plan"];
const WORDS: [&str; 4] = ["beta", "qa", "be", "gold"];
const PATHS: [&str; 5] = ["/api", "/api/v1", "/cart", "/a", "/docs"];

fn virtual_service(random: &mut Random) -> Value {
    let count = 2 + random.below(5);
    let mut http: Vec<Value> = (0..count).map(|number| entry(random, number)).collect();
    match random.below(3) {
        0 => {}
        1 => http.push(json!({ "route": [to("rest", 0)] })),
        _ => http.push(json!({ "route": [to("left", 50), to("right", 50)] })),
    }
    json!({ "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": { "name": "generated", "namespace": "shop" },
        "spec": { "hosts": [random.pick(&["shop.example.com", "*.example.com", "*"])],
                  "gateways": ["gateway"], "http": http } })
}

fn to(name: &str, weight: u64) -> Value {
    let mut to = json!({ "destination": { "host": name } });
    if weight > 0 {
        to["weight"] = json!(weight);
    }
    to
}

fn entry(random: &mut Random, number: usize) -> Value {
    let matches: Vec<Value> = (0..=random.below(2)).map(|_| one(random)).collect();
    let mut entry = json!({ "match": matches });
    let word = random.pick(&WORDS);
    if random.once_in(3) {
        entry["headers"]["request"]["set"]["x-edited"] = json!(format!("{word}-{number}"));
    }
    if random.once_in(4) {
        entry["headers"]["response"]["add"]["x-answer"] = json!(word);
    }
    if random.once_in(4) {
        entry["headers"]["request"]["remove"] = json!([random.pick(&HEADERS)]);
    }
    match random.below(6) {
        0 => {
            let mut redirect = json!({ "uri": random.pick(&["/there", "/there?x=1"]) });
            if random.once_in(2) {
                redirect["authority"] = json!("there.example.com");
            }
            if random.once_in(2) {
                redirect["scheme"] = json!("https");
            }
            entry["redirect"] = redirect;
        }
        1 => entry["directResponse"] = json!({ "status": 410, "body": { "string": word } }),
        2 => entry["route"] = json!([to(&format!("one-{number}"), 50), to(&format!("two-{number}"), 50)]),
        kind => {
            entry["route"] = json!([to(&format!("app-{number}"), 0)]);
            if kind == 3 {
                entry["rewrite"] = json!({ "uri": random.pick(&["/new", "/new/deep"]) });
            } else if kind == 4 {
                entry["rewrite"] = json!({ "uriRegexRewrite": { "match": "/a(p?)", "rewrite": r"/b\1" } });
            }
        }
    }
    entry
}

fn string(random: &mut Random, words: &[&str]) -> Value {
    let word = random.pick(words);
    match random.below(4) {
        0 => json!({ "prefix": word }),
        1 => json!({ "regex": format!("{word}.*") }),
        _ => json!({ "exact": word }),
    }
}

fn one(random: &mut Random) -> Value {
    let mut one = json!({});
    if !random.once_in(4) {
        one["uri"] = string(random, &PATHS);
        if random.once_in(4) {
            one["ignoreUriCase"] = json!(true);
        }
    }
    if random.once_in(2) {
        one["headers"][random.pick(&HEADERS)] = string(random, &WORDS);
    }
    if random.once_in(4) {
        let name = random.pick(&HEADERS);
        one["withoutHeaders"][name] = if random.once_in(2) { json!({}) } else { string(random, &WORDS) };
    }
    if random.once_in(5) {
        one["method"] = json!({ "exact": random.pick(&["GET", "POST"]) });
    }
    if random.once_in(5) || one == json!({}) {
        one["queryParams"][random.pick(&["q", "lang"])] = string(random, &["de", "fr"]);
    }
    one
}

fn http_route(random: &mut Random) -> Value {
    let rules: Vec<Value> = (0..3 + random.below(4)).map(|number| rule(random, number)).collect();
    json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "generated", "namespace": "shop" },
        "spec": { "parentRefs": [{ "name": "gateway" }], "hostnames": ["shop.example.com"], "rules": rules } })
}

fn rule(random: &mut Random, number: usize) -> Value {
    let matches: Vec<Value> = (0..=random.below(3)).map(|_| route_match(random)).collect();
    let mut filters = Vec::new();
    if random.once_in(3) {
        filters.push(json!({ "type": "RequestHeaderModifier", "requestHeaderModifier": {
            "set": [{ "name": "x-edited", "value": format!("r{number}") }], "remove": [random.pick(&HEADERS)] } }));
    }
    let path = match random.below(3) {
        0 => json!({ "type": "ReplaceFullPath", "replaceFullPath": "/full" }),
        _ => {
            json!({ "type": "ReplacePrefixMatch", "replacePrefixMatch": random.pick(&["/new", "/new/", "/"]) })
        }
    };
    // A prefix is replaced where there is one.
    let has_prefix = matches.iter().all(|one| one["path"]["type"] == "PathPrefix");
    match random.below(4) {
        0 if has_prefix => filters.push(json!({ "type": "URLRewrite", "urlRewrite": { "path": path } })),
        1 => {
            let mut redirect = json!({ "hostname": "there.example.com", "scheme": "https" });
            if has_prefix && random.once_in(2) && path["replacePrefixMatch"] != "/" {
                redirect["path"] = path;
            }
            filters.push(json!({ "type": "RequestRedirect", "requestRedirect": redirect }));
            return json!({ "matches": matches, "filters": filters });
        }
        _ => {}
    }
    let mut refs = vec![json!({ "name": format!("app-{number}"), "port": 80 })];
    if random.once_in(3) {
        refs.push(json!({ "name": format!("canary-{number}"), "port": 80 }));
    }
    json!({ "matches": matches, "filters": filters, "backendRefs": refs })
}

fn route_match(random: &mut Random) -> Value {
    let mut one = json!({});
    let kind = random.pick(&["PathPrefix", "PathPrefix", "PathPrefix", "Exact"]);
    one["path"] = json!({ "type": kind, "value": random.pick(&PATHS) });
    if random.once_in(3) {
        one["method"] = json!(random.pick(&["GET", "POST"]));
    }
    if random.once_in(2) {
        one["headers"] = json!([{ "name": random.pick(&HEADERS), "value": random.pick(&WORDS) }]);
    }
    if random.once_in(4) {
        one["queryParams"] = json!([{ "name": "q", "value": "de" }]);
    }
    one
}

fn ingresses(random: &mut Random) -> Vec<Value> {
    // What ImplementationSpecific means differs between the two, and is listed.
    let kinds = ["Prefix", "Exact"];
    let mut paths: Vec<(&str, &str)> = vec![("/", "Prefix")];
    for path in ["/api", "/api/v1", "/cart"] {
        if random.once_in(2) {
            paths.push((path, random.pick(&kinds)));
        }
    }
    let rule = |path: &(&str, &str), suffix: &str| {
        let name = format!("app{}{suffix}", path.0.replace('/', "-"));
        json!({ "path": path.0, "pathType": path.1,
            "backend": { "service": { "name": name, "port": { "number": 80 } } } })
    };
    let ingress = |name: &str, annotations: Value, paths: Vec<Value>| {
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": { "name": name, "annotations": annotations },
            "spec": { "rules": [{ "host": "shop.example.com", "http": { "paths": paths } }] } })
    };
    let mut annotations = json!({ "nginx.ingress.kubernetes.io/canary": "true" });
    let mut annotate = |name: &str, value: &str| {
        annotations[format!("nginx.ingress.kubernetes.io/{name}")] = json!(value);
    };
    if !random.once_in(4) {
        annotate("canary-by-header", "x-user");
        match random.below(3) {
            0 => annotate("canary-by-header-value", "beta"),
            1 => annotate("canary-by-header-pattern", "^be|qa"),
            _ => {}
        }
    }
    if !random.once_in(3) {
        annotate("canary-by-cookie", "canary");
    }
    if !random.once_in(3) {
        annotate("canary-weight", "50");
    }
    let mut taken: Vec<Value> =
        paths.iter().filter(|_| random.once_in(2)).map(|path| rule(path, "-canary")).collect();
    if taken.is_empty() {
        taken.push(rule(&paths[0], "-canary"));
    }
    let all = paths.iter().map(|path| rule(path, "")).collect();
    vec![ingress("shop", json!({}), all), ingress("shop-canary", annotations, taken)]
}
