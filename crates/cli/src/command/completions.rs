//! `narrows completions` and `narrows man`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Done;
use crate::error::CliError;

/// Print the completions of a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Done {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut super::Arguments::command(), "narrows", &mut bytes);
        Done::clean(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Print a page of the manual
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command; without it, the page of narrows itself
    command: Option<String>,
}

impl Man {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let mut whole = super::Arguments::command();
        whole.build();
        let page = match self.command {
            None => whole,
            Some(name) => {
                let found = whole.find_subcommand(&name).cloned();
                let names: Vec<_> =
                    whole.get_subcommands().map(|command| command.get_name().to_owned()).collect();
                found.ok_or_else(|| {
                    CliError::new(
                        format!("there is no command {name:?}"),
                        format!("write one of {}", names.join(", ")),
                    )
                })?
            }
        };
        let mut bytes = Vec::new();
        let written = clap_mangen::Man::new(page).render(&mut bytes);
        written.map_err(|e| CliError::new(format!("cannot write the page: {e}"), "see narrows --help"))?;
        Ok(Done::clean(String::from_utf8_lossy(&bytes).into_owned()))
    }
}
