//! A bad policy never opens a filter that has a good one, and never stops one that has none.

use super::played::{Played, Policy, policy};
use narrows_oracle::Random;
use narrows_tests::signals::{bad, good};

const WORKERS: usize = 8;

fn router() -> Played {
    Played::new("header-router", WORKERS)
}

/// Whether any worker lets `/admin` pass.
fn is_open(envoy: &mut Played) -> bool {
    (1..=WORKERS).any(|worker| envoy.is_open(worker, 0))
}

/// The last worker to come loads both policies in one go.
#[test]
fn a_burst_of_pushes_loses_no_lease() {
    for modules in [[0, 0], [0, 1]] {
        let mut envoy = router();
        assert!(envoy.push(&policy(good(1)).module(modules[0])));
        (1..WORKERS).for_each(|worker| envoy.merge(worker));
        assert!(envoy.push(&policy(good(2)).module(modules[1])));
        envoy.hear_all();
        for number in 0..10 {
            assert!(!envoy.settle(&policy(bad(number)).module(modules[1])), "{modules:?} {number}");
            assert!(!is_open(&mut envoy));
            assert!(envoy.is_rejected());
        }
    }
}

#[test]
fn no_step_of_the_clock_loses_a_lease_or_keeps_one() {
    for step in [60, -60, 21, -21, 3_600, -86_400, 31_536_000] {
        let mut envoy = router();
        assert!(envoy.settle(&policy(good(1))));
        envoy.pass(30);
        envoy.step(step);
        assert!(!envoy.settle(&policy(bad(1))), "{step} s");
        envoy.pass(3);
        envoy.step(-step);
        assert!(!envoy.settle(&policy(bad(2))), "{step} s back");
        assert!(!is_open(&mut envoy) && envoy.is_rejected());
        // Removed while the clock steps: it begins anew.
        envoy.step(step);
        envoy.remove("p", 0);
        assert!(envoy.settle(&policy(bad(3))), "{step} s: removed");
        assert!(is_open(&mut envoy));
        assert!(!envoy.asked_for_time, "there is no clock in it");
    }
}

/// Envoy does not try again what it has once taken: the first policy comes back.
#[test]
fn a_bad_policy_that_was_taken_once_opens_nothing() {
    for modules in [[0, 0], [0, 1]] {
        let mut envoy = router();
        // Another plugin keeps the module, and with it what Envoy has tried there.
        assert!(envoy.settle(&policy(good(9)).named("other").at(1)));
        assert!(envoy.settle(&policy(bad(1))));
        assert!(is_open(&mut envoy) && envoy.is_rejected());
        assert!(envoy.settle(&policy(good(1)).module(modules[1])));
        assert!(!is_open(&mut envoy));
        envoy.pass(30);
        assert!(!envoy.is_rejected());
        assert!(envoy.settle(&policy(bad(1))), "{modules:?}: nobody was asked");
        assert!(!is_open(&mut envoy), "{modules:?}");
        assert!(envoy.is_rejected());
        envoy.pass(30);
        envoy.crash(1);
        assert!(!is_open(&mut envoy), "{modules:?}: after a crash");
        assert!(!envoy.settle(&policy(bad(2))), "what is held is in force");
        // It is mended: what is held is gone.
        assert!(envoy.settle(&policy(good(2))));
        envoy.pass(30);
        assert!(!is_open(&mut envoy) && !envoy.is_rejected());
    }
}

/// A stream that is open keeps the root context of a bad first policy, which Envoy then takes
/// into service again.
#[test]
fn a_root_context_that_comes_back_holds_what_is_in_force() {
    let mut envoy = router();
    assert!(envoy.settle(&policy(bad(1))));
    envoy.open(1);
    assert!(envoy.settle(&policy(good(1))));
    assert!(envoy.settle(&policy(bad(1))));
    assert!(!is_open(&mut envoy));
    envoy.pass(10);
    assert!(envoy.is_rejected());
    // Another good one meanwhile, and back: it follows.
    assert!(envoy.settle(&policy(good(2))));
    envoy.pass(10);
    assert!(envoy.settle(&policy(bad(1))));
    assert!(!is_open(&mut envoy));
    envoy.close(1);
    assert!(!is_open(&mut envoy));
}

