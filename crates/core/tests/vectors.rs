//! The frozen arithmetic of canary-split against vectors that another implementation
//! made (`filters/canary-split/vectors.py`). Runs natively and, for wasm32, in Node.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::Splitter;
use narrows_core::split::bucket::bucket;
use narrows_core::{Policy, PolicyValue, Request, hash_of as hash};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../filters/canary-split/vectors.json");

#[test]
fn buckets() {
    let vectors = vectors();
    let rows = vectors["buckets"].as_array().unwrap();
    assert!(rows.len() > 200);
    for row in rows {
        let (salt, key) = (bytes(&row["salt"]), bytes(&row["key"]));
        assert_eq!(format!("{:016x}", hash(&salt, &key)), row["hash"], "{row}");
        assert_eq!(u64::from(bucket(&salt, &key)), row["bucket"], "{row}");
    }
}

#[test]
fn backends() {
    let vectors = vectors();
    let users: Vec<_> = vectors["users"].as_array().unwrap().iter().map(bytes).collect();
    let policies = vectors["policies"].as_array().unwrap();
    assert!(policies.len() > 20);
    for row in policies {
        let splitter = splitter(&row["policy"]);
        for (split, served) in row["backends"].as_object().unwrap() {
            for (user, expected) in users.iter().zip(served.as_array().unwrap()) {
                let host = format!("{split}.test");
                let headers: [(&[u8], &[u8]); 3] =
                    [(b":path", b"/"), (b":authority", host.as_bytes()), (b"x-user-id", user)];
                let verdict = splitter.decide(Request::new(headers)).1.unwrap();
                let backend = splitter.backend(verdict.split, verdict.backend).unwrap();
                assert_eq!(backend, expected, "{} {user:?}", row["name"]);
            }
        }
    }
}

#[test]
fn slots() {
    for row in vectors()["policies"].as_array().unwrap() {
        let splitter = splitter(&row["policy"]);
        for index in 0.. {
            let Some(split) = splitter.split(index) else { break };
            let owned = splitter.slots(index).unwrap().owned().iter();
            let owned: Vec<_> = owned
                .map(|(from, to, b)| serde_json::json!([from, to, splitter.backend(index, *b)]))
                .collect();
            assert_eq!(Value::from(owned), row["owned"][split], "{} {split}", row["name"]);
        }
    }
}

/// The rows of the README's comparison that are arithmetic; `narrows-ramps` measures them.
#[test]
fn the_ramps_of_the_readme() {
    let readme = include_str!("../../../filters/canary-split/README.md");
    for (ramp, before, after) in
        [("90/10 → 90/20", &[10][..], &[20][..]), ("80/10/10 → 70/10/20", &[10, 10], &[10, 20])]
    {
        let [from, to] = [before, after].map(|weights| {
            let canary = |(index, weight)| {
                json!({ "name": format!("c{index}"), "to": "c", "weight": weight, "maxWeight": 50 })
            };
            let stable = json!({ "name": "stable", "baseline": true });
            let backends: Vec<Value> = [stable].into_iter().chain(weights.iter().enumerate().map(canary)).collect();
            let policy = json!({ "trust": "mesh", "splits": [{
                "name": "stock", "hosts": ["stock"], "key": [{ "header": "x-user-id" }], "backends": backends }] });
            let splitter = splitter(&policy);
            let served = |user: usize| {
                let user = format!("user-{user}");
                let headers: [(&[u8], &[u8]); 3] =
                    [(b":path", b"/"), (b":authority", b"stock"), (b"x-user-id", user.as_bytes())];
                splitter.decide(Request::new(headers)).1.unwrap().backend
            };
            (0..10_000).map(served).collect::<Vec<_>>()
        });
        let moves: Vec<_> = from.iter().zip(&to).filter(|(from, to)| from != to).collect();
        let on_canaries = |served: &[usize]| served.iter().filter(|backend| **backend != 0).count();
        let row = format!(
            "| {ramp} | canary-split | {} → {} | {} | {} | {} | {} |",
            on_canaries(&from),
            on_canaries(&to),
            moves.len(),
            moves.iter().filter(|(from, _)| **from == 0).count(),
            moves.iter().filter(|(_, to)| **to == 0).count(),
            moves.iter().filter(|(from, to)| **from != 0 && **to != 0).count(),
        );
        assert!(readme.contains(&row), "the README has no row {row}");
    }
}

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn splitter(policy: &Value) -> Splitter {
    Splitter::compile(&PolicyValue::parse(policy.to_string().as_bytes()).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}
