//! What a rule keeps in stays in, whatever another Envoy behind it makes of the path.
//!
//! Three Envoys' readings of a path stand behind the filter: as it was sent; with dot segments
//! resolved; and with escaped slashes decoded and slashes merged besides. Their own route tables say
//! where each path leads. Generated paths go through a policy that denies a prefix, through one that
//! allows nothing but a prefix, and past both.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, listener, route_config, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::entry;
use serde_json::{Value, json};

const PATHS: usize = 2_500;
const READERS: [&str; 3] = ["as-sent", "resolved", "merged"];
/// The policies, and one that is none.
const POLICIES: [(&str, &str); 3] = [
    (
        "deny",
        r#"{ "default": "allow", "rules": [ { "name": "d", "action": "deny", "to": { "paths": [ { "pathPrefix": "/admin" } ] } } ] }"#,
    ),
    (
        "allow",
        r#"{ "default": "deny", "rules": [ { "name": "a", "action": "allow", "to": { "paths": [ { "pathPrefix": "/public" } ] } } ] }"#,
    ),
    ("none", "{}"),
];
const PIECES: [&str; 26] = [
    "/",
    "//",
    "/admin",
    "/public",
    "/admin",
    "/public",
    "/x",
    "/.",
    "/..",
    "/../",
    "/./",
    "/%2e",
    "/%2E%2e",
    "%2f",
    "%5c",
    "\\",
    ";x",
    ";",
    "%3b",
    "/%61dmin",
    "/ad%6din",
    "/..;/",
    "admin",
    "/p",
    "/%2e%2e/admin",
    "/%25",
];

/// An Envoy whose routes tell where it takes a path to lead.
fn readers() -> anyhow::Result<Envoy> {
    let leads = |to: &str, prefix: Value| json!({ "match": prefix, "direct_response": { "status": 200, "body": { "inline_string": to } } });
    let routes = route_config(&[
        leads("admin", json!({ "path_separated_prefix": "/admin" })),
        leads("public", json!({ "path_separated_prefix": "/public" })),
        leads("else", json!({ "prefix": "" })),
    ]);
    let listeners = READERS.map(|name| {
        let mut listener = listener(name, &[], &routes);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["normalize_path"] = json!(name != "as-sent");
        manager["merge_slashes"] = json!(name == "merged");
        let escaped = if name == "merged" { "UNESCAPE_AND_FORWARD" } else { "KEEP_UNCHANGED" };
        manager["path_with_escaped_slashes_action"] = json!(escaped);
        listener
    });
    Envoy::start(bootstrap(&listeners, &[]), EnvoyOptions::named("readers"))
}

/// The Envoy with the filter: a listener for each policy.
fn filtering(behind: &[SocketAddr]) -> anyhow::Result<Envoy> {
    let routes: Vec<Value> = READERS
        .iter()
        .map(|reader| {
            json!({ "match": { "prefix": "", "headers": [{ "name": "x-reader", "string_match": { "exact": reader } }] },
                    "route": { "cluster": reader } })
        })
        .collect();
    let clusters: Vec<Value> =
        READERS.iter().zip(behind).map(|(reader, at)| static_cluster(reader, *at, false)).collect();
    let listeners = POLICIES.map(|(name, policy)| {
        let filter = entry("egress-policy", policy);
        listener(name, &[filter], &route_config(&routes))
    });
    Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("egress-paths"))
}

#[test]
fn no_reading_behind_it_finds_what_was_kept_in() -> anyhow::Result<()> {
    let behind = readers()?;
    let at = READERS.map(|reader| behind.listener(reader).expect("a reader listens"));
    let envoy = filtering(&at)?;
    let connect = |(policy, _): &(&str, &str)| Client::connect(Protocol::Http1, envoy.listener(policy)?);
    let mut clients = POLICIES.iter().map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let mut random = Random::new(1);
    // By policy: what came through, by where it led.
    let mut led = [[0usize; 3]; 3];
    let mut refused = [0usize; 3];
    for _ in 0..PATHS {
        let pieces: String = (0..=random.below(6)).map(|_| random.pick(&PIECES)).collect();
        let path = format!("/{}", pieces.trim_start_matches('/'));
        for reader in READERS {
            for (policy, client) in clients.iter_mut().enumerate() {
                let request = Request::get("partner.example", &path).header("x-reader", reader);
                let answer = client.exchange(&request)?;
                let place = match (answer.status, &*answer.text()) {
                    (200, "admin") => 0,
                    (200, "public") => 1,
                    (200, "else") => 2,
                    (403, _) => {
                        refused[policy] += 1;
                        continue;
                    }
                    (status, body) => anyhow::bail!("{path}: {status} {body}"),
                };
                led[policy][place] += 1;
                assert!(policy != 0 || place != 0, "{path} led to what is denied, {reader}");
                assert!(policy != 1 || place == 1, "{path} led to what is not allowed, {reader}");
            }
        }
    }
    println!("led to admin, public, else: {led:?}; refused: {refused:?}");
    let [denied, allowed, all] = led;
    // Both sorts of paths are there, and neither policy refuses everything.
    assert!(all[0] > 1_000 && all[1] > 500 && denied[2] > 500 && allowed[1] > 50, "{led:?}");
    assert_eq!(refused[2], 0);
    Ok(())
}
