//! `narrows schema`

use clap::Args;

use super::{Done, FilterName};
use crate::schema;

/// Print the JSON Schema of a filter's policies
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The filter
    #[arg(value_name = "FILTER")]
    filter: FilterName,
}

impl Arguments {
    pub(super) fn run(&self) -> Done {
        let schema = schema::of(self.filter.0);
        Done::clean(format!("{schema:#}\n"))
    }
}
