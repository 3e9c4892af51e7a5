//! A difference, for people.

use std::collections::BTreeMap;

use super::Difference;
use narrows_core::moment;

use crate::diff::{self, Decided, HostDiff, Move, MoveKind, Redrawn, SeriesDiff, SplitDiff};
use crate::escape;

pub(super) fn of(difference: &Difference) -> String {
    let mut text = String::new();
    for one in &difference.splits {
        split(&mut text, one, difference.keys);
    }
    for note in &difference.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    if !difference.notes.is_empty() {
        text.push_str("the numbers above do not include what the notes say\n");
    }
    for change in &difference.rules {
        text.push_str(&format!("{}\n", escape::line(change)));
    }
    hosts(&mut text, &difference.hosts);
    series(&mut text, &difference.series);
    match &difference.requests {
        Some(decided) => requests(&mut text, decided),
        None if !difference.rules.is_empty() || difference.matches => {
            text.push_str("--requests FILE shows which requests are decided otherwise\n");
        }
        None => {}
    }
    if !difference.splits.is_empty() || difference.may_lose {
        verdict(&mut text, &difference.splits, difference.may_lose, difference.loses());
    }
    if text.is_empty() {
        text.push_str("no difference\n");
    }
    text
}

/// Which users move, and whether any is sent back.
pub(in crate::command) fn splits(splits: &[SplitDiff]) -> String {
    let mut text = String::new();
    splits.iter().for_each(|one| split(&mut text, one, None));
    verdict(&mut text, splits, false, false);
    text
}

fn split(text: &mut String, split: &SplitDiff, keys: Option<usize>) {
    text.push_str(&format!("split {}\n", split.name));
    if let Some(at) = split.at {
        text.push_str(&format!("  its ramps are compared as they are at {}\n", moment::utc(at)));
    }
    if let Some((from, to)) = split.mode {
        let (from, to) = (diff::word(from), diff::word(to));
        text.push_str(&format!("  the mode changes from {from} to {to}\n"));
    }
    if let Some(why) = split.redrawn {
        let what = match why {
            Redrawn::Form => "a user whose key is another one then gets a new bucket; --keys shows whom",
            Redrawn::Salt | Redrawn::Key => "every user gets a new bucket, so these are expected numbers",
        };
        text.push_str(&format!("  {}: {what}\n", why.as_str()));
    }
    if split.moves.is_empty() && split.redrawn != Some(Redrawn::Form) {
        text.push_str("  nobody moves\n");
    }
    let width = |of: fn(&Move) -> &str| split.moves.iter().map(|m| of(m).len()).max().unwrap_or_default();
    let (from, to) = (width(|m| &m.from), width(|m| &m.to));
    for one in &split.moves {
        let mark = match one.kind {
            MoveKind::Forward => "",
            MoveKind::Back | MoveKind::Across if split.is_keyless => "",
            MoveKind::Back => "  sent back",
            MoveKind::Across => "  sent to another canary",
            MoveKind::Elsewhere => "  another destination",
        };
        text.push_str(&format!(
            "  {:from$} -> {:to$}  {:>7} of 1000000  {:>8} %{mark}\n",
            one.from,
            one.to,
            one.buckets,
            format!("{}.{:04}", one.buckets / 10_000, one.buckets % 10_000),
        ));
    }
    if let Some(of) = keys {
        text.push_str(&format!("  {} of {of} keys move\n", split.keys.len()));
    }
    for key in &split.keys {
        text.push_str(&format!("    {}: {} -> {}\n", escape::word(&key.key), key.from, key.to));
    }
}

fn hosts(text: &mut String, hosts: &[HostDiff]) {
    let width = hosts.iter().map(|one| one.host.len()).max().unwrap_or_default();
    for one in hosts {
        let now = if one.allowed { "newly allowed" } else { "newly denied " };
        let host = escape::line(&one.host);
        text.push_str(&format!("{now}  {host:width$}  such as {}\n", one.example));
    }
}

/// Series by their metric: a policy may have thousands.
fn series(text: &mut String, series: &SeriesDiff) {
    for (sign, names) in [('+', &series.appear), ('-', &series.go)] {
        let mut metrics: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names {
            *metrics.entry(metric(name)).or_default() += 1;
        }
        for (metric, count) in metrics {
            let noun = if count == 1 { "series" } else { "series of" };
            let count = if count == 1 { String::new() } else { format!("{count} ") };
            text.push_str(&format!("{sign} {count}{noun} {}\n", escape::line(metric)));
        }
    }
}

/// The metric in the name of a series, behind its labels.
fn metric(series: &str) -> &str {
    match series.rsplit_once(";.;") {
        Some((_, metric)) => metric,
        None if series.contains('{') => series,
        None => series.rsplit('.').next().unwrap_or(series),
    }
}

fn requests(text: &mut String, decided: &Decided) {
    text.push_str(&format!("{} of {} requests are decided otherwise\n", decided.changed, decided.count));
    for one in decided.transitions() {
        text.push_str(&format!("  {:>7}  {} -> {}\n", one.count, one.from, one.to));
    }
    if decided.lost > 0 {
        text.push_str(&format!("  {:>7}  taken off a canary\n", decided.lost));
    }
    for one in &decided.listed {
        text.push_str(&format!("  {}  {}\n    - {}\n    + {}\n", one.number, one.title, one.old, one.new));
    }
    let shown = u64::try_from(decided.listed.len()).unwrap_or(u64::MAX);
    if decided.changed > shown {
        text.push_str(&format!("  {} more: --list shows them\n", decided.changed - shown));
    }
}

/// `may_lose`: a user may be taken off a canary, and no number shows whether one is. `loses`: a request
/// that was given is.
fn verdict(text: &mut String, splits: &[SplitDiff], may_lose: bool, loses: bool) {
    let (keyless, keyed): (Vec<_>, Vec<_>) = splits.iter().partition(|split| split.is_keyless);
    let moves = || keyed.iter().flat_map(|split| &split.moves);
    let elsewhere = splits.iter().flat_map(|split| &split.moves).any(|one| one.kind == MoveKind::Elsewhere);
    let has = |kind| moves().any(|one| one.kind == kind);
    let may = may_lose || splits.iter().any(SplitDiff::may_take_back);
    let is_back = loses || has(MoveKind::Back) || has(MoveKind::Across);
    let verdicts = [
        (is_back, "someone is taken off a canary\n"),
        (elsewhere, "someone is served by another destination\n"),
        // Where it is certain, nobody asks whether it may be.
        (may && !is_back && !elsewhere, "someone may be sent back\n"),
        (
            !may && !loses && !keyed.is_empty() && moves().all(|one| one.kind == MoveKind::Forward),
            "nobody is sent back\n",
        ),
        (
            keyless.iter().any(|split| !split.moves.is_empty()),
            "without a key each request is drawn by itself: only \"include\" and \"override\" give a user a side\n",
        ),
    ];
    verdicts.iter().filter(|(is_so, _)| *is_so).for_each(|(_, verdict)| text.push_str(verdict));
}
