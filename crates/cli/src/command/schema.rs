//! `narrows schema`

use clap::Args;

use super::{Done, FilterName};
use crate::error::CliError;
use crate::schema;

/// Print the JSON Schema of a filter's policies
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The filter
    #[arg(value_name = "FILTER")]
    filter: FilterName,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let schema = schema::of(self.filter.0);
        Ok(Done::clean(format!("{schema:#}\n")))
    }
}
