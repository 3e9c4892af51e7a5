//! `narrows test`

mod coverage;
mod find;
mod places;
mod record;
mod report;
mod run;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Done, FilterName, loaded};
use crate::error::CliError;
use crate::source::SourceFile;
use find::Suite;
use run::Outcome;

/// Run case files: requests with what must become of them
///
/// A case file has a policy and cases: narrows explain NRW690 shows one, narrows schema cases has every
/// field. The decisions are those that the filter takes, in a model of Envoy's headers.
///
/// The cases of a policy are in the folder `cases` beside it, or in a file beside it; they name it under
/// "policyFile".
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
        let found: usize = suites.iter().map(Suite::len).sum();
        for suite in &mut suites {
            suite.keep(&self.only);
        }
        suites.retain(|suite| suite.len() > 0);
        if suites.is_empty() {
            return Err(self.nothing(found, &idle));
        }
        let refusal: String =
            idle.iter().map(|path| format!("note: {}\n", places::without_cases(path))).collect();
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

    /// Why there is no case to run, among so many that were found.
    fn nothing(&self, found: usize, idle: &[PathBuf]) -> CliError {
        if found > 0 {
            let texts: Vec<_> = self.only.iter().map(|text| format!("{text:?}")).collect();
            return CliError::new(
                format!("no case has {} in its name or in that of its file", texts.join(" or ")),
                format!("leave out -k to run all {found}"),
            );
        }
        let paths = if idle.is_empty() { &self.paths } else { idle };
        // Of a policy with faults they are what is wrong; of a file without a filter nobody knows what it is.
        let named = self.filter.map(|name| name.0);
        let names = |path: &PathBuf| SourceFile::read(path).is_ok_and(|file| file.text.contains("filter"));
        let faulty = |path: &PathBuf| loaded::written(path, named).err().filter(CliError::is_report);
        if let Some(report) = paths.iter().filter(|path| path.is_file() && names(path)).find_map(faulty) {
            return report;
        }
        let told: Vec<_> = paths.iter().map(|path| places::without_cases(path)).collect();
        CliError::new(
            format!("there is no case to run: {}", told.join("; ")),
            "narrows init writes a policy with cases, narrows explain NRW690 shows a case file",
        )
    }
}
