//! `narrows learn`

use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use super::Done;
use crate::error::CliError;
use crate::learn::Learnt;

/// Turn what egress-policy has learnt into rules
///
/// Reads a proxy's log, finds the lines of `learn` in it, and prints one policy that
/// allows what they name: for a person to read and to shorten.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The log; `-` is the standard input
    log: PathBuf,
    /// Take the lines of this plugin alone, as Envoy names it behind `wasm log`; may be given again
    #[arg(long = "plugin", value_name = "NAME")]
    plugins: Vec<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let name = self.log.display().to_string();
        let mut log = Vec::new();
        let read = if name == "-" {
            std::io::stdin().read_to_end(&mut log).map(drop)
        } else {
            std::fs::read(&self.log).map(|bytes| log = bytes)
        };
        read.map_err(|e| CliError::new(format!("cannot read {name:?}: {e}"), "name a proxy's log"))?;
        let learnt = Learnt::of(&String::from_utf8_lossy(&log), &self.plugins);
        if learnt.lines == 0 {
            return Err(CliError::new(
                format!("no line of egress-policy's \"learn\" is in {name:?}"),
                "give the whole log of a proxy whose policy has \"learn\", such as kubectl logs prints it; the first \
                 line of a container's file is not read, for it may be the rest of another",
            ));
        }
        if self.plugins.is_empty() && learnt.plugins.len() > 1 {
            let told: Vec<String> = learnt.plugins.iter().map(|plugin| format!("{plugin:?}")).collect();
            return Err(CliError::new(
                format!("several plugins told what they have learnt: {}", told.join(", ")),
                "name those that are egress-policy with --plugin: another module may repeat what a caller has sent",
            ));
        }
        Ok(Done::clean(learnt.policy()))
    }
}
