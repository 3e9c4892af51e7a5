//! `narrows set-weight`

use std::path::{Path, PathBuf};

use clap::Args;
use narrows_core::PolicyValue;
use serde_json::Value;

use super::loaded::{Loaded, chosen, policies, policy_in};
use super::{Done, FilterName, Output, diff};
use crate::diff::SplitDiff;
use crate::edit::{self, Change, Editor};
use crate::error::CliError;
use crate::escape;
use crate::source::{Node, SourceFile};
use crate::write::file;

/// Change the weight of a backend in a file
///
/// Only the number is changed: comments and everything else stay as they are. Where the backend has a
/// ramp, the weight takes the ramp's place, and the clock changes it no more. It prints which users
/// move. A change that would send users back is refused with exit code 1, and the file stays as it is.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file with the policy, bare or in a resource
    file: PathBuf,
    /// The split; needed where there are several
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// The backend
    #[arg(long, value_name = "NAME")]
    backend: String,
    /// Its new weight, from 0 to the "weightTotal" of the split
    #[arg(allow_negative_numbers = true)]
    weight: String,
    /// The filter, if the policy does not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// Change it even if users go back, as in a rollback
    #[arg(long)]
    allow_back: bool,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let (file, chosen) = chosen(&self.file);
        if file == Path::new("-") {
            return Err(CliError::new(
                "the standard input cannot be changed in place",
                "name the file that has the policy",
            ));
        }
        let source = SourceFile::read(&file)?;
        let named = self.filter.map(|name| name.0);
        let old = policy_in(&source, chosen.as_deref(), named, Output::Text)?;
        let (split, backend) = self.backend(&old)?;
        let wanted = self.weight(split)?;
        let weight = Value::from(wanted);
        let now = narrows_model::now();
        let changed = changed(&source, backend, &weight)?;
        let new = policy_in(&changed, chosen.as_deref(), named, Output::Text)?;
        let written = self.backend(&new)?.1.get("weight").map(Node::tree);
        if written != Some(PolicyValue::Integer(wanted.into())) {
            return Err(CliError::new("the weight cannot be written in place", "write it by hand"));
        }
        let (Some(from), Some(to)) = (old.policy.splitter(), new.policy.splitter()) else {
            return Err(no_splits(&old));
        };
        let mut splits = crate::diff::splits(from, to, &[], now);
        splits.iter_mut().for_each(|split| split.at = None);
        let mut output = diff::text::splits(&splits);
        if backend.get("ramp").is_some() {
            let name = &self.backend;
            output.push_str(&format!(
                "the ramp of {name} is taken out of the file: its weight is {weight} until somebody writes another\n"
            ));
        }
        let back = splits.iter().any(SplitDiff::takes_back) && !self.allow_back;
        if back {
            output.push_str("nothing is changed; --allow-back changes it all the same\n");
        } else if changed.text != source.text {
            file::write(&file, &changed.text)?;
            let known = backend.get("weight").and_then(|node| source.text.get(node.at.clone()));
            let before = known.unwrap_or(if backend.get("ramp").is_some() { "its ramp" } else { "none" });
            let split = split.text_at("name").unwrap_or_default();
            output.push_str(&format!(
                "written to {}: split {split:?}, backend {:?}: {before} -> {wanted}\n",
                escape::line(&file.display().to_string()),
                self.backend
            ));
        }
        Ok(Done { findings: back, ..Done::clean(output) })
    }

    /// The new weight: a part of all weights of the split.
    fn weight(&self, split: &Node) -> Result<u32, CliError> {
        let total = match split.get("weightTotal").map(Node::tree) {
            Some(PolicyValue::Integer(total)) => u32::try_from(total).unwrap_or(TOTAL),
            _ => TOTAL,
        };
        self.weight.parse().ok().filter(|weight| *weight <= total).ok_or_else(|| {
            CliError::new(
                format!("the weight {:?} is no whole number from 0 to {total}", self.weight),
                format!("write one: {total} are all weights of the split (\"weightTotal\")"),
            )
        })
    }

    /// The split and the backend as written.
    fn backend<'l>(&self, loaded: &'l Loaded) -> Result<(&'l Node, &'l Node), CliError> {
        let policy = loaded.node.get("split").unwrap_or(&loaded.node);
        let splits = policy.get("splits").map(Node::elements).unwrap_or_default();
        let split = match (&self.split, splits) {
            (_, []) => return Err(no_splits(loaded)),
            (Some(name), _) => named(splits, name).ok_or_else(|| unknown("split", name, splits))?,
            (None, [only]) => only,
            (None, _) => {
                return Err(CliError::new(
                    "there are several splits",
                    format!("choose one: {}", names(splits)),
                ));
            }
        };
        let backends = split.get("backends").map(Node::elements).unwrap_or_default();
        let backend = named(backends, &self.backend);
        Ok((split, backend.ok_or_else(|| unknown("backend", &self.backend, backends))?))
    }
}

