//! Escapes text that somebody else chose, for a terminal and the log of a workflow.

use std::borrow::Cow;

/// Escapes every character that is not printable. So the text cannot end a line, move the cursor, or
/// reverse the text beside it.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Whether a character cannot be seen, or changes how others are. Quotes and backslashes are harmless.
pub(crate) fn hides(c: char) -> bool {
    !matches!(c, '"' | '\'' | '\\') && c.escape_debug().len() > 1
}

/// The same as [`line()`] for the start of a line. There GitHub's runner reads `::` as a command, also after blanks.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let shown = line(text);
    if shown.trim_start().starts_with("::")
        || shown.starts_with(char::is_whitespace)
        || shown.starts_with("##[")
    {
        return Cow::Owned(format!("{shown:?}"));
    }
    shown
}

/// Bytes as text on one line; bytes that cannot be shown are escaped.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{line, word};

    #[test]
    fn nothing_moves_a_cursor() {
        assert_eq!(line("u1 ü \"a\" \\ '"), "u1 ü \"a\" \\ '");
        assert_eq!(line("u1\u{1b}[2J\u{1b}]0;pwn\u{7}"), "u1\\u{1b}[2J\\u{1b}]0;pwn\\u{7}");
        assert_eq!(
            line("a\n::error::b\r\t\u{9b}\u{202e}\u{2066}"),
            "a\\n::error::b\\r\\t\\u{9b}\\u{202e}\\u{2066}"
        );
    }

    #[test]
    fn nothing_is_a_command() {
        assert_eq!(word("::add-mask::x"), "\"::add-mask::x\"");
        assert_eq!(word(" ::add-mask::x"), "\" ::add-mask::x\"");
        assert_eq!(word("##[group]"), "\"##[group]\"");
        assert_eq!(word("user-1::a"), "user-1::a");
    }
}
