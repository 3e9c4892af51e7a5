//! What the demo prints: the only place that does.
#![expect(clippy::print_stdout, reason = "the demo is for people who watch a terminal")]

use std::collections::BTreeMap;

/// Columns of a full bar.
const WIDTH: usize = 50;

pub(super) fn say(text: &str) {
    println!("{text}");
}

pub(super) fn heading(text: &str) {
    println!("\n{text}\n{}", "─".repeat(text.chars().count()));
}

/// One bar for each side, as long as its part of `total`.
pub(super) fn bars(sides: &BTreeMap<String, usize>, total: usize) {
    for (name, count) in sides {
        let full = (count * WIDTH).div_ceil(total.max(1));
        let permille = count * 1000 / total.max(1);
        println!(
            "    {name:8} {}{} {count:6}  {:>3}.{} %",
            "█".repeat(full),
            "░".repeat(WIDTH.saturating_sub(full)),
            permille / 10,
            permille % 10
        );
    }
}

/// A count with its labels before it.
pub(super) fn row(labels: &str, count: usize) {
    println!("    {labels:58} {count:6}");
}

/// A call and what became of it.
pub(super) fn row_of(call: &str, told: &str) {
    println!("    {call:72} {told}");
}

pub(super) fn verdict(what: &str, broken: Option<&str>) {
    match broken {
        None => println!("  ✓ {what}"),
        Some(how) => println!("  ✗ {what}\n      {how}"),
    }
}