/// The file with another weight of this backend. Refused if anything else in the file would change.
fn changed(source: &SourceFile, backend: &Node, weight: &Value) -> Result<SourceFile, CliError> {
    let by_hand = |what: String| {
        CliError::new(format!("the weight cannot be written in place: {what}"), "write it by hand")
    };
    let by_alias = |at: usize| {
        let (line, column) = source.position(at);
        CliError::new(
            format!("the weight is written by an alias, at line {line}, column {column}"),
            "write it out in each place",
        )
    };
    // Of what an alias stands for, every part has the place of the alias.
    let fields = backend.fields().iter().filter(|(key, _)| matches!(&*key.name, "weight" | "ramp"));
    let mut places = std::iter::once(backend.at.start).chain(fields.map(|(key, _)| key.at.start));
    if let Some(at) = places.find(|at| edit::is_alias(&source.text, *at)) {
        return Err(by_alias(at));
    }
    let editor = Editor::of(source);
    let has_weight = backend.fields().iter().any(|(key, _)| key.name == "weight");
    let edits = match backend.field("ramp") {
        Some(ramp) if !has_weight => vec![editor.renamed(ramp, "weight", weight)],
        // A weight without a value stands beside it.
        Some((key, node)) => {
            [editor.set(backend, "weight", weight), editor.patch(Some(key), node, &Value::Null)].concat()
        }
        None => editor.set(backend, "weight", weight),
    };
    let changed = SourceFile { text: edit::apply(&source.text, edits), ..source.clone() };
    let old = source.documents().map_err(|fault| by_hand(fault.message))?;
    let new = changed.documents().map_err(|fault| by_hand(fault.message))?;
    one_place(&edit::changes("document", &old, &new))?;
    // A text in the file may be YAML too.
    let places = edit::changes("policy", &policies(source), &policies(&changed));
    one_place(&places)?;
    let is_the_weight = |place: &Change| matches!(place.path.rsplit('.').next(), Some("weight" | "ramp"));
    if !places.iter().all(is_the_weight) {
        return Err(by_alias(backend.at.start));
    }
    Ok(changed)
}

/// Refuses a change in more than one backend.
fn one_place(places: &[Change]) -> Result<(), CliError> {
    let Some(first) = places.first() else { return Ok(()) };
    let Some(other) = places.iter().find(|place| place.within != first.within) else { return Ok(()) };
    Err(CliError::new(
        format!("{} and {} are one value by an alias, and both would change", first.path, other.path),
        "write the weight out in each place",
    ))
}

/// Of how many parts a weight is, if the split does not say it.
const TOTAL: u32 = 100;

fn named<'n>(list: &'n [Node], name: &str) -> Option<&'n Node> {
    list.iter().find(|one| one.text_at("name") == Some(name))
}

fn unknown(what: &str, name: &str, list: &[Node]) -> CliError {
    CliError::new(format!("there is no {what} {name:?}"), format!("known here: {}", names(list)))
}

fn names(list: &[Node]) -> String {
    list.iter().filter_map(|one| one.text_at("name")).collect::<Vec<_>>().join(", ")
}

fn no_splits(loaded: &Loaded) -> CliError {
    CliError::new(
        format!("the policy of {} has no splits", loaded.filter.name()),
        "name a file with a policy of canary-split",
    )
}
