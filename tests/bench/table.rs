//! Figures as tables in Markdown.

use super::calls::{CALLS, TIMES};
use super::figures::{lower_quartile, median, quantile};
use super::memory::{Memory, WORKERS};
use super::peers::{EMPTY, NONE};
use super::section::{Row, Section};

impl Section {
    pub(super) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// What an Envoy without a filter takes for a request.
    pub(super) fn none(&self) -> f64 {
        self.row(NONE).map_or(f64::NAN, |row| lower_quartile(&row.samples))
    }

    /// What a chain adds to that.
    pub(super) fn added(&self, row: &Row) -> f64 {
        lower_quartile(&row.samples) - self.none()
    }
}

/// A table of a section; the name of a chain, what it adds, how that is spread, and how often an
/// empty filter fits into it.
pub(super) fn of_section(section: &Section) -> String {
    let none = section.none();
    let empty = section.row(EMPTY).map_or(f64::NAN, |row| section.added(row));
    let mut text = format!("No filter: {none:.1} µs of the worker for each request.\n\n");
    text.push_str("| chain | adds µs | lowest … median | × empty filter |\n|---|---:|---:|---:|\n");
    for row in section.rows.iter().filter(|row| row.name != NONE) {
        let (lowest, middle) = (quantile(&row.samples, 0.0) - none, median(&row.samples) - none);
        let added = section.added(row);
        text.push_str(&format!(
            "| {} | {added:.1} | {lowest:.1} … {middle:.1} | {:.1} |\n",
            row.name,
            added / empty
        ));
    }
    text
}

/// What one host call costs: what its module takes more than the empty one.
pub(super) fn of_calls(section: &Section) -> String {
    let base = section.row(EMPTY).map_or(f64::NAN, |row| lower_quartile(&row.samples));
    let mut text = String::from("| host call | µs |\n|---|---:|\n");
    for row in CALLS.iter().filter_map(|(name, ..)| section.row(name)) {
        let micros = (lower_quartile(&row.samples) - base) / f64::from(TIMES);
        text.push_str(&format!("| {} | {micros:.2} |\n", row.name));
    }
    text
}

/// What the peers in a section do less than ours.
pub(super) fn notes(section: &Section) -> String {
    let noted = section.rows.iter().filter(|row| !row.note.is_empty());
    noted.map(|row| format!("* {}: {}.\n", row.name, row.note)).collect()
}

pub(super) fn of_memory(memory: &Memory) -> String {
    let mut text = String::from("| MiB over an Envoy without a filter |");
    WORKERS.iter().for_each(|workers| {
        text.push_str(&format!(" {workers} worker{} |", if *workers == 1 { "" } else { "s" }));
    });
    text.push_str("\n|---|---:|---:|---:|\n");
    for (name, held) in &memory.forms {
        let [one, two, four] = held.map(mebibytes);
        text.push_str(&format!("| {name} | +{one:.0} | +{two:.0} | +{four:.0} |\n"));
    }
    let [one, two, four] = memory.bare.map(mebibytes);
    text.push_str(&format!("| (without a filter it holds) | {one:.0} | {two:.0} | {four:.0} |\n"));
    text
}

pub(super) fn of_rules(memory: &Memory) -> String {
    let mut text = String::from(
        "| rules of header-router, one worker | MiB over ten rules | ready after |\n|---:|---:|---:|\n",
    );
    let few = memory.rules.first().map_or(0, |(_, held, _)| *held);
    for (count, held, ready) in &memory.rules {
        text.push_str(&format!("| {count} | +{:.0} | {} ms |\n", mebibytes(held - few), ready.as_millis()));
    }
    text
}

#[allow(clippy::cast_precision_loss, reason = "far below two to the power of 52")]
pub(super) fn mebibytes(kibibytes: i64) -> f64 {
    kibibytes as f64 / 1024.0
}
