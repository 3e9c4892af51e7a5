//! Texts that no request can carry, where a policy compares with them.
//!
//! What Envoy lets through is less than what a policy may write: a header's value has no line ends and no
//! blanks around it, a cookie ends at `;`, a path has no blanks and its query is no part of it. A query
//! parameter may be anything, because it is percent-decoded. `tests/e2e/wire.rs` compares with real Envoy.

/// Where a request carries a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The path without its query.
    Path,
    /// The method.
    Method,
    /// A header; blanks around its value are no part of it.
    Header,
    /// A cookie; its value may stand in quotes.
    Cookie,
}

/// Which part of the value a text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The beginning.
    Start,
    /// The end.
    End,
    /// Somewhere in it.
    Inside,
}

impl Carrier {
    /// Why no request can have this text there; `None` if one can.
    pub fn lacks(self, part: Part, text: &str) -> Option<&'static str> {
        let has = |wrong: fn(char) -> bool| text.contains(wrong);
        let begins = matches!(part, Part::Whole | Part::Start);
        let ends = matches!(part, Part::Whole | Part::End);
        let is_blank = |c: char| matches!(c, ' ' | '\t');
        match self {
            Self::Header | Self::Cookie if has(|c| c != '\t' && c.is_ascii_control()) => {
                Some("a proxy refuses line ends and other control characters there")
            }
            Self::Header if begins && text.starts_with(is_blank) || ends && text.ends_with(is_blank) => {
                Some("blanks around a value are no part of it")
            }
            Self::Header => None,
            Self::Cookie => text.contains(';').then_some("a cookie ends at \";\""),
            Self::Path if has(|c| c == ' ' || c.is_ascii_control()) => {
                Some("a path has no blanks and no control characters: a client writes %20")
            }
            Self::Path if text.contains('?') => {
                Some("the path is compared without its query: match \"queryParams\"")
            }
            Self::Path if text.contains('#') => Some("a client sends no fragment"),
            Self::Path if begins && !text.is_empty() && !text.starts_with('/') => {
                Some("every path begins with \"/\"")
            }
            Self::Path => None,
            Self::Method if !text.bytes().all(is_token) => Some("a method has letters, digits and no blanks"),
            Self::Method if part == Part::Whole && text.is_empty() => Some("every request has a method"),
            Self::Method => None,
        }
    }
}

/// A byte of a token (RFC 9110 §5.6.2), as methods are.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
