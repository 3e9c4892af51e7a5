//! The configurations of `tests/data/migrate`, each beside its policy.

use narrows_core::PolicyValue;
use narrows_harness::message::Request;
use narrows_harness::root;
use narrows_oracle::Random;
use serde_json::{Value, json};

use super::compare::Tally;
use super::requests::Vocabulary;
use super::sides::{Sides, converted, json_of};
use super::{higress, ingress, istio};

const REQUESTS: usize = 250;

/// Values that expressions and cookies of the files ask for.
const EXTRA: &[(&str, &str)] = &[
    ("cookie", "beta=1"),
    ("cookie", "a=b; beta=1; c=d"),
    ("cookie", "alphabeta=1"),
    ("cookie", "canary=always"),
    ("cookie", "x=1; canary=never"),
    ("cookie", "canary=maybe"),
    ("cookie", "userid=00000002"),
    ("cookie", "userid=00000009; level=level3"),
    ("cookie", "level=level5"),
    ("x-version", "2.14"),
    ("x-version", "12.1"),
    ("x-region", "eu-west"),
    ("x-region", "us-eu"),
    ("userid", "00000003"),
    ("x-mse-tag", "mine"),
    ("role", "viewer"),
];

/// The documents of a file.
fn documents(name: &str) -> (String, Vec<Value>) {
    let path = root().join("tests/data/migrate").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let all = text.split("\n---\n").map(|part| serde_saphyr::from_str::<Value>(part).unwrap()).collect();
    (text, all)
}

/// The virtual hosts of old documents, and of those that remain.
pub(crate) fn virtual_hosts(documents: &[Value]) -> Vec<Value> {
    let is_ingress = |one: &&Value| one["kind"] == "Ingress";
    let ingresses: Vec<Value> = documents.iter().filter(is_ingress).cloned().collect();
    let mut all = ingress::virtual_hosts(&ingresses);
    for document in documents.iter().filter(|one| !is_ingress(one)) {
        match document["kind"].as_str() {
            Some("VirtualService") => all.push(istio::virtual_service(document)),
            Some("HTTPRoute") => all.push(istio::http_route(document)),
            Some("WasmPlugin") => all.push(plugin(&document["spec"]["defaultConfig"])),
            _ if document["virtual_hosts"].is_array() => {
                all.extend(document["virtual_hosts"].as_array().unwrap().iter().cloned());
            }
            _ => all.push(plugin(document)),
        }
    }
    // Hosts that several documents have are one virtual host.
    all
}

fn plugin(config: &Value) -> Value {
    if config["grayDeployments"].is_array() {
        higress::frontend_gray(config)
    } else {
        higress::traffic_tag(config)
    }
}

/// One file beside its policy.
fn beside(name: &str, least: [usize; 4]) {
    let (text, documents) = documents(name);
    let (made, _) = converted(&text, &[]);
    let old = virtual_hosts(&documents);
    let remains: Vec<Value> = made.routes.iter().map(json_of).collect();
    let new = if remains.is_empty() {
        vec![json!({ "name": "all", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "app" } }] })]
    } else {
        virtual_hosts(&remains)
    };
    let mut sides = Sides::start(&old, &made, &new);
    let vocabulary = Vocabulary::of(&old).with(EXTRA);
    let mut random = Random::new(17);
    let mut tally = Tally::default();
    let shown = || format!("{name}\n{:#}\n{new:#?}", json_of(&made.policy));
    for _ in 0..REQUESTS {
        tally.judge(&mut sides, &vocabulary.request(&mut random), &shown);
    }
    println!("{name}: {tally:?}");
    let seen = [tally.taken, tally.drawn, tally.redirected, tally.rewritten];
    assert!(seen.iter().zip(least).all(|(seen, least)| *seen >= least), "{name} proves little: {tally:?}");
}

/// At least so many requests are taken by a route, drawn, redirected and rewritten.
#[test]
fn each_file_does_what_it_did() {
    beside("virtual-service.yaml", [150, 0, 15, 25]);
    beside("virtual-service-canary.yaml", [150, 20, 0, 0]);
    beside("virtual-service-mixed.yaml", [150, 20, 10, 5]);
    beside("virtual-services.yaml", [70, 0, 0, 0]);
    beside("http-route.yaml", [150, 10, 10, 20]);
    beside("ingress-header-cookie-weight.yaml", [150, 20, 0, 0]);
    beside("ingress-value.yaml", [150, 20, 0, 0]);
    beside("ingress-pattern.yaml", [150, 20, 0, 0]);
    beside("envoy.yaml", [100, 20, 10, 10]);
    beside("traffic-tag.yaml", [200, 0, 0, 0]);
    beside("traffic-tag-weights.yaml", [200, 50, 0, 0]);
    beside("frontend-gray.yaml", [200, 0, 0, 0]);
}

/// What is drawn is drawn by the same weights: 4,000 requests for each side, and a difference that chance makes
/// once in a thousand million runs.
#[test]
fn shares_are_what_they_were() {
    const TIMES: u32 = 4_000;
    for (name, canary, share) in [
        ("virtual-service-canary.yaml", "outbound|v2|reviews", 0.10),
        ("ingress-header-cookie-weight.yaml", "outbound||shop-canary", 0.15),
        ("envoy.yaml", "blue", 0.30),
    ] {
        let (text, documents) = documents(name);
        let (made, _) = converted(&text, &[]);
        let old = virtual_hosts(&documents);
        let new = virtual_hosts(&made.routes.iter().map(json_of).collect::<Vec<_>>());
        let mut sides = Sides::start(&old, &made, &new);
        let host = if name.starts_with("virtual") { "reviews" } else { "shop.example.com" };
        let request = Request::get(host, "/drawn");
        for side in [0, 1] {
            let hits = (0..TIMES).filter(|_| sides.send(side, &request).cluster.as_deref() == Some(canary));
            let hits = f64::from(u32::try_from(hits.count()).unwrap());
            let (times, spread) = (f64::from(TIMES), (share * (1.0 - share) * f64::from(TIMES)).sqrt());
            assert!((hits - share * times).abs() < 6.1 * spread, "{name}, side {side}: {hits} of {times}");
        }
    }
}

/// With a key, each user keeps a side, and the share of the users is the weight.
#[test]
fn users_keep_their_side_by_a_key() {
    let (text, documents) = documents("envoy-sticky.yaml");
    let (made, _) = converted(&text, &[]);
    let old = virtual_hosts(&documents);
    let new = virtual_hosts(&made.routes.iter().map(json_of).collect::<Vec<_>>());
    let mut sides = Sides::start(&old, &made, &new);
    for side in [0, 1] {
        let mut blue = 0;
        for user in 0..1_000 {
            let request = Request::get("shop.example.com", "/").header("x-user", format!("user-{user}"));
            let seen = [(); 3].map(|()| sides.send(side, &request).cluster);
            assert!(
                seen.iter().all(|cluster| *cluster == seen[0]),
                "side {side}: user {user} moves: {seen:?}"
            );
            blue += u32::from(seen[0].as_deref() == Some("blue"));
        }
        assert!((220..380).contains(&blue), "side {side}: {blue} of 1000");
    }
    let key = PolicyValue::parse(br#"{"header": "x-user"}"#).unwrap();
    let (_, canary) = self::documents("virtual-service-canary.yaml");
    let (made, _) =
        converted(&canary.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"), &[key]);
    assert!(json_of(&made.policy).to_string().contains(r#""key":[{"header":"x-user"}]"#));
}
