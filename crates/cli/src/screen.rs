//! What reaches a terminal: colours only where they are wanted, and nothing that moves its cursor.

use std::borrow::Cow;
use std::io;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set; elsewhere if `CLICOLOR_FORCE` is
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether the standard output gets colours.
    pub fn of_output(self) -> bool {
        self.is_on(AutoStream::choice(&io::stdout()))
    }

    /// Whether the standard error gets colours.
    pub fn of_errors(self) -> bool {
        self.is_on(AutoStream::choice(&io::stderr()))
    }

    fn is_on(self, choice: ColorChoice) -> bool {
        match self {
            Self::Auto => !matches!(choice, ColorChoice::Never),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The columns of the terminal, if the output is one.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// The last net: whatever a command has not escaped. Controls below the blank are escaped where they are
/// written, and colours are among them; those above it are nobody's.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // In JSON and in YAML this is the same character.
        if is_hidden(c) { shown.push_str(&format!("\\u{:04x}", u32::from(c))) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// A control above the ASCII letters, or a character that reorders or hides the text beside it.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn what_is_written_as_json_stays_json() {
        let text = "u\u{9b}2J\u{202e}\u{7f}é";
        let json = serde_json::to_string(text).unwrap();
        let shown = safe(&json);
        assert_eq!(shown, r#""u\u009b2J\u202e\u007fé""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        assert_eq!(safe("a\n\tb \u{1b}[1m"), "a\n\tb \u{1b}[1m");
    }
}
