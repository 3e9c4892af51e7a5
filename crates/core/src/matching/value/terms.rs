//! What an index knows of a test.

use crate::matching::needles::Needle;
use crate::matching::texts::Texts;

/// What is true of every value that meets a test. If the test ignores letter case, its text is in lower
/// case.
#[derive(Debug)]
pub(crate) enum Terms<'t> {
    /// It is this text.
    Is(&'t [u8]),
    /// It is one of these texts.
    In(&'t Texts),
    /// It starts with this text.
    Starts(&'t [u8]),
    /// It ends with this text.
    Ends(&'t [u8]),
    /// It holds this text.
    Holds(&'t Needle),
    /// It is an integer between the bounds; the first is included, the second excluded.
    Within(i64, i64),
    /// It is there, with any value; or, if false, it is absent.
    Present(bool),
    /// Only that it is there.
    Unknown,
}

/// A whole decimal integer, as Envoy's range match reads one (`absl::SimpleAtoi`).
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    let is_space = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    std::str::from_utf8(value).ok()?.trim_matches(is_space).parse().ok()
}
