//! The commands, one file each.

mod at;
mod completions;
mod diff;
mod digest;
mod examples;
mod explain;
mod init;
mod learn;
mod lint;
mod loaded;
mod migrate;
mod pack;
mod printer;
mod progress;
mod render;
mod schema;
mod set_weight;
mod simulate;
mod templates;
mod test;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::CliError;
use crate::filter::Filter;

/// Check, simulate, compare and render policies of the Narrows filters.
///
/// Exit code 0: clean. 1: findings. 2: could not run. `narrows COMMAND --help` shows examples.
#[derive(Debug, Parser)]
#[command(name = "narrows", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(after_help = examples::INIT)]
    Init(init::Arguments),
    #[command(after_help = examples::LINT)]
    Lint(lint::Arguments),
    #[command(after_help = examples::SIMULATE)]
    Simulate(simulate::Arguments),
    #[command(after_help = examples::DIFF)]
    Diff(diff::Arguments),
    #[command(after_help = examples::DIGEST)]
    Digest(digest::Arguments),
    #[command(after_help = examples::EXPLAIN)]
    Explain(explain::Arguments),
    #[command(after_help = examples::LEARN)]
    Learn(learn::Arguments),
    #[command(after_help = examples::MIGRATE)]
    Migrate(migrate::Arguments),
    #[command(after_help = examples::PACK)]
    Pack(pack::Arguments),
    #[command(after_help = examples::RENDER)]
    Render(render::Arguments),
    #[command(after_help = examples::SCHEMA)]
    Schema(schema::Arguments),
    #[command(after_help = examples::SET_WEIGHT)]
    SetWeight(set_weight::Arguments),
    #[command(after_help = examples::TEMPLATES)]
    Templates(templates::Arguments),
    #[command(after_help = examples::TEST)]
    Test(test::Arguments),
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Completions),
    #[command(after_help = examples::MAN)]
    Man(completions::Man),
}

/// What a command prints.
#[derive(Debug)]
pub struct Done {
    /// For the standard output.
    pub output: String,
    /// For the standard error: what could not be done, and why.
    pub refusal: String,
    /// Whether anything was found.
    pub findings: bool,
    /// Whether the command could not do all that it was told.
    pub is_failure: bool,
}

impl Done {
    fn clean(output: String) -> Self {
        Self { output, refusal: String::new(), findings: false, is_failure: false }
    }

    /// Nothing was done.
    pub fn failed(error: &CliError) -> Self {
        Self { refusal: format!("{error}\n"), is_failure: true, ..Self::clean(String::new()) }
    }
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<Done, CliError> {
        match self.command {
            Command::Init(arguments) => arguments.run(),
            Command::Lint(arguments) => arguments.run(),
            Command::Simulate(arguments) => arguments.run(),
            Command::Diff(arguments) => arguments.run(),
            Command::Digest(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Learn(arguments) => arguments.run(),
            Command::Migrate(arguments) => arguments.run(),
            Command::Pack(arguments) => arguments.run(),
            Command::Render(arguments) => arguments.run(),
            Command::Schema(arguments) => Ok(arguments.run()),
            Command::SetWeight(arguments) => arguments.run(),
            Command::Templates(arguments) => arguments.run(),
            Command::Test(arguments) => arguments.run(),
            Command::Completions(arguments) => Ok(arguments.run()),
            Command::Man(arguments) => arguments.run(),
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

/// The filters, in the form that `--filter` takes.
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
