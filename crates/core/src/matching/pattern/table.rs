//! Matches by a table: two loads for each byte. Most expressions have a small table.

use std::collections::HashMap;

use xxhash_rust::xxh64::Xxh64Builder;

use super::sets::{Classes, Sets};

/// Entries of one table: two bytes each, in every worker.
const ENTRIES: usize = 8 * 1024;
/// About the instructions for one byte of the value.
const STEP: u64 = 40;
/// The same where only a line end is looked for.
const SKIP: u64 = 4;

/// Rows with fixed numbers: nothing can match any more; everything matches; everything without a line
/// end matches. A row is identified by its index among the entries.
const NOTHING: usize = 0;
const ALL: usize = 1;
const LINE: usize = 2;
const KNOWN: usize = 3;

/// All sets that a value can reach.
#[derive(Clone, Debug)]
pub(super) struct Table {
    classes: Classes,
    /// For each row and class the next row's index.
    next: Vec<u16>,
    /// The index of [`LINE`]. A row up to it needs no further lookup; a row beyond it does.
    special: u16,
    start: u16,
    /// By row.
    accepts: Vec<bool>,
    accepts_nothing: bool,
    /// About the instructions for a long value: for each byte, and the most beyond that.
    pub(super) work: (u64, u64),
}

/// A set with a number, and where each class leads from it.
#[derive(Clone, Debug, Default)]
struct Row {
    next: Vec<usize>,
    accepts: bool,
}

impl Table {
    /// Bytes that it takes at most.
    pub(super) fn weight(&self) -> usize {
        let entries = self.next.len().saturating_mul(2);
        entries.saturating_add(self.accepts.len()).saturating_add(512)
    }

    /// The table of an expression, if it is small.
    pub(super) fn of(sets: &Sets) -> Option<Self> {
        if !sets.is_unconditional() {
            return None;
        }
        let count = sets.classes.count;
        let most = ENTRIES.checked_div(count)?.checked_sub(KNOWN)?;
        let mut known: HashMap<Vec<u64>, usize, Xxh64Builder> = HashMap::default();
        // Sets whose next byte has not been taken yet.
        let mut waiting = vec![sets.start(b"")];
        let mut rows: Vec<Row> = vec![Row::default()];
        let mut done = 0usize;
        while let Some(set) = waiting.get(done).cloned() {
            let mut next = Vec::with_capacity(count);
            for class in 0..count {
                let mut taken = set.clone();
                if !sets.take(&mut taken, class) {
                    next.push(None);
                    continue;
                }
                let number = known.get(&taken).copied().unwrap_or_else(|| {
                    let mut after = vec![0; taken.len()];
                    sets.step(&taken, &mut after);
                    rows.push(Row { next: Vec::new(), accepts: sets.accepts(&taken, b"") });
                    waiting.push(after);
                    let number = waiting.len().saturating_sub(1);
                    known.insert(taken, number);
                    number
                });
                next.push(Some(number));
            }
            if waiting.len() > most {
                return None;
            }
            if let Some(row) = rows.get_mut(done) {
                // Numbers are one higher here: 0 is the empty set.
                row.next = next
                    .into_iter()
                    .map(|next| next.map_or(0, |next: usize| next.saturating_add(1)))
                    .collect();
            }
            done = done.saturating_add(1);
        }
        Some(Self::from_rows(sets, &rows))
    }

