//! The table as text, so that a table outlives the worker and the module that wrote it.

use std::fmt::Write as _;

use super::{Learning, METHODS, Row, Table};

impl Table {
    /// The table as text, to be shared. A later module adds words behind these.
    pub fn encode(&self) -> Vec<u8> {
        let Self { told, dropped, dropped_told, named, .. } = self;
        let mut text = format!("{told} {dropped} {dropped_told} {named}\n");
        for row in &self.rows {
            text.push_str(&String::from_utf8_lossy(&row.host));
            for number in [row.first, row.last].iter().chain(&row.counts) {
                _ = write!(text, " {number}");
            }
            _ = writeln!(text, " {} {}", row.untold, u8::from(row.nameless));
        }
        text.into_bytes()
    }

    /// The table in a text; what cannot be read is left out.
    pub fn decode(text: &[u8], learning: &Learning) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let mut words = numbers(lines.next().unwrap_or_default());
        let mut next = || words.next().unwrap_or_default();
        let (told, dropped, dropped_told, named) = (next(), next(), next(), next());
        let named = usize::try_from(named).unwrap_or(usize::MAX);
        let mut table = Self { rows: Vec::new(), dropped, dropped_told, told, named };
        for line in lines {
            let (host, rest) = line.split_once(' ').unwrap_or((line, ""));
            let mut words = numbers(rest);
            let mut next = || words.next().unwrap_or_default();
            let (first, last) = (next(), next());
            let mut counts = [0; METHODS.len()];
            counts.fill_with(&mut next);
            let (untold, nameless) = (next(), next() > 0);
            let row = Row { host: host.as_bytes().into(), counts, first, last, untold, nameless };
            table.put(table.find(&row.host), row);
        }
        table.forget(learning);
        table
    }
}

fn numbers(words: &str) -> impl Iterator<Item = u64> {
    words.split(' ').map(|word| word.parse().unwrap_or_default())
}
