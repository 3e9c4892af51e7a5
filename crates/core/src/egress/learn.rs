//! `learn`: destinations that no rule names, remembered.
//!
//! A table of bounded size. Each worker notes what it sees in a table of its own and
//! now and then merges it into one that all workers of the proxy share, as text, so
//! that a table outlives the worker and the module that wrote it.

use std::fmt::Write as _;

use crate::invalid::{Code, Invalid};
use crate::limits;
use crate::read::{self, Fields};
use crate::series::{Grammar, Kind, Label, Series, Stock};
use crate::tree::Tree;

/// How much is remembered, and how often it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learning {
    max_hosts: usize,
    /// Milliseconds from one line in the log to the next.
    log_every: u64,
    grammar: Grammar,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Sorted by host.
    rows: Vec<Row>,
    /// Requests to hosts for which there was no room.
    dropped: u64,
    /// When the table was last told, in milliseconds since the epoch.
    told: u64,
}

/// What was seen of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    host: Box<[u8]>,
    /// Requests by method, in the order of [`METHODS`]; the last is every other.
    counts: [u64; METHODS.len()],
    first: u64,
    last: u64,
}

const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "OTHER"];
/// Hosts that one line in the log names; the policy in it names them all.
const ROWS_TOLD: usize = 50;

impl Learning {
    pub(super) fn read(tree: &Tree, grammar: Grammar) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["maxHosts", "logEvery"])?;
        let most = i64::try_from(limits::LEARN_HOSTS).unwrap_or(i64::MAX);
        let max_hosts = fields.optional("maxHosts", |t| read::integer(t, 1..=most))?;
        Ok(Self {
            max_hosts: max_hosts.and_then(|max| usize::try_from(max).ok()).unwrap_or(500),
            log_every: fields.optional("logEvery", interval)?.unwrap_or(60_000),
            grammar,
        })
    }

    /// The series of one host.
    pub fn series(&self, host: &[u8]) -> Series {
        let host = String::from_utf8_lossy(host);
        let label = Label { name: "destination", stock: Stock::Component, value: &host };
        Series::new(Kind::Counter, self.grammar, "narrows_egress_unlisted_total", &[label])
    }

    /// The gauge of how many hosts are remembered.
    pub fn hosts_series(&self) -> Series {
        Series::new(Kind::Gauge, self.grammar, "narrows_egress_learned_hosts", &[])
    }

    /// The counter of requests to hosts for which there was no room.
    pub fn dropped_series(&self) -> Series {
        Series::new(Kind::Counter, self.grammar, "narrows_egress_learn_dropped_total", &[])
    }
}

impl Table {
    /// Notes one request, at `now` in milliseconds since the epoch.
    pub fn note(&mut self, host: &[u8], method: &[u8], now: u64, learning: &Learning) {
        let method = METHODS
            .iter()
            .position(|known| known.as_bytes() == method)
            .unwrap_or(METHODS.len().saturating_sub(1));
        let mut counts = [0; METHODS.len()];
        if let Some(count) = counts.get_mut(method) {
            *count = 1;
        }
        self.add(Row { host: host.into(), counts, first: now, last: now }, learning);
    }

    /// Adds what another table saw. Returns what was taken of it, by host.
    pub fn merge(&mut self, other: &Self, learning: &Learning) -> Vec<(Box<[u8]>, u64)> {
        let taken = other.rows.iter().filter(|row| self.add((*row).clone(), learning));
        let taken = taken.map(|row| (row.host.clone(), row.requests())).collect();
        self.dropped = self.dropped.saturating_add(other.dropped);
        taken
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.dropped == 0
    }

    /// How many hosts it holds.
    pub fn hosts(&self) -> usize {
        self.rows.len()
    }

