//! Mistakes on the command line, printed like every other error.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use narrows_core::nearest::suggestion;

use crate::command::Arguments;
use crate::error::CliError;

/// The error that clap found in these words, the first of which is the program; `None` if it is not a
/// mistake, such as `--help`.
pub fn describe(error: &clap::Error, words: &[String]) -> Option<CliError> {
    let asked = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || error.kind() == asked {
        return None;
    }
    let mut program = Arguments::command();
    program.build();
    if error.kind() == ErrorKind::InvalidSubcommand {
        let known: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
        let written = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string).unwrap_or_default();
        let near = suggestion(&written, &known).map_or_else(String::new, |near| format!("{near} "));
        return Some(CliError::new(
            format!("there is no command {written:?}"),
            format!("{near}write one of {}; see narrows --help", known.join(", ")),
        ));
    }
    let command = words.iter().skip(1).find_map(|word| program.find_subcommand(word));
    // The message, perhaps a tip, the usage: paragraphs in this order.
    let text = error.render().to_string();
    let mut paragraphs =
        text.split("\n\n").map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    let first = paragraphs.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(&first);
    let message = message.split(" [possible values: ").next().unwrap_or_default().to_owned();
    // Clap's tip for an option that does not exist is to write "-- --option", a file of that name.
    let is_tip = |paragraph: &String| paragraph.starts_with("tip: to pass ");
    let mut paragraphs = paragraphs.by_ref().filter(|paragraph| !is_tip(paragraph));
    let told = |prefix: &str, paragraph: String| paragraph.strip_prefix(prefix).map(str::to_owned);
    let told = paragraphs.find_map(|paragraph| {
        told("tip: ", paragraph.clone())
            .or_else(|| told("Usage: ", paragraph).map(|usage| format!("write {usage}")))
    });
    let own = command.map_or_else(String::new, |command| format!("{} ", command.get_name()));
    let help = told.into_iter().chain(choices(error, command)).chain([format!("see narrows {own}--help")]);
    Some(CliError::new(message, help.collect::<Vec<_>>().join("; ")))
}

/// What may be written for the options that are wrong or missing, where that is one of a few words.
fn choices(error: &clap::Error, command: Option<&Command>) -> Vec<String> {
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        _ => Vec::new(),
    };
    let options = command.into_iter().flat_map(Command::get_arguments);
    let wrong = options.filter(|option| named.contains(&option.to_string()));
    let values = wrong.map(|option| (option.to_string(), option.get_possible_values()));
    let listed = values.filter(|(_, values)| !values.is_empty());
    listed
        .map(|(option, values)| {
            let names: Vec<_> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
            format!("{option} is one of {}", names.join(", "))
        })
        .collect()
}
