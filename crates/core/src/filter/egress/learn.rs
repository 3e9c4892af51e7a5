//! `learn`: remembers destinations that no rule names.
//!
//! The table is bounded in size. Each worker notes what it sees in a table of its own. Now and then it
//! merges that table into one that all workers of the proxy share, as bytes. So a table outlives the
//! worker and the module that wrote it.
//!
//! Nobody can hide by filling it. Before a host is forgotten that no line has reported, a line reports
//! it, as often as [`limits::LEARN_LINES`] allows. Beyond that, the hosts that were asked for least are
//! forgotten first, and among equals a hash of the time chooses.

mod report;
mod share;

use crate::language::describe::{Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::order::{hash_of, merged};
use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Series};
use crate::wire::methods;

/// How much is remembered, and how often it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learning {
    max_hosts: usize,
    /// Milliseconds from one line in the log to the next.
    log_every: u64,
    encoding: LabelEncoding,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Sorted by host.
    rows: Vec<Row>,
    /// Requests to hosts for which there was no room, or that were forgotten before a line reported
    /// them.
    dropped: u64,
    /// How many of these a line has reported.
    dropped_reported: u64,
    /// When the table was last reported, in milliseconds since the epoch.
    reported: u64,
    /// How many hosts have had a series of their own.
    named: usize,
    /// The minute in which lines were last written before their time, and how many of them.
    early: (u64, u64),
}

/// What was seen of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    host: Box<[u8]>,
    /// Requests by method, in the order of [`METHODS`]. The last counts every other method.
    counts: [u64; METHODS.len()],
    first: u64,
    last: u64,
    /// Requests that no line has reported. The time of the last line would not do: one worker may share
    /// a request after another worker has reported a later one.
    unreported: u64,
    /// Whether it has no series of its own. Envoy keeps a series as long as the VM
    /// that made it, so series are limited.
    nameless: bool,
}

/// The methods that are counted apart. The last is every other method.
pub const METHODS: [&str; 11] = {
    let [get, head, post, put, delete, connect, options, trace, patch, query] = methods::METHODS;
    [get, head, post, put, delete, connect, options, trace, patch, query, "OTHER"]
};
/// The destination under which hosts without a series of their own are counted.
const OTHER: &[u8] = b"other";

/// `learn` of a policy.
pub(super) static LEARN: Object = object!(
    "learn",
    Any,
    "Counts and logs the hosts that no rule names.",
    [],
    [
        field!("maxHosts", Count(1, limits::LEARN_HOSTS), Counts(500), "How many hosts are remembered."),
        field!(
            "logEvery",
            Duration(*limits::LEARN_EVERY.start(), *limits::LEARN_EVERY.end()),
            Says("60s"),
            "The time from one line of the log to the next."
        ),
    ],
);

impl Learning {
    pub(super) fn read(tree: &PolicyValue, encoding: LabelEncoding) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &LEARN)?;
        let most = i64::try_from(limits::LEARN_HOSTS).unwrap_or(i64::MAX);
        let max_hosts = fields.optional("maxHosts", |t| read::integer(t, 1..=most))?;
        Ok(Self {
            max_hosts: max_hosts.and_then(|max| usize::try_from(max).ok()).unwrap_or(500),
            log_every: fields
                .optional("logEvery", |t| read::millis(t, limits::LEARN_EVERY))?
                .unwrap_or(60_000),
            encoding,
        })
    }

    /// Bytes that the remembered hosts may take.
    pub(super) fn weight(&self) -> usize {
        self.max_hosts.saturating_mul(768)
    }

    /// The series of one host.
    pub fn series(&self, host: &[u8]) -> Series {
        let host = String::from_utf8_lossy(host);
        let label = Label { name: "destination", stock: BuiltinTag::Component, value: &host };
        Series::new(Kind::Counter, self.encoding, "narrows_egress_unlisted_total", &[label])
    }

    /// The gauge of how many hosts are remembered.
    pub fn hosts_series(&self) -> Series {
        Series::new(Kind::Gauge, self.encoding, "narrows_egress_learned_hosts", &[])
    }

    /// The counter of requests to hosts for which there was no room.
    pub fn dropped_series(&self) -> Series {
        Series::new(Kind::Counter, self.encoding, "narrows_egress_learn_dropped_total", &[])
    }
}

