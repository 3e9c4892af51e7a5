//! What holds for every policy of canary-split. The cases come from a seed that a
//! failure prints. Runs natively and, for wasm32, in Node.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::Splitter;
use narrows_core::split::bucket::BUCKETS;
use narrows_core::{Policy, PolicyValue, Request};
use narrows_oracle::Random;

/// Cases of each law.
const CASES: u64 = 10_000;
/// A law under which fewer move has not been tried.
const SOME: usize = 1_000;
/// Keys that each case looks at.
const KEYS: u64 = 8;
/// Policies of which every bucket is looked at.
const POLICIES: u64 = if cfg!(target_family = "wasm") { 20 } else { 200 };

#[test]
fn every_backend_owns_exactly_its_share() {
    let mut sharing = 0;
    for seed in 0..POLICIES {
        let split = Split::random(&mut Random::new(seed));
        let splitter = compile(&[&split]);
        let slots = splitter.slots(0).unwrap();
        let mut counts = vec![0u32; split.canaries.len() + 1];
        for bucket in 0..BUCKETS {
            counts[slots.owner(bucket).unwrap_or(0)] += 1;
        }
        let mut rest = BUCKETS;
        for (canary, count) in split.canaries.iter().zip(&counts[1..]) {
            assert_eq!(*count, parts(canary.weight, split.total), "{seed} {split:?}");
            rest -= count;
        }
        assert_eq!(counts[0], rest, "{seed} {split:?}");
        sharing += usize::from(split.canaries.iter().filter(|canary| canary.most.is_none()).count() > 1);
    }
    assert!(sharing > 1, "in {sharing} of {POLICIES} policies do canaries share what is left");
}

#[test]
fn raising_moves_only_from_the_baseline_into_that_backend() {
    let mut moved = 0;
    cases(|seed, random| {
        let (low, high, which) = ramp(random);
        for key in random.keys() {
            let (from, to) = (owner(&low, "a", &key), owner(&high, "a", &key));
            assert!(from == to || (from == 0 && to == which), "{seed} {key}: {from} to {to}");
            moved += usize::from(from != to);
        }
    });
    assert!(moved > SOME, "only {moved} moved");
}

#[test]
fn lowering_moves_only_out_of_that_backend() {
    let mut moved = 0;
    cases(|seed, random| {
        let (low, high, which) = ramp(random);
        for key in random.keys() {
            let (from, to) = (owner(&high, "a", &key), owner(&low, "a", &key));
            assert!(from == to || (from == which && to == 0), "{seed} {key}: {from} to {to}");
            moved += usize::from(from != to);
        }
    });
    assert!(moved > SOME, "only {moved} moved");
}

#[test]
fn nobody_moves_between_canaries() {
    let (mut moved, mut stayed) = (0, 0);
    cases(|seed, random| {
        let before = Split::random(random);
        let mut after = before.clone();
        for index in 0..after.canaries.len() {
            after.canaries[index].weight = random.between(0, after.room(index));
        }
        let (before, after) = (compile(&[&before]), compile(&[&after]));
        for key in random.keys() {
            let (from, to) = (owner(&before, "a", &key), owner(&after, "a", &key));
            assert!(from == to || from == 0 || to == 0, "{seed} {key}: {from} to {to}");
            moved += usize::from(from != to);
            stayed += usize::from(from == to && from != 0);
        }
    });
    assert!(moved > SOME && stayed > SOME, "only {moved} moved and {stayed} stayed on a canary");
}

#[test]
fn a_split_is_no_business_of_another() {
    cases(|seed, random| {
        let one = Split::random(random);
        let [before, changed] = [(); 2].map(|()| Split { name: "b".into(), ..Split::random(random) });
        let before = compile(&[&one, &before]);
        // In any order: order means something only to splits of the same host.
        let after = compile(&[&changed, &one]);
        let alone = compile(&[&one]);
        for key in random.keys() {
            let [x, y, z] = [&before, &after, &alone].map(|splitter| owner(splitter, "a", &key));
            assert!(x == y && y == z, "{seed} {key}: {x} {y} {z}");
        }
    });
}

