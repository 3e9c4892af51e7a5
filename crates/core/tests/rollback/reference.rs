//! The rollback of canary-split against an implementation of its own (`filters/canary-split/rollback.py`), for
//! a million ticks. Both draw the ticks from the same seeds.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::rollback::{Class, Judge, Latencies, Side, Tick};
use serde_json::Value;

use super::draw::Draw;

const VECTORS: &str = include_str!("../../../../filters/canary-split/rollback.json");
const MILLION: u64 = 1_000_000;

/// How the ticks of a scenario are drawn.
struct Shape {
    requests: u64,
    keyless: bool,
}

impl Shape {
    fn side(&self, draw: &mut Draw, users: u64, permille: u64) -> Side {
        let mut side = Side { n: draw.below(self.requests * users / 50 + 2), ..Side::default() };
        for _ in 0..side.n {
            let user = draw.below(users + 1);
            if draw.below(1000) >= permille {
                continue;
            }
            side.y += 1;
            let key = u32::try_from((user * 2_654_435_761 + (users << 7)) & 0xFFFF_FFFF).unwrap();
            if side.keys.contains(&key) {
                continue;
            }
            if side.keys.len() < 32 && !(self.keyless && draw.below(4) == 0) {
                side.keys.push(key);
            } else {
                side.rest += 1;
            }
        }
        side
    }
}

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn a_million_ticks() {
    let vectors = vectors();
    let scenarios = vectors["scenarios"].as_array().unwrap();
    let ticks: u64 = scenarios.iter().map(|scenario| number(scenario, "ticks")).sum();
    assert!(ticks >= 1_000_000, "{ticks}");
    for scenario in scenarios {
        replay(scenario);
    }
}

/// Runs a scenario; all that comes out of every tick must be the reference's.
fn replay(scenario: &Value) {
    let name = scenario["name"].as_str().unwrap();
    let class = if number(scenario, "points") == 5 { Class::Latency } else { Class::Errors };
    let shape = Shape { requests: number(scenario, "requests"), keyless: scenario["keyless"] == true };
    let (users, ticks) = (number(scenario, "users"), number(scenario, "ticks"));
    let (mut draw, mut judge) = (Draw(number(scenario, "seed")), Judge::new(class));
    let (mut now, mut weight, mut bad) = (MILLION, number(scenario, "weight"), [10, 10]);
    let (mut checksum, mut trips, mut suspects) = (0u64, Vec::new(), 0u64);
    for tick in 1..=ticks {
        now += if draw.below(50) == 0 { 1 + draw.below(700) } else { 1 };
        if draw.below(200) == 0 {
            bad = [draw.below(300), draw.below(300)];
        }
        if draw.below(500) == 0 {
            weight = draw.below(MILLION + 1);
        }
        let of_canary = users * weight / MILLION;
        let canary = shape.side(&mut draw, of_canary.max(1), bad[0]);
        let baseline = shape.side(&mut draw, (users - of_canary).max(1), bad[1]);
        let judged = judge.tick(&Tick { now, w: weight, canary, baseline });
        let [two, four, sixteen] = judged.scores;
        let flags = [judged.floor && judged.clear, judged.trip(), judged.suspect()].map(u64::from);
        suspects += flags[2];
        for word in [two, four, sixteen, judged.x1, judged.x0].into_iter().chain(flags) {
            checksum = (checksum ^ word).wrapping_mul(0x100_0000_01B3);
        }
        if judged.trip() {
            trips.push(tick);
            judge.restart();
        }
        if tick % (ticks / 20) == 0 {
            let index = usize::try_from(tick / (ticks / 20) - 1).unwrap();
            assert_eq!(format!("{checksum:016x}"), scenario["checksums"][index], "{name}, until tick {tick}");
        }
    }
    let first: Vec<u64> = trips.iter().copied().take(20).collect();
    assert_eq!(serde_json::json!(first), scenario["first_trips"], "{name}");
    assert_eq!(
        [trips.len() as u64, suspects],
        [number(scenario, "trips"), number(scenario, "suspects")],
        "{name}"
    );
    assert!(trips.len() > 50, "{name}: {} trips", trips.len());
}

#[test]
fn what_is_slow() {
    let vectors = vectors();
    let edges: Vec<u64> = vectors["edges"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(Latencies::edges().to_vec(), edges);
    let expected = &vectors["latencies"];
    let (mut draw, mut seen, mut middle) = (Draw(number(expected, "seed")), Latencies::new(), 20_000);
    for row in expected["rows"].as_array().unwrap() {
        if draw.below(40) == 0 {
            middle = 200 << draw.below(16);
        }
        let mut cells = [0u32; 73];
        for _ in 0..draw.below(120) {
            let more = draw.below(middle);
            let factor = if draw.below(20) == 0 { 10 } else { 1 };
            cells[usize::from(Latencies::bucket(middle / 2 + more * factor))] += 1;
        }
        seen.add(&cells);
        assert_eq!(seen.slow().map(u64::from), row[1].as_u64());
    }
}
