//! `narrows templates`

use std::path::PathBuf;

use clap::Args;

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
        let document = documents
            .first()
            .ok_or_else(|| CliError::new("the file is empty", "name the description of an API"))?;
        let api = templates::read(document)?;
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
                "take that path out of the description",
            )
        })?;
        let mut output = String::new();
        for path in &api.paths {
            if let Some(written) = &path.wider_than {
                let (template, written) = (escape::line(&path.template), escape::line(written));
                output.push_str(&format!("# {template} also fits more than {written}\n"));
            }
        }
        Ok(Done::clean(output + &write::yaml::document(&policy)))
    }
}
