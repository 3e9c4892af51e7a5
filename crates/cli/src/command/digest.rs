//! `narrows digest`

use std::path::PathBuf;

use clap::Args;
use narrows_core::policy_digest;

use super::loaded::policy;
use super::{Done, FilterName, Output};
use crate::error::CliError;

/// Print the number by which the gauge `narrows_policy_digest` shows a policy
///
/// A proxy that has this policy in force shows this number, whatever has changed the form of the text on
/// its way there. It tells policies apart, and is no security hash.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy, bare or in a resource. FILE#NAME is one of several
    policy: PathBuf,
    /// The filter, if the policy does not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let loaded = policy(&self.policy, self.filter.map(|name| name.0), Output::Text)?;
        Ok(Done::clean(format!("{}\n", policy_digest(&loaded.node.tree()))))
    }
}