    fn from_rows(sets: &Sets, rows: &[Row]) -> Self {
        let classes = sets.classes.clone();
        let count = classes.count;
        let line_end: Vec<usize> = {
            let class = classes.get(b'\n');
            if classes.bytes(class).count() == 1 { vec![class] } else { Vec::new() }
        };
        // A row that every byte leads back to; or every byte but a line end, which leads to no match.
        let known = |index: usize, row: &Row| {
            let own = index.saturating_add(1);
            let stays = |but: &[usize]| {
                row.next
                    .iter()
                    .enumerate()
                    .all(|(class, next)| *next == if but.contains(&class) { 0 } else { own })
            };
            if !row.accepts || index == 0 {
                None
            } else if stays(&[]) {
                Some(ALL)
            } else if !line_end.is_empty() && stays(&line_end) {
                Some(LINE)
            } else {
                None
            }
        };
        let mut numbers = vec![NOTHING];
        let mut kept = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            numbers.push(known(index, row).unwrap_or_else(|| {
                kept.push(row);
                kept.len().saturating_add(KNOWN).saturating_sub(1)
            }));
        }
        let index = |number: usize| u16::try_from(number.saturating_mul(count)).unwrap_or_default();
        let number = |next: usize| numbers.get(next).copied().unwrap_or(NOTHING);
        let mut next = vec![0; KNOWN.saturating_mul(count)];
        let mut accepts = vec![false, true, true];
        let graph: Vec<Vec<usize>> =
            kept.iter().map(|row| row.next.iter().map(|next| number(*next)).collect()).collect();
        for (row, leads) in kept.iter().zip(&graph) {
            next.extend(leads.iter().map(|number| index(*number)));
            accepts.push(row.accepts);
        }
        Self {
            next,
            special: index(LINE),
            start: index(number(1)),
            accepts,
            accepts_nothing: sets.matches(b""),
            work: work(&graph),
            classes,
        }
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        if value.is_empty() {
            return self.accepts_nothing;
        }
        let mut row = self.start;
        let mut rest = value.iter();
        while row > self.special {
            let Some(byte) = rest.next() else { break };
            let index = usize::from(row).saturating_add(self.classes.get(*byte));
            row = self.next.get(index).copied().unwrap_or_default();
        }
        let number = usize::from(row).checked_div(self.classes.count).unwrap_or_default();
        let is_fine = number != LINE || !rest.as_slice().contains(&b'\n');
        is_fine && self.accepts.get(number).copied().unwrap_or_default()
    }

    /// The text that every matching value starts with.
    pub(super) fn prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::new();
        let mut row = self.start;
        let is_accepted = |row: u16| {
            let number = usize::from(row).checked_div(self.classes.count).unwrap_or_default();
            self.accepts.get(number).copied().unwrap_or_default()
        };
        while row > self.special && (prefix.is_empty() || !is_accepted(row)) && prefix.len() < PREFIX {
            let from = usize::from(row);
            let leads = self.next.iter().skip(from).take(self.classes.count).enumerate();
            let mut leads = leads.filter(|(_, next)| **next != 0);
            let (Some((class, next)), None) = (leads.next(), leads.next()) else { break };
            let mut bytes = self.classes.bytes(class);
            let (Some(byte), None) = (bytes.next(), bytes.next()) else { break };
            prefix.push(byte);
            row = *next;
        }
        prefix
    }
}

/// Bytes of a prefix that are worth knowing.
const PREFIX: usize = 64;

/// What each byte of a long value costs, and the most that a value costs beyond that, for rows that
/// lead to these numbers. If no row leads back, matching stops within the longest way through the rows.
/// The rows with fixed numbers do not count as leading back.
fn work(graph: &[Vec<usize>]) -> (u64, u64) {
    let mut before = vec![0usize; graph.len()];
    let own = |number: &usize| number.checked_sub(KNOWN);
    for index in graph.iter().flatten().filter_map(own) {
        if let Some(before) = before.get_mut(index) {
            *before = before.saturating_add(1);
        }
    }
    let mut open: Vec<(usize, u64)> =
        before.iter().enumerate().filter(|(_, before)| **before == 0).map(|(index, _)| (index, 1)).collect();
    let mut done = 0usize;
    let mut longest = 1;
    while let Some((index, length)) = open.get(done).copied() {
        done = done.saturating_add(1);
        longest = longest.max(length);
        for index in graph.get(index).into_iter().flatten().filter_map(own) {
            if let Some(before) = before.get_mut(index) {
                *before = before.saturating_sub(1);
                if *before == 0 {
                    // In this order, the last row that leads here is the farthest from the start, or
                    // equally far.
                    open.push((index, length.saturating_add(1)));
                }
            }
        }
    }
    let skips = graph.iter().flatten().any(|number| *number == LINE);
    let each = if done < graph.len() {
        STEP
    } else if skips {
        SKIP
    } else {
        0
    };
    (each, longest.saturating_mul(STEP))
}
