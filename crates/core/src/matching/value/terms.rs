//! What an index may know of a test.

use crate::matching::needles::Needle;
use crate::matching::texts::Texts;

/// What every value has that meets a test. A text of a test that ignores letter case is in lower
/// case.
#[derive(Debug)]
pub(crate) enum Terms<'t> {
    /// It is this text.
    Is(&'t [u8]),
    /// It is one of these.
    In(&'t Texts),
    /// It starts with this.
    Starts(&'t [u8]),
    /// It ends with this.
    Ends(&'t [u8]),
    /// It holds this.
    Holds(&'t Needle),
    /// It is an integer from the first (included) to the second (excluded).
    Within(i64, i64),
    /// It is there, whatever it is, or it is not.
    Present(bool),
    /// Nothing but that it is there.
    Unknown,
}

/// A whole decimal integer, as Envoy's range match reads one (`absl::SimpleAtoi`).
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    let is_space = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    std::str::from_utf8(value).ok()?.trim_matches(is_space).parse().ok()
}