/// Only the name, the root id or the VM id tell a plugin from another.
#[test]
fn a_plugin_of_another_name_has_a_first_policy() {
    let mut envoy = router();
    assert!(envoy.settle(&policy(good(1))));
    assert!(!envoy.settle(&policy(bad(1))));
    assert!(envoy.settle(&policy(bad(2)).named("q").at(1)), "another name");
    assert!(envoy.settle(&policy(bad(2)).root("r").at(2)), "another root id");
    assert!(!envoy.settle(&policy(bad(2)).at(3)), "another listener alone is the same plugin");
    assert!(!envoy.is_open(1, 0));
}

#[test]
fn a_root_id_asks_for_strictness() {
    let mut envoy = router();
    let strict = |text| policy(text).root("header-router.strict");
    assert!(!envoy.settle(&strict(bad(1))));
    assert!(envoy.settle(&strict(good(1))));
    assert!(!envoy.settle(&strict(bad(2))));
    assert!(!is_open(&mut envoy));
    assert!(envoy.log.iter().any(|line| line.contains("the filter does not load")), "{:?}", envoy.log);
    for filter in
        ["header-router", "traffic-lanes", "canary-split", "metric-tags", "egress-policy", "narrows"]
    {
        let mut envoy = Played::new(filter, 1);
        let text = r#"{"nonsense": 1}"#;
        assert!(!envoy.settle(&policy(text).root(&format!("{filter}.strict"))), "{filter}");
        let is_open = !["egress-policy", "narrows"].contains(&filter);
        assert_eq!(envoy.settle(&policy(text).root(filter).named("q")), is_open, "{filter}");
    }
    // As before.
    let mut envoy = router().configured(r#"{"strict": true}"#);
    assert!(!envoy.settle(&policy(bad(1))));
    assert!(envoy.settle(&policy(good(1))));
    assert!(!envoy.settle(&policy(bad(1).replace("ruls", "rulez"))));
    assert!(!is_open(&mut envoy));
}

/// Nobody is told when a VM crashes, nor is the one in which a policy was tried.
#[test]
fn what_the_dead_have_left_refuses_no_first_policy() {
    // Nothing of the filter lives: at once.
    let mut envoy = router();
    envoy.proxy.shared.set("somebody.else", "keeps shared data", 0).unwrap();
    assert!(envoy.settle(&policy(good(1))));
    (1..=WORKERS).for_each(|worker| envoy.lose(worker));
    envoy.remove("p", 0);
    assert!(envoy.settle(&policy(bad(1))));
    assert!(is_open(&mut envoy));

    // Another plugin of the filter lives: after five of its rounds of five seconds.
    let mut envoy = router();
    assert!(envoy.settle(&policy(good(9)).named("other").at(1)));
    assert!(envoy.settle(&policy(good(1))));
    (1..=WORKERS).for_each(|worker| envoy.crash(worker));
    envoy.remove("p", 0);
    assert!(!envoy.settle(&policy(bad(1))));
    envoy.pass(30);
    assert!(envoy.settle(&policy(bad(2))));
    assert!(is_open(&mut envoy));
    assert!(!envoy.is_open(1, 1), "the other one has lost nothing");
}

/// Three hundred sequences of everything at once. A worker that has had a good policy
/// never lets `/admin` pass again, and in the end the gauge says what is so.
#[test]
fn three_hundred_sequences() {
    let (mut opened, mut refused, mut steps, mut unheard) = (0, 0, 0, 0);
    for seed in 1..=300 {
        let mut sequence = Sequence::new(seed);
        for number in 0..4 + sequence.dice.number(12) {
            sequence.push(number);
            sequence.disturb();
            steps += 1;
            opened += sequence.count_open(number);
        }
        refused += sequence.refused;
        unheard += u32::from(sequence.ends_as_it_should());
    }
    // They did meet what they are meant to.
    assert!(opened > 100 && refused > 100 && steps > 2_000, "{opened} {refused} {steps}");
    assert!(unheard < 10, "{unheard}");
}

/// A sequence of pushes and of what befalls a proxy between them.
struct Sequence {
    seed: u64,
    dice: Random,
    envoy: Played,
    workers: usize,
    history: Vec<(Policy, bool)>,
    /// Whether a stream was held open.
    held: bool,
    /// Whether the policy that was pushed last is a good one, and which is in force.
    last: Option<bool>,
    current: Option<Policy>,
    /// Whether a thread has had a good one.
    had: Vec<bool>,
    refused: u32,
}

impl Sequence {
    fn new(seed: u64) -> Self {
        let mut dice = Random::new(seed);
        let workers = 1 + usize::try_from(dice.number(8)).unwrap();
        Self {
            seed,
            dice,
            envoy: Played::new("header-router", workers),
            workers,
            history: Vec::new(),
            held: false,
            last: None,
            current: None,
            had: vec![false; workers + 1],
            refused: 0,
        }
    }

    /// Pushes a policy, of which some workers hear at once.
    fn push(&mut self, number: u64) {
        let dice = &mut self.dice;
        let module = usize::try_from(dice.number(2)).unwrap();
        let is_good = dice.number(5) < 3;
        // A text that was refused Envoy does not try again, and tells nobody.
        let text = if is_good {
            good(dice.number(3))
        } else {
            bad(if self.last.is_none() { 0 } else { number * dice.number(2) })
        };
        let next = policy(text).module(module);
        if self.current.as_ref() != Some(&next) && !envoy_has_refused(&self.history, &next) {
            let taken = self.envoy.push(&next);
            self.history.push((next.clone(), taken));
            assert!(taken || !is_good);
            self.refused += u32::from(!taken);
            if taken {
                self.current = Some(next);
            }
            self.last = Some(is_good);
            self.had[0] |= is_good;
        }
        for worker in 1..=self.workers {
            if self.dice.number(3) > 0 {
                self.envoy.merge(worker);
                self.had[worker] |= self.had[0] && self.last == Some(true);
            }
        }
    }

    /// Something else happens.
    fn disturb(&mut self) {
        let what = self.dice.number(8);
        let mut worker = || 1 + usize::try_from(self.dice.number(8)).unwrap() % self.workers;
        match what {
            0 => self.envoy.step(60),
            1 => self.envoy.step(-60),
            2 => self.envoy.pass(self.dice.number(12)),
            3 => {
                self.held = true;
                self.envoy.open(worker());
            }
            4 => self.envoy.close(worker()),
            5 => self.envoy.crash(worker()),
            _ => {}
        }
    }

    /// How many workers let `/admin` pass: none that has had a good policy.
    fn count_open(&mut self, number: u64) -> u32 {
        let mut open = 0;
        for worker in 1..=self.workers {
            let is_open = self.envoy.is_open(worker, 0);
            let (seed, history) = (self.seed, &self.history);
            assert!(!is_open || !self.had[worker], "seed {seed}, step {number}: {history:#?}");
            open += u32::from(is_open);
        }
        open
    }

    /// What holds once all have heard of everything. Returns whether the gauge was late.
    fn ends_as_it_should(self) -> bool {
        let (seed, history, mut envoy) = (self.seed, &self.history, self.envoy);
        envoy.hear_all();
        (1..=self.workers).for_each(|worker| envoy.close(worker));
        envoy.pass(30);
        let is_late = self.last == Some(true) && envoy.is_rejected();
        if is_late {
            // A root context that a stream held was taken into service again, with the text that
            // was in force before: nobody was asked. The next text tells.
            assert!(self.held, "seed {seed}: {history:#?}");
            assert!(envoy.settle(&policy(good(99))));
            envoy.pass(5);
        }
        assert_eq!(envoy.is_rejected(), self.last == Some(false), "seed {seed}: {history:#?}");
        if self.had[0] {
            assert!((1..=self.workers).all(|worker| !envoy.is_open(worker, 0)), "seed {seed}: {history:#?}");
        }
        envoy.remove("p", 0);
        assert!(!envoy.is_rejected(), "seed {seed}: removed");
        is_late
    }
}

/// Whether Envoy remembers that it has refused this.
fn envoy_has_refused(history: &[(Policy, bool)], known: &Policy) -> bool {
    history.iter().any(|(policy, taken)| policy == known && !taken)
}
