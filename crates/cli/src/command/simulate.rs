//! `narrows simulate`

pub(super) mod output;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use narrows_cases::Send;

use super::at::Time;
use super::loaded::{policy, refused};
use super::progress::Progress;
use super::{Done, FilterName, Output};
use crate::error::CliError;
use crate::simulate::{self, Format, Requests, Sent, Shares, Stopped, Tally};
use output::Printed;

/// Decide on requests like the filter
///
/// Prints each decision with its reason, then the share of the requests that each destination
/// got, with its 95 % confidence interval. Requests are read and decided one after the other, so a log,
/// JSON lines or a list with `- ` at the beginning of lines may have any size; what is read whole (a list in
/// brackets, a case file, a recording) has at most 64 MiB and 2,000,000 values.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy, bare or in a resource
    policy: PathBuf,
    #[command(flatten)]
    requests: From,
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

/// Where requests come from.
#[derive(Debug, Args)]
pub(super) struct From {
    /// The requests: a list of {method, scheme, target, authority, headers, source, serverName,
    /// cluster, virtualHost, repeat}, a case file, an access log, a HAR file or curl commands; `-` is the
    /// standard input
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// The format of the requests [default: as their first line tells]
    #[arg(long, value_enum, value_name = "FORMAT", requires = "requests")]
    requests_as: Option<Format>,
    /// One request, of this URL
    #[arg(long, value_name = "URL", conflicts_with = "requests")]
    get: Option<String>,
    /// The method of that request
    #[arg(short = 'X', long = "method", value_name = "METHOD", requires = "get")]
    method: Option<String>,
    /// A header of that request; can be repeated
    #[arg(short = 'H', long = "header", value_name = "LINE", requires = "get")]
    headers: Vec<String>,
    #[command(flatten)]
    time: Time,
}

impl From {
    /// Whether there are any.
    pub(super) fn is_given(&self) -> bool {
        self.requests.is_some() || self.get.is_some()
    }

    /// When requests are sent that do not say it, in seconds since the epoch.
    pub(super) fn at(&self) -> u64 {
        self.time.seconds()
    }

    /// Hands over each request. Lines of a log that are no requests are told on the standard error.
    pub(super) fn each(
        self,
        format: Output,
        take: &mut dyn FnMut(&Sent) -> Result<(), CliError>,
    ) -> Result<Tally, CliError> {
        let at = self.at();
        if let Some(url) = self.get {
            let wrong =
                |message: String| CliError::new(message, "write --get http://host/path -H 'name: value'");
            let send = simulate::sent_to(&url).map_err(wrong)?;
            let send = Send { method: self.method.unwrap_or(send.method), at: Some(at), ..send };
            let send = simulate::header_lines(send, self.headers).map_err(wrong)?;
            take(&Sent::new(send, 0))?;
            return Ok(Tally { requests: 1, ..Tally::default() });
        }
        let Some(path) = self.requests else { return Ok(Tally::default()) };
        let mut progress = Progress::new("requests", std::io::stderr().is_terminal());
        let read = Requests::open(&path, self.requests_as)?.at(at).each(&mut |sent| {
            progress.step();
            take(sent)
        });
        progress.end();
        let tally = read.map_err(|stopped| match stopped {
            Stopped::Failed(error) => error,
            Stopped::Faulty(fault) => refused(format, fault.0, vec![fault.1]),
        })?;
        if tally.requests == 0 {
            let name = path.display().to_string();
            let help = "write one as \"- target: /…\", or name their format with --requests-as";
            return Err(CliError::new(format!("there is no request in {name:?}"), help));
        }
        Ok(tally)
    }
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        if !self.requests.is_given() {
            return Err(CliError::new("there are no requests", "name them: --requests FILE, or --get URL"));
        }
        let loaded = policy(&self.policy, self.filter.map(|name| name.0), self.format)?;
        let mut shares = Shares::default();
        let mut printed = Printed::new(self.format);
        let mut missing = simulate::headers_of(&loaded.node);
        let mut tally = self.requests.each(self.format, &mut |sent| {
            missing.retain(|name| !sent.has(name));
            if self.shares {
                let outcome = loaded.policy.outcome(sent);
                shares.count(&outcome.scope, &outcome.outcome);
                return Ok(());
            }
            let outcome = loaded.policy.decide(sent);
            shares.count(&outcome.explanation.scope, &outcome.explanation.counted);
            printed.decision(sent, &outcome)
        })?;
        tally.missing = missing.into_iter().collect();
        printed.finish(&shares.finish(), &tally)?;
        Ok(Done::clean(String::new()))
    }
}
