//! Rollbacks: what the VMs of a proxy share of the canaries that they judge.
//!
//! Every VM counts the requests that it has served, and adds them once a second. Whoever comes first after
//! the end of a tick judges it, and is the one that counts and logs what follows; the others read it.

use narrows_core::split::Guarded;
use narrows_core::split::rollback::{Roll, Ticked};

use crate::clock::{Clock, Pace};
use crate::metric::Ids;
use crate::read;
use crate::shared::Key;

/// One plugin's part of what its VMs share, for each split with a rollback.
pub(super) struct Rolling {
    keys: Vec<Key>,
    pace: Pace,
}

impl Rolling {
    /// Takes over the policy, and what is known of its canaries.
    pub(super) fn load<P: Guarded>(policy: &P, ids: &Ids, clock: &Clock) -> Self {
        let rolls = policy.rolls();
        let key = |roll: &Roll<'_>| Key::of("rollback", P::FILTER).with(roll.number());
        let keys: Vec<Key> = rolls.iter().map(key).collect();
        let pace = Pace::of(P::FILTER);
        for (roll, key) in rolls.iter().zip(&keys) {
            let second = pace.now();
            let mut known = Vec::new();
            key.update(&mut |shared| {
                known = roll.load(shared, second);
                (known != shared).then(|| known.clone())
            });
            ids.measure_all(roll.learn(&known, clock.now()));
        }
        Self { keys, pace }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Once a second: adds what this VM has counted, judges what is over, and takes over what is known.
    pub(super) fn tick<P: Guarded>(&self, policy: &P, ids: &Ids, clock: &Clock) {
        if self.is_empty() {
            return;
        }
        let (second, now, micros) = (self.pace.now(), clock.now(), read::now_micros());
        for (roll, key) in policy.rolls().iter().zip(&self.keys) {
            roll.collect(micros);
            let (mut ticked, mut known) = (Ticked::default(), Vec::new());
            let is_shared = key.update(&mut |shared| {
                ticked = roll.tick(shared, second, now);
                let new = ticked.bytes.take();
                known = new.clone().unwrap_or_else(|| shared.to_vec());
                new
            });
            if is_shared {
                roll.published();
                ids.measure_all(std::mem::take(&mut ticked.measured));
                ticked.lines.iter().for_each(|line| log::warn!("{}: {line}", P::FILTER));
                ids.measure_all(roll.learn(&known, now));
            }
        }
    }

    /// The root context ends. The next policy may judge nothing, and then nobody says how its canaries are.
    pub(super) fn release<P: Guarded>(&self, policy: &P, ids: &Ids) {
        if !self.is_empty() {
            policy.rolls().iter().for_each(|roll| ids.measure_all(roll.gone()));
        }
    }
}
