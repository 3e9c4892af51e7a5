//! `narrows explain`

use clap::Args;

use super::Done;
use crate::error::CliError;
use crate::explain;

/// Explain a code
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The code, such as NRW201; without it, all codes are listed
    code: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let Some(id) = self.code else {
            let list = explain::all().iter().map(|code| format!("{}  {}\n", code.id, code.title));
            return Ok(Done::clean(list.collect()));
        };
        let code = explain::find(&id.to_ascii_uppercase()).ok_or_else(|| {
            CliError::new(format!("unknown code {id:?}"), "run \"narrows explain\" for the list")
        })?;
        Ok(Done::clean(format!("{}: {}\n\n{}\n", code.id, code.title, code.text)))
    }
}
