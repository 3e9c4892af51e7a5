//! Any bytes as what the VMs of a proxy share of a rollback, then loads and ticks in the order of time:
//! no panic, what is written stays small, and it is read as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::split::Splitter;
use narrows_core::split::rollback::Roll;
use narrows_core::{Policy, PolicyValue};

const POLICIES: [&str; 3] = [
    r#"{"splits": [{"name": "s", "key": [{"header": "u"}], "rollback": {"errors": "enforce", "latency": "enforce", "clientErrors": "enforce", "warmup": "0s"},
        "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b", "weight": 10}, {"name": "c", "to": "c", "weight": 5}]}]}"#,
    r#"{"splits": [{"name": "s", "key": [{"header": "u"}], "rollback": {"errors": "report", "hold": "3s", "generation": 2},
        "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "d", "weight": 100}]}]}"#,
    r#"{"splits": [{"name": "s", "onMissingKey": "random", "rollback": {"errors": "enforce", "latency": "off"},
        "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b", "ramp": {"steps": [{"at": "1970-01-01T00:01:00Z", "weight": 50}]}}]}]}"#,
];
/// More than three tables of users, and what all canaries of a split can need.
const MOST: usize = 256 << 10;

fuzz_target!(|bytes: &[u8]| {
    let compiled = POLICIES.map(|policy| {
        Splitter::compile(&PolicyValue::parse(policy.as_bytes()).expect("it is JSON"))
            .expect("it is a policy")
    });
    let rolls: Vec<Roll<'_>> = compiled.iter().flat_map(Splitter::rolls).collect();
    // A byte for each step, and behind a zero what is shared.
    let split = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (steps, shared) = bytes.split_at(split);
    let mut shared = shared.get(1..).unwrap_or_default().to_vec();
    let mut now = 50u64;
    for step in steps {
        let Some(roll) = rolls.get(usize::from(step >> 6)) else { continue };
        now = now.saturating_add(u64::from(step & 0x1f));
        if step & 0x20 != 0 {
            shared = roll.load(&shared, now);
        } else {
            let ticked = roll.tick(&shared, now, now);
            assert!(ticked.lines.iter().all(|line| line.len() < 1_024 && !line.contains('\n')));
            if let Some(written) = ticked.bytes {
                shared = written;
            }
        }
        assert!(roll.learn(&shared, now).iter().all(|gauge| gauge.value <= 4));
        assert!(shared.len() <= MOST.max(bytes.len()), "{} bytes", shared.len());
        // Whoever loads the same policy again reads what was written.
        let again = roll.load(&shared, now);
        assert_eq!(roll.load(&again, now), again);
    }
});
