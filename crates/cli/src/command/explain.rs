//! `narrows explain`

use clap::Args;

use super::Done;
use crate::error::CliError;
use crate::explain;

/// Explain codes
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The codes, such as NRW201; without any, all codes are listed
    codes: Vec<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        if self.codes.is_empty() {
            let list = explain::all().iter().map(|code| format!("{}  {}\n", code.id, code.title));
            return Ok(Done::clean(list.collect()));
        }
        let mut texts = Vec::new();
        for id in self.codes {
            let code = explain::find(&id.to_ascii_uppercase()).ok_or_else(|| {
                CliError::new(format!("unknown code {id:?}"), "run \"narrows explain\" for the list")
            })?;
            texts.push(format!("{}: {}\n\n{}\n", code.id, code.title, code.text));
        }
        Ok(Done::clean(texts.join("\n")))
    }
}
