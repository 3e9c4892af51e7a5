//! Mistakes on the command line, printed like every other error.

use clap::CommandFactory;
use clap::error::{ContextKind, ErrorKind};

use crate::command::Arguments;
use crate::error::CliError;

/// The error that clap found; `None` if it is not a mistake, such as `--help`.
pub fn describe(error: &clap::Error) -> Option<CliError> {
    let asked = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || error.kind() == asked {
        return None;
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        let known = Arguments::command();
        let known: Vec<_> = known.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let written = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string).unwrap_or_default();
        return Some(CliError::new(
            format!("there is no command {written:?}"),
            format!("write one of {}", known.join(", ")),
        ));
    }
    // The message, perhaps a tip, the usage: paragraphs in this order.
    let text = error.render().to_string();
    let mut paragraphs =
        text.split("\n\n").map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    let first = paragraphs.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    // Clap's tip for an option that does not exist is to write "-- --option", a file of that name.
    let is_tip = |paragraph: &String| paragraph.starts_with("tip: to pass ");
    let mut paragraphs = paragraphs.by_ref().filter(|paragraph| !is_tip(paragraph));
    let told = |prefix: &str, paragraph: String| paragraph.strip_prefix(prefix).map(str::to_owned);
    let help = paragraphs.find_map(|paragraph| {
        told("tip: ", paragraph.clone())
            .or_else(|| told("Usage: ", paragraph).map(|usage| format!("write {usage}")))
    });
    Some(CliError::new(message, help.unwrap_or_else(|| "see narrows --help".to_owned())))
}