#[test]
fn spelling_and_order_mean_nothing() {
    cases(|seed, random| {
        let split = Split::random(random);
        let splitter = compile(&[&split]);
        // Another worker, another process: another copy.
        let loud = compile_text(&text(&[&split]).replace("x-user-id", "X-USER-ID"));
        for key in random.keys() {
            let mut headers = vec![
                (":path".to_owned(), "/".to_owned()),
                (":authority".to_owned(), "A.Test:8080".to_owned()),
                ("x-user-id".to_owned(), key.clone()),
            ];
            for _ in 0..random.number(6) {
                headers.push((format!("x-{}", random.number(9)), random.number(99).to_string()));
            }
            for i in (1..headers.len()).rev() {
                headers.swap(i, usize::try_from(random.number(i as u64 + 1)).unwrap());
            }
            let lines: Vec<_> = headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
            let expected = owner(&splitter, "a", &key);
            for splitter in [&splitter, &loud, &splitter.clone()] {
                let verdict = splitter.decide(Request::new(lines.iter().copied())).1.unwrap();
                assert_eq!(verdict.backend, expected, "{seed} {headers:?}");
            }
        }
    });
}

#[test]
fn nothing_is_never_and_everything_is_always() {
    cases(|seed, random| {
        let mut split = Split::random(random);
        let canaries = split.canaries.len() as u64;
        let zero = usize::try_from(random.number(canaries.max(1))).unwrap();
        if let Some(canary) = split.canaries.get_mut(zero) {
            canary.weight = 0;
        }
        let everything = vec![Canary { weight: split.total, most: Some(split.total) }];
        let all = compile(&[&Split { canaries: everything, ..split.clone() }]);
        let none = compile(&[&split]);
        for key in random.keys() {
            assert_ne!(owner(&none, "a", &key), zero + 1, "{seed} {key}");
            assert_eq!(owner(&all, "a", &key), 1, "{seed} {key}");
        }
    });
}

#[test]
fn splits_of_a_layer_never_overlap() {
    let mut shared = 0;
    cases(|seed, random| {
        let total = random.between(3, 100_000);
        let holdback = random.between(0, total / 3);
        let mut left = total - holdback;
        let mut splits = ["a", "b", "c"].map(|name| {
            let canaries = (0..=random.number(3)).map(|_| {
                let most = random.between(0, left);
                left -= most;
                Canary { weight: random.between(0, most), most: Some(most) }
            });
            Split { name: name.into(), total, canaries: canaries.collect(), layer: Some(holdback) }
        });
        let before = compile(&splits.each_ref());
        let held = BUCKETS - parts(holdback, total);
        for index in 0..3 {
            let owned = before.slots(index).unwrap().owned();
            assert!(owned.iter().all(|(_, to, _)| *to <= held), "{seed}: what is held back is given away");
        }
        for index in 0..splits[1].canaries.len() {
            splits[1].canaries[index].weight = random.between(0, splits[1].room(index));
        }
        let after = compile(&splits.each_ref());
        for key in random.keys() {
            for splitter in [&before, &after] {
                let canaries = ["a", "b", "c"].iter().filter(|name| owner(splitter, name, &key) > 0).count();
                assert!(canaries <= 1, "{seed} {key} is in {canaries} canaries");
                shared += usize::from(canaries == 1);
            }
            for name in ["a", "c"] {
                assert_eq!(owner(&before, name, &key), owner(&after, name, &key), "{seed} {key}");
            }
        }
    });
    assert!(shared > SOME, "only {shared} keys were of a canary");
}

/// A random split; its backend 0 is the baseline.
#[derive(Clone, Debug)]
struct Split {
    name: String,
    total: u32,
    canaries: Vec<Canary>,
    /// What its layer holds back, if it is in one.
    layer: Option<u32>,
}

#[derive(Clone, Debug)]
struct Canary {
    weight: u32,
    /// `None` for an equal share of what is left.
    most: Option<u32>,
}

