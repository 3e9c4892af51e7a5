//! Texts that no request can carry, where a policy compares with them.
//!
//! What Envoy lets through is less than what a policy may write: a header's value has no line ends and no
//! blanks around it, a cookie ends at `;`, a path has no blanks and its query is no part of it. A query
//! parameter may be anything, because it is percent-decoded. `tests/e2e/wire.rs` compares with real Envoy.

use narrows_core::{Form, has_value};

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
    /// A parameter of the query: any bytes, for it is percent-decoded.
    Query,
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
            Self::Header | Self::Query => None,
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

impl Carrier {
    /// Why no request has a value there that this expression matches; `None` if one has, or if it is too dear
    /// to find out.
    pub fn lacks_match(self, regex: &str, ignore_case: bool) -> Option<&'static str> {
        let own = Form { next: &|state, byte| self.next(state, byte), ends: &|state| self.ends(state) };
        if has_value(regex, ignore_case, &own)? {
            return None;
        }
        let any = Form { next: &|_, _| Some(0), ends: &|_| true };
        if has_value(regex, ignore_case, &any) != Some(true) {
            return Some("no text matches this expression");
        }
        Some(match self {
            Self::Path => "a path begins with \"/\", has no blanks, and is compared without its query",
            Self::Method => "a method has letters, digits and no blanks",
            Self::Header => "a value has no control characters such as line ends, and no blanks around it",
            Self::Cookie => "a cookie has no control characters, and ends at \";\"",
            Self::Query => "no text matches this expression",
        })
    }

    /// The state of a value after one more byte; nothing if no value goes on so. It starts in 0.
    fn next(self, state: u8, byte: u8) -> Option<u8> {
        let is_control = byte != b'\t' && byte.is_ascii_control();
        let is_blank = matches!(byte, b' ' | b'\t');
        let may = match self {
            Self::Path if state == 0 => byte == b'/',
            Self::Path => !is_control && !is_blank && !matches!(byte, b'?' | b'#'),
            Self::Method => is_token(byte),
            Self::Header => !is_control && (state != 0 || !is_blank),
            Self::Cookie => !is_control && byte != b';',
            Self::Query => true,
        };
        may.then_some(if self == Self::Header && is_blank { BLANK } else { 1 })
    }

    /// Whether a value may end in a state.
    fn ends(self, state: u8) -> bool {
        match self {
            Self::Method => state != 0,
            Self::Header => state != BLANK,
            Self::Path | Self::Cookie | Self::Query => true,
        }
    }
}

/// The state of a header's value behind a blank.
const BLANK: u8 = 2;

/// A byte of a token (RFC 9110 §5.6.2), as methods are.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
