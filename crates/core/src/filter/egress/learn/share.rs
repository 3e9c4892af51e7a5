//! The table as bytes, so that it outlives the worker and the module that wrote it.

use super::{Learning, METHODS, Row, Table};
use crate::language::limits;

/// What the bytes begin with. A module that writes another format has another mark. A table with
/// another mark reads as empty.
const MARK: u8 = 2;

/// Bytes of the longest host.
const LONGEST: usize = 255;

/// What is known of a shared table without reading its rows.
struct Head {
    reported: u64,
    dropped: u64,
    dropped_reported: u64,
    named: u64,
    early: (u64, u64),
    /// Rows that no line has reported.
    unreported_rows: u64,
}

impl Table {
    /// The table as bytes, to be shared.
    pub fn encode(&self) -> Vec<u8> {
        let Self { reported, dropped, dropped_reported, named, early, .. } = *self;
        let unreported_rows = self.rows.iter().filter(|row| row.unreported > 0).count();
        let numbers =
            [reported, dropped, dropped_reported, count(named), early.0, early.1, count(unreported_rows)];
        let mut bytes = Vec::with_capacity(
            self.rows.iter().fold(64, |sum, row| row.host.len().saturating_add(40).saturating_add(sum)),
        );
        bytes.push(MARK);
        numbers.into_iter().for_each(|number| write(number, &mut bytes));
        for row in &self.rows {
            write(count(row.host.len()), &mut bytes);
            bytes.extend_from_slice(&row.host);
            let used = row.counts.iter().rev().fold(0, |used, count| used << 1 | u64::from(*count > 0));
            let numbers = [row.first, row.last, row.unreported, u64::from(row.nameless), used];
            let counts = row.counts.iter().filter(|count| **count > 0);
            numbers.iter().chain(counts).for_each(|number| write(*number, &mut bytes));
        }
        bytes
    }

    /// Reads the table from the bytes. What cannot be read is left out.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let Some(head) = Head::read(&mut rest) else { return Self::default() };
        let mut table = Self {
            rows: Vec::new(),
            dropped: head.dropped,
            dropped_reported: head.dropped_reported,
            reported: head.reported,
            named: usize::try_from(head.named).unwrap_or(usize::MAX),
            early: head.early,
        };
        // Anybody may write there.
        while table.rows.len() < limits::LEARN_HOSTS {
            let Some(row) = row(&mut rest) else { break };
            match table.rows.last() {
                Some(last) if last.host >= row.host => table.put(table.find(&row.host), row),
                _ => table.rows.push(row),
            }
        }
        table
    }

    /// Whether a shared table has something to report, and it is time.
    pub fn is_due(bytes: &[u8], now: u64, learning: &Learning) -> bool {
        let mut rest = bytes;
        Head::read(&mut rest).is_some_and(|head| {
            super::report::is_time(head.reported, now, learning)
                && (head.unreported_rows > 0 || head.dropped > head.dropped_reported)
        })
    }
}

impl Head {
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        *bytes = bytes.strip_prefix(&[MARK])?;
        Some(Self {
            reported: read(bytes)?,
            dropped: read(bytes)?,
            dropped_reported: read(bytes)?,
            named: read(bytes)?,
            early: (read(bytes)?, read(bytes)?),
            unreported_rows: read(bytes)?,
        })
    }
}

fn row(bytes: &mut &[u8]) -> Option<Row> {
    let length = usize::try_from(read(bytes)?).ok().filter(|length| *length <= LONGEST)?;
    let (host, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let (first, last, unreported, nameless) = (read(bytes)?, read(bytes)?, read(bytes)?, read(bytes)? > 0);
    // A bit for each method that was used.
    let mut used = read(bytes)?;
    let mut counts = [0; METHODS.len()];
    for count in &mut counts {
        if used & 1 > 0 {
            *count = read(bytes)?;
        }
        used >>= 1;
    }
    Some(Row { host: host.into(), counts, first, last, unreported, nameless })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Writes a number in groups of seven bits, the lowest first (LEB128).
fn write(mut number: u64, bytes: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(*byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
