//! Rules that can never do anything, compared with what every request of a small world shows.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::BTreeSet;

use super::{CALL, Call, compile, outcome};
use crate::policy::Policy;

const HOSTS: [&str; 7] = ["a.x", "b.x", "other.x", "y", "10.0.0.0", "10.0.0.1", "10.0.0.2"];
const PORTS: [&str; 3] = [":80", ":443", ":9"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "OTHER"];
const CALLERS: [&str; 7] = [
    "",
    // A certificate that does not come from Kubernetes.
    "other",
    "spiffe://other/ns/shop/sa/other",
    "spiffe://d/ns/shop/sa/a",
    "spiffe://d/ns/shop/sa/other",
    "spiffe://d/ns/ops/sa/a",
    "spiffe://other/ns/other/sa/other",
];
const PATHS: [&str; 4] = ["/", "/v1", "/v1/other", "/v2"];

/// What a rule may be made of, such that the world above has a request for each difference.
const TO_HOSTS: [&str; 7] = [
    "",
    r#""hosts": ["a.x"]"#,
    r#""hosts": ["*.x"]"#,
    r#""hosts": ["b.x", "y"]"#,
    r#""cidrs": ["10.0.0.0/31"]"#,
    r#""hosts": ["*"]"#,
    r#""hosts": ["10.0.0.1"], "cidrs": ["10.0.0.0"]"#,
];
const TO_PORTS: [&str; 4] = ["", r#""ports": [80]"#, r#""ports": [443]"#, r#""ports": [80, 443]"#];
const TO_METHODS: [&str; 4] =
    ["", r#""methods": ["GET"]"#, r#""methods": ["POST", "PUT"]"#, r#""methods": ["GET", "POST"]"#];
const TO_PATHS: [&str; 4] = [
    "",
    r#""paths": [{"exact": "/v1"}]"#,
    r#""paths": [{"pathPrefix": "/v1"}]"#,
    r#""paths": [{"exact": "/v2"}, {"pathPrefix": "/v1"}]"#,
];
const FROM: [&str; 6] = [
    "",
    r#""namespaces": ["shop"]"#,
    r#""principals": ["spiffe://d/ns/shop/sa/a"]"#,
    r#""principals": ["spiffe://d/ns/*"]"#,
    r#""notNamespaces": ["shop"]"#,
    r#""notPrincipals": ["spiffe://d/ns/shop/sa/a"]"#,
];

struct Draw(u64);

impl Draw {
    fn of<'t>(&mut self, among: &[&'t str]) -> &'t str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The first is the one that leaves everything open.
        let number = usize::try_from(self.0 >> 33).unwrap();
        if number % 2 == 0 { among[0] } else { among[number / 2 % among.len()] }
    }

    fn rule(&mut self, name: usize) -> String {
        let action = self.of(&["deny", "allow"]);
        let to = [self.of(&TO_HOSTS), self.of(&TO_PORTS), self.of(&TO_METHODS), self.of(&TO_PATHS)];
        let to: Vec<&str> = to.into_iter().filter(|part| !part.is_empty()).collect();
        let from = self.of(&FROM);
        let from = if from.is_empty() { String::new() } else { format!(r#""from": {{{from}}}, "#) };
        format!(r#"{{"name": "r{name}", "action": "{action}", {from}"to": {{{}}}}}"#, to.join(", "))
    }
}

/// Who decides on anything, and which rules that allow are ever not denied.
fn seen(policy: &str) -> BTreeSet<String> {
    let compiled = compile(policy).unwrap();
    let mut seen = BTreeSet::new();
    for host in HOSTS {
        for port in PORTS {
            let authority = format!("{host}{port}");
            for method in METHODS {
                for principal in CALLERS {
                    for target in PATHS {
                        let call = Call { authority: &authority, method, principal, target, ..CALL };
                        seen.insert(outcome(&compiled, &call));
                    }
                }
            }
        }
    }
    seen
}

#[test]
fn a_rule_is_called_dead_if_no_request_of_a_small_world_reaches_it() {
    let mut draw = Draw(7);
    let (mut dead, mut missed, mut rules) = (0, Vec::new(), 0);
    for _ in 0..250 {
        let count = 2 + usize::try_from(draw.0 >> 60).unwrap() % 3;
        let list: Vec<String> = (0..count).map(|name| draw.rule(name)).collect();
        let policy = format!(r#"{{"default": "deny", "rules": [{}]}}"#, list.join(", "));
        let warned: Vec<String> =
            compile(&policy).unwrap().warnings().iter().map(|fault| fault.message.clone()).collect();
        let seen = seen(&policy);
        for name in 0..count {
            rules += 1;
            let is_called = warned.iter().any(|message| message.starts_with(&format!("rule \"r{name}\"")));
            let is_seen = seen.iter().any(|outcome| outcome.ends_with(&format!(" r{name}")));
            assert!(!(is_called && is_seen), "{policy}\n{warned:?}\n{seen:?}");
            dead += usize::from(is_called);
            if !is_called && !is_seen {
                missed.push(format!("r{name}: {policy}"));
            }
        }
    }
    assert!(dead > 80 && rules > 600, "{dead} of {rules}");
    assert!(missed.is_empty(), "{} of {dead}: {:#?}", missed.len(), &missed[..missed.len().min(5)]);
}
