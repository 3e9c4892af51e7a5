//! `narrows explain`

use clap::Args;

use super::Done;
use crate::code::Code;
use crate::code::example::Example;
use crate::error::CliError;
use crate::explain;

/// Explain codes, each with an example that is wrong and one that is right
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The codes, such as NRW201; without any, all codes are listed
    codes: Vec<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        if self.codes.is_empty() {
            let list = explain::all().iter().map(|code| format!("{}  {}\n", code.id, code.title));
            return Ok(Done::clean(list.collect()));
        }
        let mut texts = Vec::new();
        for id in self.codes {
            let code = explain::find(&id.to_ascii_uppercase()).ok_or_else(|| {
                CliError::new(format!("unknown code {id:?}"), "run \"narrows explain\" for the list")
            })?;
            texts.push(text(code));
        }
        Ok(Done::clean(texts.join("\n")))
    }
}

/// What there is to say about a code.
fn text(code: &Code) -> String {
    let mut text = format!("{}: {}\n\n{}\n", code.id, code.title, code.text);
    let Some(example) = Example::of(code.id) else { return text };
    for (name, file) in example.beside() {
        text.push_str(&format!("\nWith this {name}:\n\n{}", indented(file)));
    }
    for (what, file) in [("Wrong", example.bad()), ("Right", example.good())] {
        text.push_str(&format!("\n{what}:\n\n{}", indented(file)));
    }
    text
}

fn indented(file: &str) -> String {
    file.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect()
}
