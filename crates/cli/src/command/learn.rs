//! `narrows learn`

use std::path::PathBuf;

use clap::Args;

use super::Done;
use crate::error::CliError;
use crate::filter::Filter;
use crate::learn::Learnt;
use crate::source;

/// Turn the destinations that egress-policy has logged into rules
///
/// Reads the log of a proxy, finds the lines that the field `learn` causes, and prints one policy
/// that allows these destinations. Read it and remove what must not be allowed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The log; `-` is the standard input
    log: PathBuf,
    /// Read only the lines of this plugin, as Envoy names it after `wasm log`; can be repeated
    #[arg(long = "plugin", value_name = "NAME")]
    plugins: Vec<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let name = self.log.display().to_string();
        let read = Learnt::read(source::open(&self.log)?, &self.plugins);
        let learnt =
            read.map_err(|e| CliError::new(format!("cannot read {name:?}: {e}"), "name the log of a proxy"))?;
        if learnt.lines == 0 {
            return Err(CliError::new(
                format!("there is no line of the field \"learn\" of egress-policy in {name:?}"),
                "give the whole log of a proxy whose policy has \"learn\", such as kubectl logs prints it; the first \
                 line of a container's file is skipped, because it may be the rest of another line",
            ));
        }
        if self.plugins.is_empty() && learnt.plugins.len() > 1 {
            let names: Vec<String> = learnt.plugins.iter().map(|plugin| format!("{plugin:?}")).collect();
            return Err(CliError::new(
                format!("several plugins have logged destinations: {}", names.join(", ")),
                "choose those that are egress-policy with --plugin: another module may log text of a caller",
            ));
        }
        // What is printed loads.
        let written = learnt.policy_that(&|tree| Filter::EgressPolicy.compile(tree).is_ok());
        let refusal = written.left_out.iter().map(|what| format!("warning: {what}\n")).collect();
        Ok(Done { refusal, ..Done::clean(written.policy) })
    }
}
