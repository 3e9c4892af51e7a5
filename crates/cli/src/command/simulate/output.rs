//! What a simulation prints, as it goes.

use std::io::{Write as _, stderr};

use serde_json::{Value, json};

use crate::command::Output;
use crate::command::printer::Printer;
use crate::error::CliError;
use crate::simulate::{Outcome, Sent, Share, Tally};

/// Decisions, then shares.
pub(super) struct Printed {
    to: Printer,
    format: Output,
    count: u64,
}

impl Printed {
    pub(super) fn new(format: Output) -> Self {
        Self { to: Printer::new(), format, count: 0 }
    }

    pub(super) fn decision(&mut self, sent: &Sent, outcome: &Outcome) -> Result<(), CliError> {
        self.count += 1;
        match self.format {
            Output::Text => {
                let line = format!("{}  {}  =>  {}\n", self.count, sent.title(), outcome.line());
                self.to.print(&line)
            }
            Output::Json => {
                let decision = json!({ "sent": sent.title(), "outcome": outcome.json() });
                let before = if self.count == 1 { "{\n  \"decisions\": [\n    " } else { ",\n    " };
                self.to.print(&format!("{before}{}", indented(&decision, "\n    ")))
            }
        }
    }

    pub(super) fn finish(mut self, shares: &[Share], tally: &Tally) -> Result<(), CliError> {
        match self.format {
            Output::Text => {
                let blank = if self.count == 0 { "" } else { "\n" };
                self.to.print(&format!("{blank}{}", table(shares)))?;
            }
            Output::Json => {
                let before = if self.count == 0 { "{\n  \"decisions\": []," } else { "\n  ]," };
                let shares = Value::Array(shares.iter().map(Share::json).collect());
                self.to.print(&format!("{before}\n  \"shares\": {}\n}}\n", indented(&shares, "\n  ")))?;
            }
        }
        self.to.finish()?;
        note(tally);
        Ok(())
    }
}

/// A value over several lines, each of which begins like this.
fn indented(value: &Value, begin: &str) -> String {
    format!("{value:#}").replace('\n', begin)
}

fn table(shares: &[Share]) -> String {
    let mut text = String::new();
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

/// Says how the requests were read. A note that cannot be written costs nobody the result.
pub(in crate::command) fn note(tally: &Tally) {
    _ = stderr().write_all(told(tally).as_bytes());
}

/// What is worth knowing of what was read.
fn told(tally: &Tally) -> String {
    let mut text = String::new();
    if tally.skipped > 0 {
        text.push_str(&match tally.skipped {
            1 => format!("note: line {} is no request and was passed over\n", tally.first_skipped),
            more => format!(
                "note: {more} lines are no requests and were passed over; the first is line {}\n",
                tally.first_skipped
            ),
        });
    }
    if tally.foreign > 0 {
        let (entries, was) = if tally.foreign == 1 { ("entry", "was") } else { ("entries", "were") };
        text.push_str(&format!(
            "note: {} {entries} of another scheme than HTTP {was} passed over\n",
            tally.foreign
        ));
    }
    if tally.of_a_log {
        text.push_str(
            "note: an access log has some of the headers: a condition on another one does not hold here\n",
        );
        if !tally.missing.is_empty() {
            let names = crate::escape::line(&tally.missing.join(", ")).into_owned();
            text.push_str(&format!("note: the policy reads {names}, and no request of the log has it\n"));
        }
    }
    text
}