    /// How many requests found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn add(&mut self, row: Row, learning: &Learning) -> bool {
        match self.rows.binary_search_by(|known| known.host.cmp(&row.host)) {
            Ok(at) => {
                if let Some(known) = self.rows.get_mut(at) {
                    known.add(&row);
                }
                true
            }
            Err(at) if self.rows.len() < learning.max_hosts => {
                self.rows.insert(at, row);
                true
            }
            Err(_) => {
                self.dropped = self.dropped.saturating_add(row.requests());
                false
            }
        }
    }

    /// The line for the log, if it is time and something was seen since the last one.
    pub fn tell(&mut self, now: u64, learning: &Learning) -> Option<String> {
        let news: Vec<&Row> = self.rows.iter().filter(|row| row.last > self.told).collect();
        if now.saturating_sub(self.told) < learning.log_every || news.is_empty() {
            return None;
        }
        let mut line = format!(
            "{} unlisted destinations, {} asked for since the last line: ",
            self.rows.len(),
            news.len()
        );
        for (i, row) in news.iter().take(ROWS_TOLD).enumerate() {
            line.push_str(if i == 0 { "" } else { ", " });
            row.tell(&mut line);
        }
        if news.len() > ROWS_TOLD {
            line.push_str(", …");
        }
        if self.dropped > 0 {
            _ = write!(line, "; {} requests to more hosts than \"maxHosts\"", self.dropped);
        }
        line.push_str("; a policy that allows them: ");
        line.push_str(&self.policy());
        self.told = now;
        Some(line)
    }

    /// A policy that allows what was seen, for a person to read and to shorten.
    pub fn policy(&self) -> String {
        let mut policy = String::from(r#"{"filter":"egress-policy","default":"deny","rules":["#);
        for (i, row) in self.rows.iter().enumerate() {
            let host = String::from_utf8_lossy(&row.host);
            _ = write!(
                policy,
                r#"{}{{"name":"learned-{}","action":"allow","to":{{"hosts":["{host}"]"#,
                if i == 0 { "" } else { "," },
                i.saturating_add(1)
            );
            // Of an unknown method nothing can be said but that it is used.
            if row.counts.last() == Some(&0) {
                let methods: Vec<String> = row.methods().map(|(method, _)| format!("\"{method}\"")).collect();
                _ = write!(policy, r#","methods":[{}]"#, methods.join(","));
            }
            policy.push_str("}}");
        }
        policy.push_str("]}");
        policy
    }

    /// The table as text, to be shared.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{} {}\n", self.told, self.dropped);
        for row in &self.rows {
            text.push_str(&String::from_utf8_lossy(&row.host));
            for number in [row.first, row.last].iter().chain(&row.counts) {
                _ = write!(text, " {number}");
            }
            text.push('\n');
        }
        text.into_bytes()
    }

    /// The table in a text; what cannot be read is left out.
    pub fn decode(text: &[u8], learning: &Learning) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let mut head =
            lines.next().unwrap_or_default().split(' ').map(|number| number.parse().unwrap_or_default());
        let mut table = Self {
            rows: Vec::new(),
            told: head.next().unwrap_or_default(),
            dropped: head.next().unwrap_or_default(),
        };
        for line in lines {
            let mut words = line.split(' ');
            let host = words.next().unwrap_or_default().as_bytes().into();
            let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
            let (first, last) = (number(), number());
            let mut counts = [0; METHODS.len()];
            counts.fill_with(&mut number);
            table.add(Row { host, counts, first, last }, learning);
        }
        table
    }
}

impl Row {
    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    fn requests(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn methods(&self) -> impl Iterator<Item = (&'static str, u64)> {
        METHODS.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// `a.example (GET 3, POST 1, first 1700000000, last 1700000060)`, in seconds
    /// since the epoch.
    fn tell(&self, line: &mut String) {
        line.push_str(&String::from_utf8_lossy(&self.host));
        line.push_str(" (");
        for (method, count) in self.methods() {
            _ = write!(line, "{method} {count}, ");
        }
        _ = write!(line, "first {}, last {})", self.first / 1000, self.last / 1000);
    }
}

/// Reads `"60s"`, `"5m"` or `"1h"` into milliseconds.
fn interval(tree: &Tree) -> Result<u64, Invalid> {
    let written = read::text(tree)?;
    let parse = || {
        let (digits, unit) = written.split_at_checked(written.len().checked_sub(1)?)?;
        let unit: u64 = match unit {
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(unit).filter(|every| (5_000..=86_400_000).contains(every))
    };
    parse().ok_or_else(|| {
        Invalid::new(
            Code::BadValue,
            format!("{written:?} is no interval"),
            "write \"60s\", from \"5s\" to \"24h\"",
        )
    })
}
