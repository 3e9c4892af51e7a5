//! The compiled router against a slow, obvious one.
//!
//! [`judge`] reads the policy language as its documentation has it, from the JSON, rule by rule: no
//! index, and nothing of the crate's own matching. Over a million random pairs of policy and
//! request, both must name the same rule.
//!
//! `NARROWS_PAIRS=10000000` tries another number of pairs.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod deny;
mod found;
mod generate;
mod judge;

use generate::Sent;
use narrows_core::router::Router;
use narrows_core::{Known, Peer};
use narrows_core::{Policy, PolicyValue, Request};
use narrows_oracle::Random;
use serde_json::Value;

const PAIRS: u64 = if cfg!(target_family = "wasm") { 50_000 } else { 1_000_000 };
/// Requests for each policy: as many as make compiling no more than half of the time.
const REQUESTS: u64 = 25;

#[test]
fn the_compiled_router_agrees_with_the_obvious_one() {
    let pairs = std::env::var("NARROWS_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(PAIRS);
    let (mut matched, mut reported) = (0u64, 0u64);
    for seed in 0..pairs / REQUESTS {
        let mut random = Random::new(seed);
        let policy = generate::policy(&mut random);
        let router = compile(&policy);
        for _ in 0..REQUESTS {
            let sent = generate::request(&mut random);
            let (decision, verdict) = router.decide(request(&sent));
            let judged = judge::judge(&policy, &sent);
            let both = ((verdict.rule, verdict.reported), (judged.rule, judged.reported));
            assert_eq!(both.0, both.1, "{}\n{sent:?}", disputed(&policy, both));
            assert_eq!(verdict, router.by_trying(request(&sent)), "{policy}\n{sent:?}");
            let mut stripped: Vec<&[u8]> = decision.stripped;
            stripped.sort_unstable();
            assert_eq!(stripped, judged.stripped, "{policy}\n{sent:?}");
            matched += u64::from(judged.rule.is_some());
            reported += u64::from(judged.reported.is_some());
        }
    }
    // A generator whose requests match nothing would prove nothing.
    assert!(matched > pairs / 4 && matched < pairs * 19 / 20, "{matched} of {pairs} requests matched a rule");
    assert!(reported > pairs / 50, "{reported} of {pairs} requests matched a reporting rule");
}

type Verdicts = (Option<usize>, Option<usize>);

/// The rules on which the two differ, and what is said of all.
fn disputed(policy: &Value, (compiled, obvious): (Verdicts, Verdicts)) -> String {
    let mut policy = policy.clone();
    let rules = policy["rules"].take();
    let indices = [compiled.0, compiled.1, obvious.0, obvious.1].into_iter().flatten();
    let rules: Vec<String> = indices.map(|index| rules[index].to_string()).collect();
    format!("{policy}\n{}", rules.join("\n"))
}

fn compile(policy: &Value) -> Router {
    let tree = PolicyValue::parse(policy.to_string().as_bytes()).expect("it is JSON");
    Router::compile(&tree).unwrap_or_else(|invalid| panic!("{invalid}\n{policy:#}"))
}

fn request(sent: &Sent) -> Request<'_> {
    let source = Peer { address: sent.address.as_deref(), principal: sent.principal.as_deref() };
    Request::new(sent.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())))
        .knowing(Known { source, stripped: sent.state.as_deref().map(str::as_bytes), ..Known::default() })
}
