//! `narrows diff`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::loaded::policy;
use super::{Done, Output};
use crate::diff::{self, MoveKind, SplitDiff};
use crate::error::CliError;
use crate::escape;
use crate::filter::Filter;
use crate::source::SourceFile;

/// Compare two canary-split policies: which users change their backend
///
/// Counts all 1,000,000 buckets. The exit code is 1 if a user of a canary goes back to the baseline
/// or to another canary.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy in force
    old: PathBuf,
    /// The policy that will replace it
    new: PathBuf,
    /// A file of keys, one a line, that are looked up one by one
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Exit with 0 even if users go back, as in a rollback
    #[arg(long)]
    allow_back: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let load = |path: &PathBuf| policy(path, Some(Filter::CanarySplit), self.format);
        let (old, new) = match (load(&self.old)?, load(&self.new)?) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(done), _) | (_, Err(done)) => return Ok(done),
        };
        let (Some(from), Some(to)) = (old.policy.splitter(), new.policy.splitter()) else {
            let other = if old.policy.splitter().is_none() { old.filter } else { new.filter };
            return Err(CliError::new(
                format!("a policy of {} has no buckets to compare", other.name()),
                "give two policies of canary-split",
            ));
        };
        let keys = self.keys.as_deref().map(SourceFile::read).transpose()?;
        let keys: Vec<&str> =
            keys.iter().flat_map(|source| source.text.lines()).filter(|k| !k.is_empty()).collect();
        let splits = diff::splits(from, to, &keys);
        let notes = diff::notes(&old.node, &new.node, &splits);
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
            let why = why.as_str();
            text.push_str(&format!("  {why}: every user gets a new bucket, so these are expected numbers\n"));
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
            text.push_str(&format!("    {}: {} -> {}\n", escape::word(&key.key), key.from, key.to));
        }
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    if !notes.is_empty() {
        text.push_str("the numbers above do not include what the notes say\n");
    }
    let back = splits.iter().any(SplitDiff::takes_back);
    text.push_str(if back { "someone is taken off a canary\n" } else { "nobody is sent back\n" });
    text
}
