//! `narrows set-weight`

use std::path::{Path, PathBuf};

use clap::Args;
use narrows_core::PolicyValue;
use serde_json::Value;

use super::loaded::{Loaded, chosen, policy_in};
use super::{Done, FilterName, Output, diff};
use crate::diff::SplitDiff;
use crate::edit;
use crate::error::CliError;
use crate::files;
use crate::source::{Node, SourceFile};

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
    /// Its new weight
    weight: u32,
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
        let weight = Value::from(self.weight);
        let backend = self.backend(&old)?;
        let now = narrows_model::now();
        let edits = match (backend.field("weight"), backend.field("ramp")) {
            (Some((key, node)), _) => edit::patch(&source.text, Some(key), node, &weight),
            (None, Some((key, node))) => vec![edit::renamed(&source.text, (key, node), "weight", &weight)],
            (None, None) => vec![edit::insert(&source.text, backend, "weight", &weight)],
        };
        let changed = SourceFile { text: edit::apply(&source.text, edits), ..source.clone() };
        let new = policy_in(&changed, chosen.as_deref(), named, Output::Text)?;
        let written = self.backend(&new)?.get("weight").map(Node::tree);
        if written != Some(PolicyValue::Integer(self.weight.into())) {
            return Err(CliError::new("the weight cannot be written in place", "write it by hand"));
        }
        let (Some(from), Some(to)) = (old.policy.splitter(), new.policy.splitter()) else {
            return Err(no_splits(&old));
        };
        let mut splits = crate::diff::splits(from, to, &[], now);
        splits.iter_mut().for_each(|split| split.at = None);
        let mut output = diff::text::splits(&splits);
        if backend.get("ramp").is_some() {
            let (name, weight) = (&self.backend, self.weight);
            output.push_str(&format!(
                "the ramp of {name} is taken out of the file: its weight is {weight} until somebody writes another\n"
            ));
        }
        let back = splits.iter().any(SplitDiff::takes_back) && !self.allow_back;
        if back {
            output.push_str("nothing is changed; --allow-back changes it all the same\n");
        } else if changed.text != source.text {
            files::write(&file, &changed.text)?;
        }
        Ok(Done { findings: back, ..Done::clean(output) })
    }

    /// The backend as written.
    fn backend<'l>(&self, loaded: &'l Loaded) -> Result<&'l Node, CliError> {
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
        named(backends, &self.backend).ok_or_else(|| unknown("backend", &self.backend, backends))
    }
}

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
