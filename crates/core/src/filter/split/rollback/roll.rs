//! The rollback of one split, as its host sees it: what is shared is read, changed and written once a second.

use super::health::Health;
use super::record::Record;
use super::rolling::{Canary, Counts, Rolling, Timed, Watched};
use super::score::WHOLE;
use super::shared::{Event, Loading, Shared};
use super::timing::{is_grpc, is_timed};
use super::watch::{Class, Finding};
use crate::filter::split::bucket::BUCKETS;
use crate::filter::split::served::Served;
use crate::filter::split::splitter::{Split, Splitter};
use crate::filter::split::verdict::{Reason, Verdict};
use crate::language::modes::Mode;
use crate::matching::request::Request;
use crate::policy::series::Measurement;

/// The series of a canary: whether it is fine, requests turned back, requests that are open, and then its
/// trips by class.
const STATE: usize = 0;
pub(crate) const ROLLED_BACK: usize = 1;
const OPEN: usize = 2;
const TRIPS: usize = 3;

/// The rollback of one split.
#[derive(Clone, Copy, Debug)]
pub struct Roll<'s> {
    split: &'s Split,
    rolling: &'s Rolling,
}

/// What a tick has done.
#[derive(Debug, Default)]
pub struct Ticked {
    /// What is to be shared; nothing if nothing has changed.
    pub bytes: Option<Vec<u8>>,
    /// What is to be counted, once that is shared.
    pub measured: Vec<Measurement>,
    /// What is to be logged then.
    pub lines: Vec<String>,
}

impl Roll<'_> {
    /// The number of what the VMs share of this split.
    pub fn number(&self) -> u64 {
        self.rolling.id
    }

    /// What is shared once this policy is in force, in this second: only this can end a latch before its time.
    pub fn load(&self, shared: &[u8], second: u64) -> Vec<u8> {
        let Rolling { term, push, rule, canaries, .. } = self.rolling;
        let mut shared = Shared::read(shared);
        let canaries = &mut canaries.iter().map(|canary| (canary.id, canary.to));
        let terms = self.rolling.terms();
        let loading = Loading { term: *term, push: *push, generation: rule.generation, terms, canaries };
        shared.load(loading, second);
        shared.write()
    }

    /// Before a tick: counts the requests that hang, in this microsecond.
    pub fn collect(&self, micros: u64) {
        if self.rolling.times() {
            self.rolling.count_open(micros);
        }
    }

    /// A second has passed: what is shared, judged if its tick is over, and with what this VM has counted.
    /// It may be asked again, if another VM was quicker. `second` goes on where a clock that was set back stands
    /// still; `now` is the time of the ramps, which does not.
    pub fn tick(&self, shared: &[u8], second: u64, now: u64) -> Ticked {
        let mut shared = Shared::read(shared);
        // An older policy whose requests are drained neither adds nor judges.
        if shared.term != self.rolling.term {
            return Ticked::default();
        }
        let mut tally = self.rolling.tally.borrow_mut();
        for (at, canary) in self.rolling.canaries.iter().enumerate() {
            tally.decided_by(at, canary.share.get().max(self.share(canary, now)));
        }
        let is_over = second > shared.second;
        let events = shared.advance(second, now);
        shared.add(&tally);
        let mut ticked = Ticked::default();
        for event in &events {
            self.tell(event, &mut ticked);
        }
        ticked.bytes = (is_over || !tally.is_empty()).then(|| shared.write());
        ticked
    }

    /// What this VM has counted is shared.
    pub fn published(&self) {
        self.rolling.tally.take();
    }

    /// Takes over what is shared. Returns what the gauges show.
    pub fn learn(&self, shared: &[u8], now: u64) -> Vec<Measurement> {
        let shared = Shared::read(shared);
        let Rolling { slow, push, canaries, .. } = self.rolling;
        slow.set(shared.latencies.slow);
        let terms = self.rolling.terms();
        let is_own = shared.term == self.rolling.term;
        let learn = |canary: &Canary| {
            let known = shared.of(canary.id, canary.to);
            let off = known.and_then(|record| record.off(&terms));
            let stood = known.and_then(|record| record.stands.filter(|_| record.push == *push));
            canary.is_off.set(off.is_some());
            canary.stands.set(stood.or(off.map(|since| since.min(now))));
            let share = self.share(canary, now);
            canary.share.set(share);
            let health = match known {
                _ if off.is_some() => Health::Off,
                Some(known) => known.health(share > 0 && share < WHOLE),
                None => Health::Unknown,
            };
            // An older policy leaves the gauges to the newer one.
            is_own.then(|| Measurement { series: canary.series.saturating_add(STATE), value: health.into() })
        };
        canaries.iter().filter_map(learn).collect()
    }

    /// What the gauges show once this policy is gone.
    pub fn gone(&self) -> Vec<Measurement> {
        let gauge = |canary: &Canary| Measurement {
            series: canary.series.saturating_add(STATE),
            value: Health::Fine.into(),
        };
        self.rolling.canaries.iter().map(gauge).collect()
    }

    /// The share of a canary among its own users and those of the baseline, in millionths.
    fn share(&self, canary: &Canary, now: u64) -> u64 {
        let slots = self.split.slots_at(now);
        let (mut own, mut left) = (0u64, u64::from(BUCKETS));
        for (from, to, backend) in slots.owned() {
            let buckets = u64::from(to.saturating_sub(*from));
            left = left.saturating_sub(buckets);
            if *backend == canary.backend {
                own = buckets;
            }
        }
        own.saturating_mul(WHOLE).checked_div(own.saturating_add(left)).unwrap_or_default()
    }

    fn tell(&self, event: &Event, ticked: &mut Ticked) {
        let Some(canary) = self.rolling.canaries.get(event.canary) else { return };
        let Some(backend) = self.split.backends.get(canary.backend) else { return };
        if event.judged.trip() {
            let series = canary.series.saturating_add(TRIPS).saturating_add(event.class as usize);
            ticked.measured.push(Measurement { series, value: 1 });
        }
        let says = match (event.judged.finding, event.mode) {
            (Finding::Trip, Mode::Enforce) => "switched off",
            (Finding::Trip, _) => "worse than the baseline, which is only reported",
            _ => "suspect: it looks worse, but too few users show it",
        };
        let Event { class, users, sums, share, judged, .. } = event;
        let kind = match class {
            Class::Errors => "failed",
            Class::Latency => "were slow",
            Class::ClientErrors => "were refused",
        };
        let [first, second, third] = judged.scores;
        ticked.lines.push(format!(
            "split {:?}, backend {:?}: {says}, by {}: {} of {} requests {kind} in ten seconds, and {} of {} at the baseline; \
             {} users there and {} at the baseline count; scores {first}, {second}, {third} of 32768; share {share} of a million",
            self.split.name,
            backend.name,
            class.as_str(),
            sums.canary.1,
            sums.canary.0,
            sums.baseline.1,
            sums.baseline.0,
            users.0,
            users.1,
        ));
    }
}

