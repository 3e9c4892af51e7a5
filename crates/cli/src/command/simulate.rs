//! `narrows simulate`

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::loaded::{policy, refused};
use super::{Done, FilterName, Output};
use crate::error::CliError;
use crate::simulate::{self, Outcome, Sent, Share, Shares};
use crate::source::SourceFile;

/// Decisions that are printed one by one.
const LISTED: u64 = 100_000;

/// Decide on requests like the filter
///
/// Prints each decision with its reason, then the share of the requests that each destination
/// got, with its 95 % confidence interval.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy, bare or in a resource
    policy: PathBuf,
    /// The requests: a list of {method, scheme, target, authority, headers, source, serverName,
    /// cluster, virtualHost, repeat}
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// The filter, if the policy does not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// Print only the shares
    #[arg(long)]
    shares: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let loaded = match policy(&self.policy, self.filter.map(|name| name.0), self.format)? {
            Ok(loaded) => loaded,
            Err(done) => return Ok(done),
        };
        let source = SourceFile::read(&self.requests)?;
        let requests = match simulate::requests(&source) {
            Ok(requests) => requests,
            Err(finding) => return Ok(refused(self.format, source, vec![finding])),
        };
        if !self.shares && requests.count() > LISTED {
            return Err(CliError::new(
                format!(
                    "{} decisions are more than {LISTED}, too many to print one by one",
                    requests.count()
                ),
                "print only the shares: --shares",
            ));
        }
        let mut shares = Shares::default();
        let mut decisions = Vec::new();
        for sent in requests.iter() {
            let outcome = loaded.policy.decide(sent.request());
            shares.count(&outcome.explanation);
            if !self.shares {
                decisions.push((sent, outcome));
            }
        }
        let shares = shares.finish();
        Ok(Done::clean(match self.format {
            Output::Text => text(&decisions, &shares),
            Output::Json => format!("{:#}\n", data(&decisions, &shares)),
        }))
    }
}

fn text(decisions: &[(Sent, Outcome)], shares: &[Share]) -> String {
    let mut text = String::new();
    let number = decisions.len().to_string().len();
    for (i, (sent, outcome)) in decisions.iter().enumerate() {
        text.push_str(&format!("{:number$}  {}  =>  {}\n", i + 1, sent.title(), outcome.line()));
    }
    if !decisions.is_empty() {
        text.push('\n');
    }
    let width = |of: fn(&Share) -> &str| shares.iter().map(|s| of(s).len()).max().unwrap_or_default();
    let (scope, outcome) = (width(|s| &s.scope), width(|s| &s.outcome));
    let count = shares.iter().map(|s| s.of.to_string().len()).max().unwrap_or_default();
    for share in shares {
        let (low, high) = share.interval();
        text.push_str(&format!(
            "{:scope$}  {:outcome$}  {:count$} of {:count$}  {:7.3} %  ({low:.3} to {high:.3})\n",
            share.scope,
            share.outcome,
            share.count,
            share.of,
            share.percent(),
        ));
    }
    text
}

fn data(decisions: &[(Sent, Outcome)], shares: &[Share]) -> Value {
    let decisions: Vec<_> = decisions
        .iter()
        .map(|(sent, outcome)| json!({ "sent": sent.title(), "outcome": outcome.json() }))
        .collect();
    json!({ "decisions": decisions, "shares": shares.iter().map(Share::json).collect::<Vec<_>>() })
}
