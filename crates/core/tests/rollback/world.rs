//! A proxy with users, some busier than others, of whom a split sends a part to a canary.

use std::collections::BTreeSet;

use narrows_core::split::rollback::{Class, Judge, Judged, Side, Tick};

use super::draw::Draw;

/// The keys that a worker tells apart in a tick.
const KEYS: usize = 32;
const WORKERS: u64 = 2;
/// Parts of a whole: 10,000 is always.
pub(crate) const ALWAYS: u64 = 10_000;

/// What is true of a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    /// How often requests fail, in 10,000: of the baseline, of the canary.
    pub(crate) fails: [u64; 2],
    /// Failing requests more, of so many clients of the canary.
    pub(crate) more: u64,
    pub(crate) clients: u64,
    /// How many times as many requests the canary gets.
    pub(crate) storm: u64,
}

/// Who is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) users: u64,
    /// Requests in a second.
    pub(crate) rate: u64,
    /// The canary's weight, in millionths.
    pub(crate) weight: u64,
    /// How many users of 10,000 fail by themselves, and how often.
    pub(crate) chronic: (u64, u64),
}

/// A world as it goes.
pub(crate) struct Running {
    draw: Draw,
    world: World,
    is_canary: Vec<bool>,
    is_chronic: Vec<bool>,
    /// Up to each user, how many of the requests are theirs.
    until: Vec<u64>,
    judge: Judge,
    now: u64,
    /// Requests of the canary.
    pub(crate) requests: u64,
}

impl World {
    pub(crate) fn begin(self) -> Running {
        let mut draw = Draw(self.seed);
        let is_canary = (0..self.users).map(|_| draw.below(1_000_000) < self.weight).collect();
        let is_chronic = (0..self.users).map(|_| draw.hits(self.chronic.0)).collect();
        // The busiest has twenty times as much to ask as the median.
        let mut sum = 0;
        let ask = |rank: u64| 1_000_000 / (rank + self.users / 20 + 1);
        let mut until: Vec<u64> = (0..self.users).map(ask).collect();
        // Who is busy has nothing to do with the order of names.
        for at in (1..until.len()).rev() {
            until.swap(at, usize::try_from(draw.below(at as u64 + 1)).unwrap());
        }
        until.iter_mut().for_each(|ask| {
            sum += *ask;
            *ask = sum;
        });
        let judge = Judge::new(Class::Errors);
        Running { draw, world: self, is_canary, is_chronic, until, judge, now: 1_000_000, requests: 0 }
    }
}

impl Running {
    /// One second more.
    pub(crate) fn tick(&mut self, second: Second) -> Judged {
        self.now += 1;
        let mut sides = [Side::default(), Side::default()];
        let mut keys = [0; 2].map(|_| vec![BTreeSet::new(); usize::try_from(WORKERS).unwrap()]);
        let count = self.world.rate / 2 + self.draw.below(self.world.rate + 1);
        for _ in 0..count {
            let ask = self.draw.below(*self.until.last().unwrap());
            let user = self.until.partition_point(|until| *until <= ask);
            let side = usize::from(self.is_canary[user]);
            let times = if side == 1 { second.storm.max(1) } else { 1 };
            for _ in 0..times {
                let own = if self.is_chronic[user] { self.world.chronic.1 } else { 0 };
                let fails = self.draw.hits(second.fails[side].max(own));
                self.serve(&mut sides, &mut keys, side, (fails, user as u64));
            }
        }
        for _ in 0..second.more {
            let client = u64::from(u32::MAX) - self.draw.below(second.clients);
            self.serve(&mut sides, &mut keys, 1, (true, client));
        }
        let [mut baseline, mut canary] = sides;
        self.requests += canary.n;
        for (side, keys) in [(&mut baseline, &keys[0]), (&mut canary, &keys[1])] {
            let united: BTreeSet<u32> = keys.iter().flatten().copied().collect();
            side.keys = united.into_iter().collect();
        }
        self.judge.tick(&Tick { now: self.now, w: self.world.weight, canary, baseline })
    }

    /// Counts one request as the worker does that happens to get it.
    fn serve(
        &mut self,
        sides: &mut [Side; 2],
        keys: &mut [Vec<BTreeSet<u32>>; 2],
        side: usize,
        (fails, user): (bool, u64),
    ) {
        sides[side].n += 1;
        if !fails {
            return;
        }
        sides[side].y += 1;
        let worker = usize::try_from(self.draw.below(WORKERS)).unwrap();
        let key = u32::try_from(user).unwrap();
        let listed: usize = keys.iter().map(|of_side| of_side[worker].len()).sum();
        let known = &mut keys[side][worker];
        if !known.contains(&key) {
            if listed < KEYS {
                known.insert(key);
            } else {
                sides[side].rest += 1;
            }
        }
    }

    /// Runs so many seconds, or until it trips; then in which.
    pub(crate) fn run(&mut self, seconds: u64, of: impl Fn(u64) -> Second) -> Option<u64> {
        (1..=seconds).find(|second| self.tick(of(*second)).trip())
    }
}
