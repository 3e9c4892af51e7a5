//! `narrows diff`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Output, policy};
use crate::diff::{self, MoveKind, SplitDiff};
use crate::filter::Filter;
use crate::finding::Failure;
use crate::shown;
use crate::source::Source;

/// Say who moves from where to where between two canary-split policies
///
/// Counts all 1,000,000 buckets. Exit code 1 if anyone who was sent to a canary is sent
/// back or to another one.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy in force
    old: PathBuf,
    /// The policy that is to take its place
    new: PathBuf,
    /// Keys to look at one by one: a file with one on each line
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Exit with 0 even if anyone is sent back, as a rollback does
    #[arg(long)]
    allow_back: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let load = |path: &PathBuf| policy(path, Some(Filter::CanarySplit), self.format);
        let (old, new) = match (load(&self.old)?, load(&self.new)?) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(done), _) | (_, Err(done)) => return Ok(done),
        };
        let (Some(from), Some(to)) = (old.policy.splitter(), new.policy.splitter()) else {
            let other = if old.policy.splitter().is_none() { old.filter } else { new.filter };
            return Err(Failure::new(
                format!("a policy of {} has no buckets to compare", other.name()),
                "give two policies of canary-split",
            ));
        };
        let keys = self.keys.as_deref().map(Source::read).transpose()?;
        let keys: Vec<&str> =
            keys.iter().flat_map(|source| source.text.lines()).filter(|k| !k.is_empty()).collect();
        let splits = diff::splits(from, to, &keys);
        let notes = diff::notes(&old.node, &new.node);
        let output = match self.format {
            Output::Text => text(&splits, &notes, self.keys.is_some().then_some(keys.len())),
            Output::Json => {
                let splits: Vec<_> = splits.iter().map(SplitDiff::json).collect();
                format!("{:#}\n", json!({ "splits": splits, "notes": notes }))
            }
        };
        let findings = !self.allow_back && splits.iter().any(SplitDiff::takes_back);
        Ok(Done { findings, ..Done::clean(output) })
    }
}

fn text(splits: &[SplitDiff], notes: &[String], keys: Option<usize>) -> String {
    let mut text = String::new();
    for split in splits {
        text.push_str(&format!("split {}\n", split.name));
        if let Some((from, to)) = split.mode {
            let (from, to) = (diff::word(from), diff::word(to));
            text.push_str(&format!("  the mode changes from {from} to {to}\n"));
        }
        if let Some(why) = split.redrawn {
            text.push_str(&format!("  {why}: everyone is drawn anew, so these are expected numbers\n"));
        }
        if split.moves.is_empty() {
            text.push_str("  nobody moves\n");
        }
        let width =
            |of: fn(&diff::Move) -> &str| split.moves.iter().map(|m| of(m).len()).max().unwrap_or_default();
        let (from, to) = (width(|m| &m.from), width(|m| &m.to));
        for one in &split.moves {
            let mark = match one.kind {
                MoveKind::Forward => "",
                MoveKind::Back => "  sent back",
                MoveKind::Across => "  sent to another canary",
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
            text.push_str(&format!("    {}: {} -> {}\n", shown::word(&key.key), key.from, key.to));
        }
    }
    for note in notes {
        text.push_str(&format!("note: {note}, which is not in these numbers\n"));
    }
    let back = splits.iter().any(SplitDiff::takes_back);
    text.push_str(if back { "someone is taken off a canary\n" } else { "nobody is sent back\n" });
    text
}
