//! `narrows explain`

use clap::Args;

use super::Done;
use crate::explain;
use crate::finding::Failure;

/// Say more about a code
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The code, such as NRW201; without one, all are listed
    code: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Some(code) = self.code else {
            let list = explain::ALL.iter().map(|entry| format!("{}  {}\n", entry.code, entry.title));
            return Ok(Done::clean(list.collect()));
        };
        let entry = explain::of(&code.to_ascii_uppercase()).ok_or_else(|| {
            Failure::new(format!("there is no code {code:?}"), "run \"narrows explain\" for the list")
        })?;
        Ok(Done::clean(format!("{}: {}\n\n{}\n", entry.code, entry.title, entry.text.trim())))
    }
}
