//! `narrows test`

mod coverage;
mod find;
mod record;
mod report;
mod run;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Done, FilterName};
use crate::error::CliError;
use find::Suite;
use run::Outcome;

/// Run case files: requests with what must become of them
///
/// A case file has a policy and cases; docs/case-files.md describes it. The decisions are those that
/// the filter takes, in a model of Envoy's headers.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Case files, folders of them, or policies with case files beside them
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Run the cases with this policy instead of their own
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The filter, if neither the policy nor the folder names it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// Run only cases whose file or name has this text; can be repeated
    #[arg(short = 'k', value_name = "TEXT")]
    only: Vec<String>,
    /// Write what happens into the cases that expect something else, or nothing yet
    #[arg(long)]
    record: bool,
    /// Fail if no case shows some rule or backend
    #[arg(long)]
    require_coverage: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// `JUnit` XML, which most CI systems read.
    Junit,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let chosen = find::Chosen {
            policy: self.policy.as_deref(),
            filter: self.filter.map(|name| name.0),
            records: self.record,
        };
        let (mut suites, idle) = find::suites(&self.paths, &chosen)?;
        for suite in &mut suites {
            suite.keep(&self.only);
        }
        suites.retain(|suite| suite.len() > 0);
        if suites.is_empty() {
            return Err(CliError::new(
                "there is no case to run",
                "name a case file or a folder that has some; -k chooses among them",
            ));
        }
        let refusal: String = idle
            .iter()
            .map(|path| format!("note: no case is in {:?} or beside it\n", path.display().to_string()))
            .collect();
        if self.record {
            return Ok(Done { refusal, ..record::record(&suites)? });
        }
        let results: Vec<(&Suite, Vec<Outcome>)> =
            suites.iter().map(|suite| (suite, run::run(suite))).collect();
        let coverage = coverage::of(&results);
        let failed = results.iter().flat_map(|(_, outcomes)| outcomes).any(Outcome::failed);
        let uncovered =
            self.require_coverage && coverage.iter().any(|(_, points)| !points.missing().is_empty());
        let output = match self.format {
            Format::Text => report::text(&results, &coverage),
            Format::Json => report::json(&results, &coverage),
            Format::Github => report::github(&results),
            Format::Junit => report::junit(&results),
        };
        Ok(Done { findings: failed || uncovered, refusal, ..Done::clean(output) })
    }
}
