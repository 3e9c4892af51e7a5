//! `narrows schema`

use clap::{Args, ValueEnum};

use super::Done;
use crate::schema::{self, Subject};

/// Print the JSON Schema of a filter's policies, of a resource with a policy, or of case files
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What the schema is for
    #[arg(value_name = "SUBJECT")]
    subject: Name,
}

/// A subject, by its name.
#[derive(Clone, Copy, Debug)]
struct Name(Subject);

impl ValueEnum for Name {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: std::sync::LazyLock<Vec<Name>> =
            std::sync::LazyLock::new(|| Subject::all().map(Name).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.0.name().into())
    }
}

impl Arguments {
    pub(super) fn run(&self) -> Done {
        let schema = schema::of(self.subject.0);
        Done::clean(format!("{schema:#}\n"))
    }
}
