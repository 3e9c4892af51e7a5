//! `narrows templates`

use std::path::PathBuf;

use clap::Args;
use narrows_core::{Code, Fault};

use super::loaded::refused;
use super::{Done, Output};
use crate::error::CliError;
use crate::escape;
use crate::filter::Filter;
use crate::source::SourceFile;
use crate::templates::{self, Use};
use crate::write;

/// Turn the description of an API in `OpenAPI` into a policy with its path templates
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The description, in YAML or JSON
    file: PathBuf,
    /// What the templates are for
    #[arg(long = "as", value_enum, value_name = "USE", default_value = "tags")]
    of: Use,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let source = SourceFile::read(&self.file)?;
        let documents =
            source.documents().map_err(|fault| refused(Output::Text, source.clone(), vec![fault]))?;
        let document = match &*documents {
            [document] => document,
            [] => return Err(CliError::new("the file is empty", "name the description of an API")),
            several => {
                return Err(CliError::new(
                    format!("the file has {} documents, of which each may be an API", several.len()),
                    "name a file with one description: one policy is made of one",
                ));
            }
        };
        let api = templates::read(&source, document)?;
        let policy = api.policy(self.of);
        let filter = match self.of {
            Use::Tags => Filter::MetricTags,
            Use::Routing => Filter::HeaderRouter,
            Use::Egress => Filter::EgressPolicy,
        };
        // What is printed loads.
        filter.compile(&policy).map_err(|invalid| {
            let told = invalid.to_string();
            CliError::new(
                format!("its paths make no policy: {}", told.lines().next().unwrap_or_default()),
                invalid.faults().first().map_or("correct the description", remedy),
            )
        })?;
        let mut output = String::new();
        for remark in api.remarks(self.of) {
            output.push_str(&format!("# {}\n", escape::line(&remark)));
        }
        Ok(Done::clean(output + &write::yaml::document(&policy)))
    }
}

/// What to do to a description whose policy has this fault.
fn remedy(fault: &Fault) -> &'static str {
    let place = fault.place.to_string();
    let is_in = |list: &str| place.contains(list);
    match fault.code {
        _ if is_in(".hosts") => "correct the servers of the description",
        Code::TooMany | Code::TooHeavy => "divide the description into several, and make a policy of each",
        _ if is_in(".methods[") || is_in(".method.in[") => "take that operation out of the description",
        _ if ["pathTemplates[", ".paths[", ".matches["].into_iter().any(is_in) => {
            "take that path out of the description"
        }
        _ => "correct the description",
    }
}