impl Split {
    fn random(random: &mut Random) -> Self {
        let total = match random.number(4) {
            0 => 100,
            1 => 1_000_000,
            _ => random.between(1, 2_000),
        };
        let mut left = total;
        let canaries = (0..random.number(5)).map(|_| {
            let most = (random.number(3) > 0).then(|| random.between(0, left));
            left -= most.unwrap_or(0);
            Canary { weight: 0, most }
        });
        let mut split = Self { name: "a".into(), canaries: canaries.collect(), total, layer: None };
        for index in 0..split.canaries.len() {
            split.canaries[index].weight = random.between(0, split.room(index));
        }
        split
    }

    /// The most that a canary may weigh.
    fn room(&self, index: usize) -> u32 {
        let canaries = || self.canaries.iter();
        self.canaries[index].most.unwrap_or_else(|| {
            let left =
                BUCKETS - canaries().filter_map(|c| c.most).map(|most| parts(most, self.total)).sum::<u32>();
            let sharing = canaries().filter(|c| c.most.is_none()).count();
            let slot = left / u32::try_from(sharing).unwrap();
            u32::try_from(u64::from(slot) * u64::from(self.total) / u64::from(BUCKETS)).unwrap()
        })
    }

    fn text(&self) -> String {
        let mut backends = r#"{"name": "stable", "baseline": true}"#.to_owned();
        for (i, Canary { weight, most }) in self.canaries.iter().enumerate() {
            let most = most.map(|most| format!(r#", "maxWeight": {most}"#)).unwrap_or_default();
            backends += &format!(r#", {{"name": "c{i}", "to": "c{i}", "weight": {weight}{most}}}"#);
        }
        let layer = self.layer.map(|held| format!(r#", "layer": {{"name": "l", "holdback": {held}}}"#));
        format!(
            r#"{{"name": "{0}", "hosts": ["{0}.test"], "key": [{{"header": "x-user-id"}}],
                "weightTotal": {1}, "backends": [{backends}]{2}}}"#,
            self.name,
            self.total,
            layer.unwrap_or_default()
        )
    }
}

/// A split with a lower and a higher weight of one backend, and its index.
fn ramp(random: &mut Random) -> (Splitter, Splitter, usize) {
    let mut split = Split::random(random);
    if split.canaries.is_empty() {
        split.canaries.push(Canary { weight: 0, most: None });
    }
    let before = compile(&[&split]);
    let which = usize::try_from(random.number(split.canaries.len() as u64)).unwrap();
    let room = split.room(which);
    let canary = &mut split.canaries[which];
    canary.weight = random.between(canary.weight, room);
    (before, compile(&[&split]), which + 1)
}

fn text(splits: &[&Split]) -> String {
    let splits: Vec<_> = splits.iter().map(|split| split.text()).collect();
    format!(r#"{{"trust": "mesh", "splits": [{}]}}"#, splits.join(","))
}

fn compile(splits: &[&Split]) -> Splitter {
    compile_text(&text(splits))
}

fn compile_text(policy: &str) -> Splitter {
    let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
    Splitter::compile(&tree).unwrap_or_else(|e| panic!("{e}\n{policy}"))
}

/// The index of the backend that owns the bucket of a key.
fn owner(splitter: &Splitter, split: &str, key: &str) -> usize {
    let host = format!("{split}.test");
    let headers = [(":path", "/"), (":authority", &*host), ("x-user-id", key)];
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    splitter.decide(Request::new(headers)).1.unwrap().backend
}

fn parts(weight: u32, total: u32) -> u32 {
    u32::try_from(u64::from(weight) * u64::from(BUCKETS) / u64::from(total)).unwrap()
}

fn cases(mut law: impl FnMut(u64, &mut Random)) {
    for seed in 0..CASES {
        law(seed, &mut Random::new(seed));
    }
}

/// What laws are tried with.
trait Draw {
    fn between(&mut self, low: u32, high: u32) -> u32;
    fn keys(&mut self) -> Vec<String>;
}

impl Draw for Random {
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.number(u64::from(high - low) + 1)).unwrap()
    }

    fn keys(&mut self) -> Vec<String> {
        (0..KEYS).map(|_| format!("u-{:x}", self.any())).collect()
    }
}
