//! What the VMs of a proxy know in common of one split: its canaries, the users who failed, what is slow,
//! and the tick that is being counted.
//!
//! Every VM adds its own counts once a second. Whoever comes first after the end of a tick judges it.

use super::bytes::{Reader, Writer};
use super::latency::{Cells, Latencies};
use super::record::{CLASSES, Latch, Record, Terms};
use super::ring::{Second, Sums};
use super::side::Side;
use super::tally::Tally;
use super::users::{PLACES, Users};
use super::watch::{Class, Counted, Finding, Judged, Watch};
use crate::language::limits::BACKENDS;
use crate::language::modes::Mode;

/// The form of these bytes.
const FORM: u64 = 1;
/// The canaries that are remembered, those of earlier policies included.
const RECORDS: usize = 2 * BACKENDS;
/// Seconds that are judged without requests if nobody has looked for longer: a ring has no more.
const EMPTY: u64 = 10;
/// Seconds from one line about a suspect to the next.
const QUIET: u64 = 600;

/// What the VMs know in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared {
    /// Which canaries the policy has that was loaded last, with destinations and generation.
    pub(super) term: u64,
    /// The tick that is being counted.
    pub(super) second: u64,
    pub(super) latencies: Latencies,
    pub(super) users: [Users; CLASSES],
    /// The tick of the baseline: by class, and its latencies.
    pub(super) baseline: [Side; CLASSES],
    pub(super) cells: Cells,
    /// First those that the policy has, in its order, then those that it had.
    pub(super) records: Vec<Record>,
    pub(super) active: usize,
}

/// A policy that is loaded.
pub(super) struct Loading<'p> {
    pub(super) term: u64,
    pub(super) push: u64,
    pub(super) generation: u64,
    pub(super) terms: Terms,
    /// Identity and destination of each canary.
    pub(super) canaries: &'p mut dyn Iterator<Item = (u64, u64)>,
}

/// Something to tell of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its index in the policy.
    pub(super) canary: usize,
    pub(super) class: Class,
    pub(super) judged: Judged,
    /// The users of the canary and of the baseline since the scores left zero.
    pub(super) users: (u64, u64),
    pub(super) sums: Sums,
    pub(super) share: u64,
    pub(super) mode: Mode,
}

impl Shared {
    /// Takes over a policy: another destination or a higher generation begins anew, all else stays.
    pub(super) fn load(&mut self, loading: Loading<'_>, second: u64) {
        let Loading { term, push, generation, terms, canaries } = loading;
        let mut old = std::mem::take(&mut self.records);
        let mut records = Vec::new();
        for (id, to) in canaries {
            let known = old.iter().position(|record| record.id == id).map(|at| old.remove(at));
            let known = known.filter(|record| record.to == to && generation <= record.generation);
            let mut record = known.unwrap_or_else(|| Record { id, to, ..Record::default() });
            record.stands = record.stands.filter(|_| record.push == push);
            // One that was found worse stays found: a push may go below it and come back.
            let found = if record.is_latched() { record.generation } else { 0 };
            (record.generation, record.push) = (found.max(generation), push);
            record.under(terms);
            records.push(record);
        }
        if term != self.term {
            let sides = records.iter_mut().flat_map(|record| &mut record.states).map(|state| &mut state.side);
            sides.chain(&mut self.baseline).for_each(|side| *side = Side::default());
            self.cells = Cells::default();
        }
        self.active = records.len();
        // A latch of a canary that is not in the policy now holds when it comes back.
        records.extend(old.into_iter().filter(Record::is_latched));
        records.truncate(RECORDS);
        self.records = records;
        self.term = term;
        if self.second == 0 {
            self.second = second;
        }
    }

    /// Lets time pass until this second; `now` is the time of the ramps. Returns what is to be told.
    #[inline(never)]
    pub(super) fn advance(&mut self, second: u64, now: u64) -> Vec<Event> {
        let mut events = Vec::new();
        if second > self.second {
            self.judge(self.second, &mut events);
            let next = self.second.saturating_add(1);
            let from = next.max(second.saturating_sub(EMPTY));
            (from..second).for_each(|second| self.judge(second, &mut events));
            self.second = second;
        }
        for event in events.iter().filter(|event| event.judged.trip() && event.mode == Mode::Enforce) {
            if let Some(record) = self.records.get_mut(event.canary) {
                // A ramp that stands already goes on only after a push.
                record.stands.get_or_insert(now);
            }
        }
        self.records.iter_mut().for_each(|record| record.release(second));
        events
    }

    /// Adds what a VM has counted.
    pub(super) fn add(&mut self, tally: &Tally) {
        for (class, side) in self.baseline.iter_mut().enumerate() {
            side.add(tally.side(class, 0));
        }
        for (cell, more) in self.cells.0.iter_mut().zip(&tally.cells.0) {
            *cell = cell.saturating_add(*more);
        }
        let now = self.second;
        for (at, record) in self.records.iter_mut().take(self.active).enumerate() {
            record.share = record.share.max(tally.share(at));
            for (class, state) in record.states.iter_mut().enumerate() {
                let side = tally.side(class, at.saturating_add(1));
                if side.n > 0 && record.first.is_none() {
                    record.first = Some(now);
                }
                state.side.add(side);
            }
        }
    }

