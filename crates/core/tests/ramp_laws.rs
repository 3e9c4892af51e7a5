//! What holds for every ramp. The cases come from a seed that a failure prints. Runs natively and, for
//! wasm32, in Node.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::Splitter;
use narrows_core::{Policy, PolicyValue, Request, moment};
use narrows_oracle::Random;

const CASES: u64 = 3_000;
const FIRST: u64 = 1_800_000_000;

/// Steps of one ramp: seconds after the first moment, and weights of a thousand.
#[derive(Debug)]
struct Ramp {
    steps: Vec<(u64, u64)>,
    between: &'static str,
}

impl Ramp {
    fn random(random: &mut Random, rises: bool) -> Self {
        let count = 1 + random.number(8);
        let mut steps: Vec<(u64, u64)> = Vec::new();
        let (mut at, mut weight) = (0, 0);
        for _ in 0..count {
            at += 1 + random.number(100);
            let drawn = random.number(501);
            weight = if rises { drawn.max(weight) } else { drawn };
            steps.push((at, weight));
        }
        Self { steps, between: if random.once_in(2) { "step" } else { "linear" } }
    }

    fn policy(&self) -> Splitter {
        let step = |(at, weight): &(u64, u64)| {
            format!(r#"{{"at": "{}", "weight": {weight}}}"#, moment::utc(FIRST + at))
        };
        let steps: Vec<String> = self.steps.iter().map(step).collect();
        compile(&format!(r#""ramp": {{"steps": [{}], "between": "{}"}}"#, steps.join(", "), self.between))
    }
}

fn compile(share: &str) -> Splitter {
    let text = format!(
        r#"{{"trust": "mesh", "splits": [{{"name": "s", "hosts": ["s"], "key": [{{"header": "k"}}], "weightTotal": 1000,
            "backends": [{{"name": "stable", "baseline": true}}, {{"name": "a", "to": "a", "weight": 100, "maxWeight": 500}},
                         {{"name": "b", "to": "b", "maxWeight": 500, {share}}}]}}]}}"#
    );
    Splitter::compile(&PolicyValue::parse(text.as_bytes()).unwrap()).unwrap()
}

/// The backend of a key at a moment.
fn owner(splitter: &Splitter, key: u64, at: u64) -> usize {
    let key = key.to_string();
    let headers: [(&[u8], &[u8]); 3] = [(b":path", b"/"), (b":authority", b"s"), (b"k", key.as_bytes())];
    let mut request = Request::new(headers);
    request.known_mut().now = FIRST + at;
    splitter.decide(request).1.unwrap().backend
}

#[test]
fn while_weights_rise_nobody_is_sent_back() {
    let mut moved = 0;
    for seed in 0..CASES {
        let random = &mut Random::new(seed);
        let ramp = Ramp::random(random, true);
        let splitter = ramp.policy();
        for _ in 0..8 {
            let key = random.number(1_000_000);
            let earlier = random.number(300);
            let later = earlier + random.number(300);
            let (from, to) = (owner(&splitter, key, earlier), owner(&splitter, key, later));
            assert!(
                from == to || (from == 0 && to == 2),
                "{seed} {ramp:?} {key}: {earlier} {from}, {later} {to}"
            );
            moved += usize::from(from != to);
        }
    }
    assert!(moved > 1_000, "only {moved} moved");
}

/// At a step, and with steps from there to the next, it is the policy with that weight written.
#[test]
fn at_a_step_it_is_that_weight() {
    let mut on_ramp = 0;
    for seed in 0..CASES / 10 {
        let random = &mut Random::new(seed);
        let ramp = Ramp::random(random, false);
        let splitter = ramp.policy();
        for (at, weight) in &ramp.steps {
            let fixed = compile(&format!(r#""weight": {weight}"#));
            for _ in 0..8 {
                let key = random.number(1_000_000);
                let owned = owner(&splitter, key, *at);
                assert_eq!(owned, owner(&fixed, key, 0), "{seed} {ramp:?} {key} at {at}");
                on_ramp += usize::from(owned == 2);
            }
        }
    }
    assert!(on_ramp > 1_000, "only {on_ramp} on the ramp");
}
