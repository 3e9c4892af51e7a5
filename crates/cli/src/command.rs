//! The commands, one file each.

mod diff;
mod explain;
mod learn;
mod lint;
mod render;
mod schema;
mod simulate;

use std::path::Path;

use clap::{Parser, Subcommand, ValueEnum};

use crate::filter::{AnyPolicy, Filter};
use crate::finding::{Failure, Finding};
use crate::lint::Checked;
use crate::placement::Deeds;
use crate::report::{self, Format};
use crate::source::{Node, Source};
use crate::wrap::{self, Found};

/// Checks, tries and writes out policies of the Narrows filters.
///
/// Exit code 0: clean. 1: findings. 2: could not run.
#[derive(Debug, Parser)]
#[command(name = "narrows", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lint(lint::Arguments),
    Simulate(simulate::Arguments),
    Diff(diff::Arguments),
    Explain(explain::Arguments),
    Learn(learn::Arguments),
    Render(render::Arguments),
    Schema(schema::Arguments),
}

/// What a command has to say.
#[derive(Debug)]
pub struct Done {
    /// For the standard output.
    pub output: String,
    /// For the standard error: why there is no output.
    pub refusal: String,
    /// Whether anything was found.
    pub findings: bool,
}

impl Done {
    fn clean(output: String) -> Self {
        Self { output, refusal: String::new(), findings: false }
    }
}

impl Arguments {
    /// Does what is asked.
    pub fn run(self) -> Result<Done, Failure> {
        match self.command {
            Command::Lint(arguments) => arguments.run(),
            Command::Simulate(arguments) => arguments.run(),
            Command::Diff(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Learn(arguments) => arguments.run(),
            Command::Render(arguments) => arguments.run(),
            Command::Schema(arguments) => arguments.run(),
        }
    }
}

/// Text for people or data for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// The filters, as `--filter` takes them.
#[derive(Clone, Copy, Debug)]
struct FilterName(Filter);

impl ValueEnum for FilterName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [FilterName; Filter::ALL.len()] = {
            let mut all = [FilterName(Filter::ALL[0]); Filter::ALL.len()];
            let mut i = 0;
            while i < all.len() {
                all[i] = FilterName(Filter::ALL[i]);
                i += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.0.name().into())
    }
}

/// A policy with the filter that it is for.
struct Loaded {
    filter: Filter,
    node: Node,
    policy: AnyPolicy,
}

/// Reads the one policy of a file, wherever it stands in it. Whatever is wrong with it
/// has been reported when this fails.
fn policy(path: &Path, named: Option<Filter>, format: Output) -> Result<Result<Loaded, Done>, Failure> {
    let source = Source::read(path)?;
    let mut findings = Vec::new();
    let documents = match source.documents() {
        Ok(documents) => documents,
        Err(finding) => return Ok(Err(refused(format, source, vec![finding]))),
    };
    let resources = documents.iter().flat_map(wrap::resources);
    let mut found: Vec<_> = Vec::new();
    for resource in resources {
        found.extend(wrap::policies(&source, resource, &mut findings));
    }
    if !findings.is_empty() {
        return Ok(Err(refused(format, source, findings)));
    }
    if let (Some(named), true) = (named, found.len() > 1) {
        found.retain(|found| found.filter == Some(named));
    }
    // What `render` writes beside a policy only strips, and the policy itself strips the same.
    let decides = |found: &Found| {
        let deeds = found.filter.map(|filter| Deeds::of(filter, &found.policy));
        deeds.is_none_or(|deeds| !deeds.only_strips)
    };
    let deciding: Vec<_> = found.iter().filter(|found| decides(found)).map(|found| found.filter).collect();
    found.retain(|found| decides(found) || !deciding.contains(&found.filter));
    let name = &source.path;
    let mut found = found.into_iter();
    let (found, second) = match (found.next(), found.next()) {
        (Some(found), None) => (found, None),
        (Some(found), second) => (found, second),
        (None, _) => {
            return Err(Failure::new(format!("there is no policy in {name:?}"), "name a file with one"));
        }
    };
    if second.is_some() {
        return Err(Failure::new(
            format!("there are several policies in {name:?}"),
            "choose one with --filter, or give it a file of its own",
        ));
    }
    let Some(filter) = found.filter.or(named) else {
        let finding = wrap::unknown_filter(&found.policy);
        return Ok(Err(refused(format, source, vec![finding])));
    };
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => Ok(Ok(Loaded { filter, node: found.policy, policy })),
        Err(invalid) => {
            let faults =
                invalid.faults().iter().map(|fault| Finding::of_policy(fault, &found.policy)).collect();
            Ok(Err(refused(format, source, faults)))
        }
    }
}

/// The report of a file that is wrong.
fn refused(format: Output, source: Source, findings: Vec<Finding>) -> Done {
    let format = match format {
        Output::Text => Format::Text,
        Output::Json => Format::Json,
    };
    let checked = Checked::with(source, findings);
    Done { output: String::new(), refusal: report::refusal(format, checked), findings: true }
}