impl Table {
    /// Notes one request, at `now` in milliseconds since the epoch, in a worker's own table. Returns
    /// whether the table is full now and must be merged into the shared one before the next host. A new
    /// host that finds the table full is dropped.
    pub fn note(&mut self, host: &[u8], method: &[u8], now: u64) -> bool {
        let method = METHODS
            .iter()
            .position(|known| known.as_bytes() == method)
            .unwrap_or(METHODS.len().saturating_sub(1));
        let mut counts = [0; METHODS.len()];
        if let Some(count) = counts.get_mut(method) {
            *count = 1;
        }
        let is_full = |rows: usize| rows >= limits::LEARN_UNSHARED;
        match self.find(host) {
            Err(_) if is_full(self.rows.len()) => self.dropped = self.dropped.saturating_add(1),
            found => {
                let host = host.into();
                self.put(found, Row { host, counts, first: now, last: now, unreported: 1, nameless: true });
            }
        }
        is_full(self.rows.len())
    }

    /// Adds what another table saw. Returns what to count, by destination. Afterwards there may be more
    /// rows than may stay: [`Table::report`] comes before [`Table::forget`].
    pub fn merge(&mut self, other: &Self, learning: &Learning) -> Vec<(Box<[u8]>, u64)> {
        let mut taken = Vec::with_capacity(other.rows.len());
        let mut of_others: u64 = 0;
        for row in &other.rows {
            let found = self.find(&row.host);
            let known = found.ok().and_then(|at| self.rows.get(at));
            let nameless = known.map_or(self.named >= learning.max_hosts, |known| known.nameless);
            if known.is_none() && !nameless {
                self.named = self.named.saturating_add(1);
            }
            if nameless {
                of_others = of_others.saturating_add(row.requests());
            } else {
                taken.push((row.host.clone(), row.requests()));
            }
            self.put(found, Row { nameless, ..row.clone() });
        }
        if of_others > 0 {
            taken.push((OTHER.into(), of_others));
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
        taken
    }

    /// Forgets rows until there are no more than allowed. Rows that have been reported go first, the
    /// oldest of them first. Of the others, the rows that were asked for least go first, and among equals
    /// `chance` decides: whoever fills the table must not be able to foresee which row goes next.
    pub fn forget(&mut self, chance: u64, learning: &Learning) {
        let excess = self.excess(learning);
        if excess == 0 {
            return;
        }
        let luck = |row: &Row| hash_of(&chance.to_le_bytes(), &row.host);
        let key = |row: &Row| match row.unreported {
            0 => (false, row.last, 0),
            unreported => (true, unreported, luck(row)),
        };
        let order: Vec<_> = self.rows.iter().enumerate().map(|(index, row)| (key(row), index)).collect();
        let order = merged(order, |one, next| one > next);
        let mut goes = vec![false; self.rows.len()];
        for (_, index) in order.into_iter().take(excess) {
            if let Some(goes) = goes.get_mut(index) {
                *goes = true;
            }
        }
        let mut goes = goes.into_iter();
        let dropped = &mut self.dropped;
        self.rows.retain(|row| {
            let goes = goes.next().unwrap_or_default();
            if goes {
                *dropped = dropped.saturating_add(row.unreported);
            }
            !goes
        });
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.dropped == 0
    }

    /// How many hosts it holds.
    pub fn hosts(&self) -> usize {
        self.rows.len()
    }

    /// How many requests found no room, or were forgotten before a line reported them.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many rows must go.
    fn excess(&self, learning: &Learning) -> usize {
        self.rows.len().saturating_sub(learning.max_hosts)
    }

    fn find(&self, host: &[u8]) -> Result<usize, usize> {
        self.rows.binary_search_by(|known| (*known.host).cmp(host))
    }

    /// Adds a row to the one that was found, or inserts it in its place.
    fn put(&mut self, found: Result<usize, usize>, row: Row) {
        match found {
            Ok(at) => {
                if let Some(known) = self.rows.get_mut(at) {
                    known.add(&row);
                }
            }
            Err(at) => self.rows.insert(at, row),
        }
    }
}

impl Row {
    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.unreported = self.unreported.saturating_add(other.unreported);
    }

    fn requests(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}
