//! What the VMs of a proxy share: as bytes, from tick to tick, from policy to policy.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::filter::split::rollback::Roll;
use crate::filter::split::{Guarded, Reason, Served, Splitter, Verdict};
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::Policy;

const CANARIES: &str =
    r#"{"name": "a", "authority": "a", "weight": 10}, {"name": "b", "authority": "b", "weight": 10}"#;

/// A VM of a proxy: a policy, and what it knows.
struct Vm(Splitter);

impl Vm {
    fn new(shared: &mut Vec<u8>, rollback: &str, canaries: &str, now: u64) -> Self {
        let text = format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "s", "hosts": ["s"], "key": [{{"header": "u"}}], "rollback": {rollback},
                "backends": [{{"name": "stable", "baseline": true}}, {canaries}]}}]}}"#
        );
        let vm = Self(Splitter::compile(&PolicyValue::parse(text.as_bytes()).unwrap()).unwrap());
        *shared = vm.roll().load(shared, now);
        vm.roll().learn(shared, now);
        vm
    }

    fn roll(&self) -> Roll<'_> {
        self.0.rolls().next().unwrap()
    }

    /// Requests of so many users, of which those fail that are sent to this backend.
    fn ask(&self, from: u32, users: u32, failing: &str) -> Vec<Verdict> {
        let verdict = |user: u32| {
            let user = user.to_string();
            let headers = [(":authority", "s"), (":path", "/"), ("u", &*user)];
            let request =
                Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
            let verdict = self.0.decide(request.clone()).1;
            let watched = self.0.watches(&verdict, &request, &|| 0);
            let verdict = verdict.unwrap();
            let fails = self.0.backend(0, verdict.backend) == Some(failing);
            let served = Served { code: if fails { 503 } else { 200 }, ..Served::default() };
            if let Some(watched) = watched {
                watched.ends(&self.0, &served, &|| 0);
            }
            verdict
        };
        (from..from + users).map(verdict).collect()
    }

    /// The end of a second; returns the lines of the log.
    fn tick(&self, shared: &mut Vec<u8>, now: u64) -> Vec<String> {
        let ticked = self.roll().tick(shared, now, now);
        if let Some(bytes) = ticked.bytes {
            *shared = bytes;
        }
        self.roll().published();
        self.roll().learn(shared, now);
        ticked.lines
    }

    /// The backends that are off, as users see them.
    fn off(&self) -> Vec<&str> {
        let verdicts = self.ask(0, 300, "-");
        let turned = verdicts.iter().filter(|verdict| verdict.reason == Reason::Rollback);
        let mut off: Vec<_> = turned.filter_map(|verdict| self.0.backend(0, verdict.instead_of?)).collect();
        off.sort_unstable();
        off.dedup();
        off
    }
}

const ENFORCE: &str = r#"{"errors": "enforce"}"#;

#[test]
fn of_two_canaries_the_bad_one_goes() {
    let mut shared = Vec::new();
    let [first, second] = [1, 1].map(|now| Vm::new(&mut shared, ENFORCE, CANARIES, now));
    first.ask(0, 200, "b");
    second.ask(200, 200, "b");
    assert!(first.tick(&mut shared, 1).is_empty());
    assert!(second.tick(&mut shared, 1).is_empty(), "the tick is not over");
    let lines = first.tick(&mut shared, 2);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("backend \"b\": switched off, by errors"), "{lines:?}");
    assert_eq!(first.off(), ["b"]);
    assert!(second.off().is_empty(), "it has not heard yet");
    assert!(second.tick(&mut shared, 2).is_empty(), "and does not tell again");
    assert_eq!(second.off(), ["b"]);
    // Whoever comes later, or again, or with another weight.
    let weights = CANARIES.replace("10", "20");
    for canaries in [CANARIES, &weights] {
        assert_eq!(Vm::new(&mut shared, ENFORCE, canaries, 3).off(), ["b"]);
    }
    // Without that canary, and back again.
    let alone = r#"{"name": "a", "authority": "a", "weight": 10}"#;
    assert!(Vm::new(&mut shared, ENFORCE, alone, 4).off().is_empty());
    assert_eq!(Vm::new(&mut shared, ENFORCE, CANARIES, 5).off(), ["b"]);
    // Somewhere else, and with a higher generation. A lower one changes nothing.
    let moved = CANARIES.replace("\"authority\": \"b\"", "\"authority\": \"c\"");
    assert!(Vm::new(&mut shared.clone(), ENFORCE, &moved, 6).off().is_empty());
    let second = r#"{"errors": "enforce", "generation": 2}"#;
    let mut next = shared.clone();
    let vm = Vm::new(&mut next, second, CANARIES, 6);
    assert!(vm.off().is_empty());
    vm.ask(1_000, 400, "b");
    vm.tick(&mut next, 7);
    vm.tick(&mut next, 8);
    assert_eq!(vm.off(), ["b"]);
    assert_eq!(Vm::new(&mut next, ENFORCE, CANARIES, 9).off(), ["b"]);
}

#[test]
fn an_older_policy_neither_adds_nor_judges() {
    let mut shared = Vec::new();
    let older = Vm::new(&mut shared, ENFORCE, CANARIES, 1);
    let newer = Vm::new(&mut shared, r#"{"errors": "enforce", "generation": 2}"#, CANARIES, 1);
    older.ask(0, 400, "b");
    let before = shared.clone();
    assert!(older.tick(&mut shared, 1).is_empty() && older.tick(&mut shared, 2).is_empty());
    assert_eq!(shared, before);
    newer.ask(0, 400, "b");
    newer.tick(&mut shared, 2);
    newer.tick(&mut shared, 3);
    older.tick(&mut shared, 3);
    assert_eq!((newer.off(), older.off()), (vec!["b"], vec!["b"]), "but it hears of it");
}

#[test]
fn bytes_of_another_form_are_nothing() {
    let mut shared = Vec::new();
    let vm = Vm::new(&mut shared, ENFORCE, CANARIES, 1);
    vm.ask(0, 400, "b");
    vm.tick(&mut shared, 1);
    for bytes in [&[][..], &[9], &[0xff; 40], &shared[..shared.len() - 1]] {
        let mut bytes = bytes.to_vec();
        assert!(vm.tick(&mut bytes, 2).is_empty());
        assert!(vm.off().is_empty());
        assert!(Vm::new(&mut bytes, ENFORCE, CANARIES, 2).off().is_empty());
    }
    // What is written comes back.
    assert_eq!(Vm::new(&mut shared.clone(), ENFORCE, CANARIES, 2).roll().load(&shared, 2), shared);
}

#[test]
fn a_latch_ends_with_its_time() {
    let mut shared = Vec::new();
    let vm = Vm::new(&mut shared, r#"{"errors": "enforce", "hold": "30s"}"#, CANARIES, 100);
    vm.ask(0, 400, "b");
    vm.tick(&mut shared, 100);
    for now in 101..140 {
        vm.tick(&mut shared, now);
        assert_eq!(vm.off().is_empty(), now >= 130, "{now}");
        vm.roll().published();
    }
}
