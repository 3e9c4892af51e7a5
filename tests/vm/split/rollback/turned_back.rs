//! What becomes of requests that would go to a canary which is off, whatever chose it.

use std::collections::BTreeMap;

use narrows_tests::books::STOCK;
use narrows_vm::{Exchange, Outcome, Response};
use serde_json::{Value, json};

use super::rig::{Proxy, Shape, error, policy};

/// The ways to a canary on which nothing is left to chance, by their reason.
const CERTAIN: [(&str, Shape); 3] = [
    ("weight", explained),
    ("include", |exchange| explained(exchange).header("x-tester", "yes")),
    ("missing-key", |exchange| without_key(explained(exchange))),
];

/// Those on which chance decides.
const BY_CHANCE: [(&str, Shape); 2] = [
    ("random", |exchange| without_key(explained(exchange))),
    ("new-id", |exchange| without_key(explained(exchange)).header("sec-fetch-dest", "document")),
];

fn explained(exchange: Exchange) -> Exchange {
    exchange.header("x-explain", "1")
}

fn without_key(mut exchange: Exchange) -> Exchange {
    exchange.headers.remove(b"x-user-id");
    exchange
}

/// A policy with all these ways; `missing` is where requests without a key go.
fn chosen(missing: &str) -> Value {
    let mut policy = policy(10, &json!({ "errors": "enforce" }));
    policy["explain"] = json!({ "when": { "headers": { "x-explain": { "present": true } } } });
    let split = &mut policy["splits"][0];
    split["onMissingKey"] = json!(missing);
    split["anonymousId"] = json!({ "cookie": "visitor", "secure": false, "cacheable": "private" });
    let tester = json!({ "headers": { "x-tester": { "exact": "yes" } } });
    split["include"] = json!([{ "matches": [tester], "backend": "canary" }]);
    policy
}

/// Where a request went: the backend, from which it was turned back, and why.
fn went(outcome: &Outcome) -> (String, Option<String>, String) {
    let record = outcome.response.as_ref().and_then(|headers| headers.text("x-narrows-explain"));
    let record = record.unwrap_or_else(|| panic!("no record: {outcome:?}"));
    let reason = record.split("; ").find_map(|said| said.strip_prefix("reason="));
    let reason = reason.unwrap_or_else(|| panic!("no reason: {record}"));
    let backend = outcome.property_text("narrows_backend").unwrap_or_default();
    let is_moved = outcome.request.text(":authority").as_deref() != Some(STOCK);
    assert_eq!(is_moved, backend == "canary", "{record}: {:?}", outcome.request);
    let from = outcome.property_text("narrows_rollback");
    let instead_of = record.split("; ").find_map(|said| said.strip_prefix("instead-of="));
    assert_eq!(instead_of.map(str::to_owned), from, "{record}");
    (backend, from, reason.to_owned())
}

/// All users' requests to the canary fail until it is off.
fn switch_off(proxy: &mut Proxy) {
    proxy.shape = std::convert::identity;
    let off = proxy.until_off(5, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() });
    assert!(off.is_some(), "it goes on serving");
}

#[test]
fn whatever_chose_a_canary_that_is_off_the_baseline_serves() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &chosen("canary"))?;
    let user = proxy.user_of_the_canary();
    for (reason, shape) in CERTAIN {
        proxy.shape = shape;
        let before = went(&proxy.outcome(0, &user, &Response::ok));
        assert_eq!(before, ("canary".to_owned(), None, reason.to_owned()));
    }
    switch_off(&mut proxy);
    let turned = proxy.value("rolled_back_total");
    for (reason, shape) in CERTAIN {
        proxy.shape = shape;
        for worker in 0..2 {
            let after = went(&proxy.outcome(worker, &user, &Response::ok));
            let back = ("stable".to_owned(), Some("canary".to_owned()), "rollback".to_owned());
            assert_eq!(after, back, "{reason}, worker {worker}");
        }
    }
    let all = u64::try_from(2 * CERTAIN.len())?;
    assert_eq!(proxy.value("rolled_back_total"), turned.map(|before| before + all));
    Ok(())
}

/// Of those by whom chance decides, the canary's part goes to the baseline, and no more than that is turned back.
#[test]
fn what_chance_gives_to_a_canary_that_is_off_the_baseline_serves() -> anyhow::Result<()> {
    const REQUESTS: usize = 400;
    for (reason, shape) in BY_CHANCE {
        let mut proxy = Proxy::new(2, &chosen("random"))?;
        let count = |proxy: &mut Proxy| {
            proxy.shape = shape;
            let mut ways = BTreeMap::new();
            for number in 0..REQUESTS {
                let way = went(&proxy.outcome(number % 2, "nobody", &Response::ok));
                *ways.entry(way).or_insert(0) += 1;
            }
            ways
        };
        let way = |backend: &str, from: Option<&str>, reason: &str| {
            (backend.to_owned(), from.map(str::to_owned), reason.to_owned())
        };
        let (canary, stable) = (way("canary", None, reason), way("stable", None, reason));
        let back = way("stable", Some("canary"), "rollback");
        let before = count(&mut proxy);
        assert!(before.keys().eq([&canary, &stable]), "{before:?}");
        switch_off(&mut proxy);
        let after = count(&mut proxy);
        println!("{reason}: {} of {REQUESTS} before, {} turned back", before[&canary], after[&back]);
        assert!(after.keys().eq([&stable, &back]), "{after:?}");
        // A tenth is forty; six standard deviations are thirty-six.
        assert!((5..80).contains(&before[&canary]) && (5..80).contains(&after[&back]), "{reason}");
    }
    Ok(())
}
