//! Adding values can never turn a refusal into a pass.
//!
//! A rule that lets one value pass is written the other way round: `respond` to everything that is
//! *not* that value (`exact` or `in`, with `invert`). Whoever is refused controls the rest of the
//! request, and may send the header, cookie or parameter again. If a filter then looked at the last
//! value, or at any of them, or at the joined text as though it were one value, a second line
//! would open what the first one closed: `x-role: user` and `x-role: admin`; or, where the value
//! that passes is `a,b`, one line with `a` and one with `b`. So a condition under `invert` holds if
//! one of the values fails the test.
//!
//! And adding values can never hide one that is refused by a plain condition on a header: that holds
//! if one of the values meets it.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::{Policy, Request};
use serde_json::json;

use crate::compile;
use narrows_oracle::Random;

#[test]
fn more_values_never_pass_what_was_refused() {
    let values = ["", "a", "A", "b", "a,b", "b,a", ",", "a,a"];
    let mut refused = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let filled = random.pick(&["a", "A", "b", "a,b", ","]);
        let mut condition = match random.below(8) {
            0..=2 => json!({ "exact": random.pick(&values) }),
            3 | 4 => json!({ "in": [random.pick(&values), random.pick(&values)] }),
            5 => json!({ "prefix": filled }),
            6 => json!({ "suffix": filled }),
            _ => json!({ "contains": filled }),
        };
        if random.once_in(3) {
            condition["ignoreCase"] = json!(true);
        }
        let field = random.pick(&["headers", "cookies", "queryParams"]);
        if field != "headers" || random.once_in(2) {
            condition["invert"] = json!(true);
        }
        if field == "queryParams" && random.once_in(2) {
            condition["repeated"] = json!("any");
        }
        let router = compile(&json!({ "rules": [
            { "name": "refuse", "matches": [{ field: { "n": condition } }], "respond": { "status": 403 } },
            { "name": "pass" },
        ] }));
        let mut sent: Vec<&str> = (0..=random.below(2)).map(|_| random.pick(&values)).collect();
        let mut was_refused = false;
        for _ in 0..4 {
            let headers = headers(field, &sent);
            let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let (decision, _) = router.decide(Request::new(lines));
            assert!(decision.reply.is_some() || !was_refused, "{condition} in {field} lets {sent:?} pass");
            was_refused = decision.reply.is_some();
            refused += u32::from(was_refused);
            // Before, between or behind the others.
            sent.insert(random.below(sent.len() + 1), random.pick(&values));
        }
    }
    assert!(refused > 20_000, "only {refused} requests were refused");
}

fn headers(field: &str, values: &[&str]) -> Vec<(&'static str, String)> {
    let pairs = || values.iter().map(|value| format!("n={value}")).collect::<Vec<_>>();
    match field {
        "headers" => values.iter().map(|value| ("n", (*value).to_owned())).collect(),
        "cookies" => pairs().into_iter().map(|pair| ("cookie", pair)).collect(),
        _ => vec![(":path", format!("/?{}", pairs().join("&")))],
    }
}