    /// Judges a tick, and begins the next.
    #[inline(never)]
    fn judge(&mut self, second: u64, events: &mut Vec<Event>) {
        for (number, class) in Class::ALL.into_iter().enumerate() {
            self.judge_class(number, class, second, events);
        }
        self.latencies.add(&std::mem::take(&mut self.cells).0);
        let active = self.records.iter_mut().take(self.active);
        active.for_each(|record| record.share = 0);
    }

    #[inline(never)]
    fn judge_class(&mut self, number: usize, class: Class, second: u64, events: &mut Vec<Event>) {
        let (Some(baseline), Some(users)) = (self.baseline.get_mut(number), self.users.get_mut(number))
        else {
            return;
        };
        let baseline = std::mem::take(baseline);
        let sides = self.records.iter_mut().take(self.active).map(|record| {
            let is_judged = record.judges(number, second);
            let side = record.states.get_mut(number).map(|state| std::mem::take(&mut state.side));
            side.filter(|_| is_judged)
        });
        let sides: Vec<Option<Side>> = sides.collect();
        if sides.iter().all(Option::is_none) {
            return;
        }
        // The baseline's users come first, then each canary's, in the order of the policy.
        let x0 = baseline.counted(users, second);
        let counted: Vec<u64> =
            sides.iter().map(|side| side.as_ref().map_or(0, |side| side.counted(users, second))).collect();
        let is_crowded = users.is_crowded(second);
        let records = self.records.iter_mut().zip(sides).zip(counted).enumerate();
        for (canary, ((record, side), x1)) in records {
            let (Some(side), Some(state)) = (side, record.states.get_mut(number)) else { continue };
            let is_blurred = is_crowded || side.rest > 0 || baseline.rest > 0;
            let users = Counted { canary: x1, baseline: x0, is_blurred };
            let sums = Second { at: second, canary: (side.n, side.y), baseline: (baseline.n, baseline.y) };
            let judged = state.watch.judge(class, record.share, sums, users);
            let mode = record.terms.mode(number);
            let (users, sums) = (state.watch.users, state.watch.ring.sums());
            let event = Event { canary, class, judged, users, sums, share: record.share, mode };
            match judged.finding {
                Finding::Trip => {
                    let is_enforced = mode == Mode::Enforce;
                    state.latch = Some(Latch { since: second, is_enforced });
                    state.watch = Watch::default();
                    events.push(event);
                }
                Finding::Suspect if second >= state.told.saturating_add(QUIET) => {
                    state.told = second;
                    events.push(event);
                }
                Finding::Suspect | Finding::Fine => {}
            }
        }
    }

    /// What is known of a canary at this destination.
    pub(super) fn of(&self, id: u64, to: u64) -> Option<&Record> {
        self.records.iter().find(|record| record.id == id && record.to == to)
    }
}

impl Shared {
    #[inline(never)]
    pub(super) fn write(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.all([FORM, self.term, self.second]);
        to.put(self.latencies.slow.map_or(0, |slow| u64::from(slow).saturating_add(1)));
        to.all(self.latencies.cells.iter().chain(&self.cells.0).map(|cell| u64::from(*cell)));
        for users in &self.users {
            to.list(&users.seen, |to, (key, last)| {
                to.all([u64::from(*key), self.second.saturating_sub(*last)]);
            });
        }
        self.baseline.iter().for_each(|side| side.write(&mut to));
        to.put(u64::try_from(self.active).unwrap_or_default());
        to.list(&self.records, |to, record| record.write(to));
        to.0
    }

    /// What was written; nothing if these bytes have another form.
    #[inline(never)]
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self::read_all(&mut Reader(bytes)).unwrap_or_default()
    }

    fn read_all(from: &mut Reader<'_>) -> Option<Self> {
        if from.number()? != FORM {
            return None;
        }
        let mut shared = Self { term: from.number()?, second: from.number()?, ..Self::default() };
        shared.latencies.slow = from.number()?.checked_sub(1).and_then(|slow| u8::try_from(slow).ok());
        for cell in shared.latencies.cells.iter_mut().chain(&mut shared.cells.0) {
            *cell = from.small()?;
        }
        for users in &mut shared.users {
            users.seen = from
                .list(PLACES, |from| Some((from.small()?, shared.second.saturating_sub(from.number()?))))?;
        }
        for side in &mut shared.baseline {
            *side = Side::read(from)?;
        }
        shared.active = usize::try_from(from.number()?).ok()?;
        shared.records = from.list(RECORDS, Record::read)?;
        Some(shared)
    }
}