impl Record {
    /// How a canary looks that is not off.
    fn health(&self, is_comparable: bool) -> Health {
        let judged = || {
            let states = self.states.iter().enumerate();
            states.filter(|(class, _)| self.terms.mode(*class) != Mode::Off).map(|(_, state)| state)
        };
        let is_seen = judged().any(|state| {
            let sums = state.watch.ring.sums();
            sums.canary.0 > 0 && sums.baseline.0 > 0
        });
        if judged().any(|state| state.latch.is_some()) {
            Health::Worse
        } else if judged().any(|state| state.watch.is_suspect()) {
            Health::Suspect
        } else if is_comparable && is_seen {
            Health::Fine
        } else {
            Health::Unknown
        }
    }
}

impl Splitter {
    /// The rollbacks of the splits that have one.
    pub fn rolls(&self) -> impl Iterator<Item = Roll<'_>> {
        self.splits.iter().filter_map(|split| Some(Roll { split, rolling: split.rollback.as_deref()? }))
    }

    /// Whether the rollback of its split judges a request.
    pub(crate) fn is_judged(&self, verdict: &Verdict) -> bool {
        self.rolling(verdict.split).is_some()
    }

    fn rolling(&self, split: usize) -> Option<&Rolling> {
        self.splits.get(split)?.rollback.as_deref()
    }

    /// Watches a request of a split with a rollback; `now` says the microsecond.
    #[inline(never)]
    pub(crate) fn watch(
        &self,
        verdict: &Verdict,
        request: &Request<'_>,
        now: &dyn Fn() -> u64,
    ) -> Option<Box<Watched>> {
        let split = self.splits.get(verdict.split)?;
        let rolling = split.rollback.as_deref()?;
        let (side, share) = rolling.side(verdict.backend, split.baseline)?;
        let open = rolling.series(verdict.backend).map(|series| series.saturating_add(OPEN));
        let counts = matches!(verdict.reason, Reason::Weight | Reason::Random) && !verdict.is_try;
        let counted = counts.then(|| {
            let key = (verdict.reason == Reason::Weight).then_some(verdict.fingerprint);
            let is_grpc = is_grpc(request);
            let is_timed = rolling.times() && is_timed(request, is_grpc);
            let timed = if is_timed { rolling.begins(side, key, share, now()) } else { Timed::No };
            Counts { key, share, is_grpc, timed }
        });
        (open.is_some() || counted.is_some())
            .then(|| Box::new(Watched { split: verdict.split, side, open, counted }))
    }
}

impl Watched {
    /// The response is there; `now` says the microsecond.
    pub fn responds(&mut self, policy: &Splitter, now: &dyn Fn() -> u64) {
        if let Some(rolling) = policy.rolling(self.split) {
            rolling.responds(self, now);
        }
    }

    /// The request has ended; `now` says the microsecond.
    pub fn ends(&self, policy: &Splitter, served: &Served<'_>, now: &dyn Fn() -> u64) {
        if let Some(rolling) = policy.rolling(self.split) {
            rolling.ends(self, served, now);
        }
    }

    /// Whether the gRPC status of its response says something.
    pub fn asks_status(&self) -> bool {
        self.counted.is_some_and(|counted| counted.is_grpc)
    }

    /// Whether it says something how often it was tried.
    pub fn asks_attempts(&self, policy: &Splitter) -> bool {
        self.counted.is_some() && policy.rolling(self.split).is_some_and(Rolling::counts_retries)
    }
}

impl Split {
    /// The same verdict, unless the rollback has switched the backend off. A caller who may choose still
    /// gets there, so that somebody can look at it.
    pub(crate) fn rolled_back(&self, verdict: Verdict) -> Verdict {
        match self.rollback.as_deref() {
            Some(rolling) if verdict.reason != Reason::Override && rolling.is_off(verdict.backend) => {
                let instead_of = Some(verdict.backend);
                Verdict { backend: self.baseline, reason: Reason::Rollback, instead_of, ..verdict }
            }
            _ => verdict,
        }
    }

    /// The backend that a request was turned back from.
    pub(crate) fn turned_back(&self, verdict: &Verdict) -> Option<&[u8]> {
        let from = verdict.instead_of.filter(|_| verdict.reason == Reason::Rollback)?;
        self.backends.get(from).map(|backend| backend.name.as_bytes())
    }
}
