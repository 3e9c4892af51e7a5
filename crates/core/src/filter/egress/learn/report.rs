//! The lines in the log: what is new, and a policy that allows it.

use std::fmt::Write as _;

use super::{Learning, METHODS, Row, Table};
use crate::language::limits;
use crate::order::merged;

/// Bytes of hosts and rules in one line. Container runtimes cut a line at 16 kB, and a
/// log in JSON escapes every quote.
const ROOM: usize = 12 * 1024;

/// Whether the next line is due. A clock that was set back must not silence it for years.
pub(super) fn is_time(reported: u64, now: u64, learning: &Learning) -> bool {
    now.abs_diff(reported) >= learning.log_every
}

impl Table {
    /// The lines for the log. There is one line if it is time and something was seen since the last
    /// one. Before that time there are as many lines as it takes to report what must be forgotten,
    /// within bounds. The next line reports what these have no room for.
    pub fn report(&mut self, now: u64, learning: &Learning) -> Vec<String> {
        let mut lines = Vec::new();
        if is_time(self.reported, now, learning) {
            lines.extend(self.line());
            if !lines.is_empty() {
                self.reported = now;
            }
        }
        // What has been reported is forgotten first.
        let must_report = |table: &Self| {
            let reported = table.rows.iter().filter(|row| row.unreported == 0).count();
            table.excess(learning) > reported
        };
        while must_report(self) && self.is_early_allowed(now) {
            lines.extend(self.line());
        }
        lines
    }

    /// Takes one of the early lines of this minute, if one is left.
    fn is_early_allowed(&mut self, now: u64) -> bool {
        let minute = now / 60_000;
        let before = if self.early.0 == minute { self.early.1 } else { 0 };
        self.early = (minute, before.saturating_add(1));
        before < limits::LEARN_LINES
    }

    /// A line, if there is anything to report.
    fn line(&mut self) -> Option<String> {
        let order = self.by_age();
        let unreported_rows = order.iter().filter(|(unreported, ..)| *unreported).count();
        let dropped = self.dropped.saturating_sub(self.dropped_reported);
        if unreported_rows == 0 && dropped == 0 {
            return None;
        }
        let (mut reported, mut rules) = (String::new(), String::new());
        let (mut new, mut allowed) = (0usize, 0usize);
        // What is new comes first, the oldest first. Then the policy takes what was reported before.
        let (before, unreported) = order.split_at(order.len().saturating_sub(unreported_rows));
        for (is_new, _, index) in unreported.iter().chain(before.iter().rev()) {
            let Some(row) = self.rows.get_mut(*index) else { continue };
            let entry = if *is_new { row.entry() } else { String::new() };
            let rule = row.rule(allowed.saturating_add(1));
            if reported
                .len()
                .saturating_add(rules.len())
                .saturating_add(entry.len())
                .saturating_add(rule.len())
                > ROOM
            {
                break;
            }
            allowed = allowed.saturating_add(1);
            append(&mut rules, ",", &rule);
            if *is_new {
                new = new.saturating_add(1);
                append(&mut reported, ", ", &entry);
                row.unreported = 0;
            }
        }
        let hosts = self.rows.len();
        let mut line =
            format!("{hosts} unlisted destinations, {unreported_rows} asked for since the last line");
        if new > 0 {
            append(&mut line, ": ", &reported);
        }
        if unreported_rows > new {
            _ = write!(line, ", and {} for the next line", unreported_rows.saturating_sub(new));
        }
        if dropped > 0 {
            _ = write!(line, "; {dropped} requests to more hosts than \"maxHosts\"");
        }
        if allowed > 0 {
            line.push_str("; a policy that allows ");
            if allowed < hosts {
                _ = write!(line, "{allowed} of ");
            }
            line.push_str(r#"them: {"filter":"egress-policy","default":"deny","rules":["#);
            line.push_str(&rules);
            line.push_str("]}");
        }
        self.dropped_reported = self.dropped;
        Some(line)
    }

    /// For every row: whether it has something to report, when it was last seen, and its index. Rows
    /// that have been reported come first, each group with the oldest first.
    fn by_age(&self) -> Vec<(bool, u64, usize)> {
        let rows = self.rows.iter().enumerate();
        let ages: Vec<_> = rows.map(|(index, row)| (row.unreported > 0, row.last, index)).collect();
        merged(ages, |one, next| one > next)
    }
}

fn append(text: &mut String, separator: &str, more: &str) {
    if !text.is_empty() {
        text.push_str(separator);
    }
    text.push_str(more);
}

impl Row {
    fn methods(&self) -> impl Iterator<Item = (&'static str, u64)> {
        METHODS.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// `a.example (GET 3, POST 1, first 1700000000, last 1700000060)`, in seconds
    /// since the epoch.
    fn entry(&self) -> String {
        let mut entry = String::from_utf8_lossy(&self.host).into_owned();
        entry.push_str(" (");
        for (method, count) in self.methods() {
            _ = write!(entry, "{method} {count}, ");
        }
        _ = write!(entry, "first {}, last {})", self.first / 1000, self.last / 1000);
        entry
    }

    /// A rule that allows what was seen, for a person to read and to shorten.
    fn rule(&self, number: usize) -> String {
        let host = String::from_utf8_lossy(&self.host);
        let mut rule = format!(r#"{{"name":"learned-{number}","action":"allow","to":{{"hosts":["{host}"]"#);
        // Of an unknown method nothing is known but that it is used.
        if self.counts.last() == Some(&0) {
            let mut methods = String::new();
            for (method, _) in self.methods() {
                append(&mut methods, ",", "\"");
                methods.push_str(method);
                methods.push('"');
            }
            _ = write!(rule, r#","methods":[{methods}]"#);
        }
        rule.push_str("}}");
        rule
    }
}
