//! `narrows lint --fix`: sets right what is certain, in place.

use std::path::Path;

use crate::edit::{self, Edit};
use crate::error::CliError;
use crate::finding::{Finding, Level};
use crate::lint::{self, Checked, Options, fix};
use crate::source::SourceFile;
use crate::write::file;

/// What was set right.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// How many findings.
    pub(super) findings: usize,
    /// The lines that change, as a patch.
    pub(super) patch: String,
}

/// Sets right what is certain in these files. Nothing is written if this is a dry run.
pub(super) fn all(checked: &[Checked], options: &Options, is_dry: bool) -> Result<Fixed, CliError> {
    let mut fixed = Fixed::default();
    for before in checked {
        let (text, count) = mended(before, options);
        if count == 0 {
            continue;
        }
        if before.source.path == "-" {
            return Err(CliError::new(
                "the standard input cannot be changed in place",
                "name the file, or leave out --fix",
            ));
        }
        fixed.findings += count;
        fixed.patch.push_str(&patch(&before.source.path, &before.source.text, &text));
        if !is_dry {
            file::write(Path::new(&before.source.path), &text)?;
        }
    }
    Ok(fixed)
}

/// Rounds, because a fault may hide others.
const ROUNDS: usize = 20;

/// The text with what is certain set right, and how many findings that are.
fn mended(before: &Checked, options: &Options) -> (String, usize) {
    let mut source = before.source.clone();
    let mut count = 0;
    for round in 0..ROUNDS {
        let alone = lint::check(source.clone(), options);
        // With the other files, more may be known.
        let findings = if round == 0 { &before.findings } else { &alone.findings };
        let certain = findings.iter().filter_map(|finding| Some((finding, fix::of(&source.text, finding)?)));
        let mut edits: Vec<Edit> = certain
            .filter(|(finding, edit)| is_better(&alone, finding, edit, options))
            .map(|(_, edit)| edit)
            .collect();
        edits.sort_by_key(|edit| edit.at.start);
        edits.dedup_by(|later, earlier| later.at.start < earlier.at.end);
        if edits.is_empty() {
            break;
        }
        count += edits.len();
        source.text = edit::apply(&source.text, edits);
    }
    (source.text, count)
}

/// Whether a change takes its finding away, and what is there then is taken: a field of that name and type
/// that is not there twice. What was hidden before may be seen then.
fn is_better(before: &Checked, finding: &Finding, edit: &Edit, options: &Options) -> bool {
    let text = edit::apply(&before.source.text, vec![edit.clone()]);
    let after = lint::check(SourceFile { text, ..before.source.clone() }, options);
    let same = |of: &Checked, one: &Finding| {
        let is = |other: &&Finding| {
            (other.code, &other.place, &other.message) == (one.code, &one.place, &one.message)
        };
        of.findings.iter().filter(is).count()
    };
    let written = before.source.text.get(edit.at.clone()).unwrap_or_default();
    let place = match finding.place.strip_suffix(written) {
        Some(table) => format!("{table}{}", edit.text),
        None => finding.place.clone(),
    };
    let is_new = |one: &Finding| same(&after, one) > same(before, one);
    let is_refused = |one: &Finding| one.level == Level::Error && one.place == place && is_new(one);
    // Under the right kind there may be a policy.
    (after.policies == before.policies || finding.code.id == "NRW662")
        && (same(&after, finding) < same(before, finding) || same(before, finding) == 0)
        && !after.findings.iter().any(is_refused)
}

/// The lines that differ, in the form that `patch` reads. Edits end no line and begin none, but for
/// comments that go with their lines.
fn patch(path: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let mut patch = format!("--- {path}\n+++ {path}\n");
    let (mut i, mut j) = (0, 0);
    while i < old.len() {
        if old.get(i) == new.get(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        // A line that is gone, or one that changed.
        let gone = old.len() - i > new.len() - j && old.get(i + 1) == new.get(j);
        let line = |lines: &[&str], at: usize| lines.get(at).copied().unwrap_or_default().to_owned();
        if gone {
            patch.push_str(&format!("@@ -{} +{j},0 @@\n-{}\n", i + 1, line(&old, i)));
            i += 1;
        } else {
            let (was, is) = (line(&old, i), line(&new, j));
            patch.push_str(&format!("@@ -{} +{} @@\n-{was}\n+{is}\n", i + 1, j + 1));
            (i, j) = (i + 1, j + 1);
        }
    }
    patch
}
