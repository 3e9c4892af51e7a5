//! A fault in a file, with its place.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::words::{Words, in_words};

/// What is wrong, and where: line and column from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// A lower-case phrase.
    pub message: String,
    /// What to do about it, if more is known than what every file needs.
    pub help: Option<String>,
}

impl Fault {
    /// A fault of a whole part of a file.
    pub fn at_start(message: impl Into<String>) -> Self {
        Self::at(1, 1, &Words { what: message.into(), help: String::new() })
    }

    /// A fault at a line and a column.
    pub fn at(line: usize, column: usize, words: &Words) -> Self {
        let help = Some(words.help.clone()).filter(|help| !help.is_empty());
        Self { line, column, message: words.what.clone(), help }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl std::error::Error for Fault {}

/// The lines and columns where the elements of the lists `cases` and `refused` begin, as far as they can be
/// told.
pub(crate) fn places_of(text: &str) -> [Vec<(usize, usize)>; 2] {
    let number = |of: u64| usize::try_from(of).unwrap_or(1).max(1);
    let places = |list: Vec<Spanned<Value>>| -> Vec<(usize, usize)> {
        let place = |one: &Spanned<Value>| (number(one.referenced.line()), number(one.referenced.column()));
        list.iter().map(place).collect()
    };
    let Ok(Lists { cases, refused }) = yaml(text) else { return [Vec::new(), Vec::new()] };
    [places(cases), places(refused)]
}

/// The lists of a case file, each element with its place.
#[derive(Deserialize)]
struct Lists {
    #[serde(default)]
    cases: Vec<Spanned<Value>>,
    #[serde(default)]
    refused: Vec<Spanned<Value>>,
}

/// Reads one document of YAML or JSON. A number is no string: it must be in quotes.
pub fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        no_schema: true,
        strict_booleans: true,
        // As many as of a policy: a request has a dozen.
        budget: serde_saphyr::budget! { max_events: 6_000_000, max_nodes: 2_000_000 },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location();
        let number = |of: Option<u64>| of.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
        let (line, column) = (number(place.map(|p| p.line())), number(place.map(|p| p.column())));
        let told = error.to_string().replace(&format!(" at line {line}, column {column}"), "");
        Fault::at(line, column, &in_words(&told))
    })
}
