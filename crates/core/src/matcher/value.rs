//! Conditions on one value.

use super::pattern::Pattern;
use super::texts::Texts;
use crate::request::Found;

/// What a value must be. Text that ignores letter case is kept in lower case.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Box<[u8]>),
    In(Texts),
    /// Boxed: an engine is twenty times the size of the rest.
    Regex(Box<Pattern>),
    /// An integer from the first (included) to the second (excluded).
    Range(i64, i64),
    Present(bool),
}

/// A condition on a value under a name.
#[derive(Clone, Debug)]
pub(crate) struct ValueMatch {
    pub(crate) test: Test,
    pub(crate) ignore_case: bool,
    pub(crate) invert: bool,
}

impl ValueMatch {
    /// Whether the condition holds for what was found.
    ///
    /// `invert` is plain negation: a missing header is not `admin`, so a rule that
    /// refuses everyone who is not `admin` refuses a request without the header.
    ///
    /// Under `invert`, a repeated header equals nothing. Otherwise a client could
    /// send `a` and `b` on two lines to be equal to `"a,b"` once they are joined,
    /// and so pass a rule that refuses everything but that value.
    pub(crate) fn matches(&self, found: &Found<'_>) -> bool {
        self.applies(found, self.invert) != self.invert
    }

    /// Whether the condition must be missed (`withoutHeaders`) and is not: there a
    /// repeated header equals nothing, for the same reason as under `invert`.
    pub(crate) fn bars(&self, found: &Found<'_>) -> bool {
        self.applies(found, true) != self.invert
    }

    fn applies(&self, found: &Found<'_>, is_negated: bool) -> bool {
        match (found, &self.test) {
            (_, Test::Present(wanted)) => found.value().is_some() == *wanted,
            (Found::Missing, _) => false,
            (Found::Repeated(_), Test::Exact(_) | Test::In(_)) if is_negated => false,
            (Found::Once(value) | Found::Repeated(value), _) => self.holds(value),
        }
    }

    fn holds(&self, value: &[u8]) -> bool {
        // A regular expression ignores case by itself.
        if self.ignore_case && value.iter().any(u8::is_ascii_uppercase) {
            self.test.holds(&value.to_ascii_lowercase())
        } else {
            self.test.holds(value)
        }
    }
}

impl Test {
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(wanted) => value == &**wanted,
            Self::Prefix(wanted) => value.starts_with(wanted),
            Self::Suffix(wanted) => value.ends_with(wanted),
            Self::Contains(wanted) => contains(value, wanted),
            Self::In(wanted) => wanted.contains(value),
            Self::Regex(pattern) => pattern.matches(value),
            Self::Range(from, to) => integer(value).is_some_and(|n| (*from..*to).contains(&n)),
            Self::Present(wanted) => *wanted,
        }
    }
}

fn contains(value: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || value.windows(wanted.len()).any(|window| window == wanted)
}

/// A whole decimal integer, as Envoy's range match reads one.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}
