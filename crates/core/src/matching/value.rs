//! Conditions on one value.

use super::needles::Needle;
use super::pattern::Pattern;
use super::texts::Texts;

/// What a value must be. Text that ignores letter case is kept in lower case.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Needle),
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
    /// Whether the condition holds for the values under a name.
    ///
    /// Plain: if one value meets it, as Envoy's own matcher since 1.39. Under `invert`: if one
    /// value fails it, or there is none. So a rule that refuses whoever is not `admin` also
    /// refuses a request without the header, and no second line can open it; Envoy's own
    /// `invert_match` holds only if every value fails.
    pub(crate) fn matches(&self, mut values: &mut dyn Iterator<Item = &[u8]>) -> bool {
        if let Test::Present(wanted) = self.test {
            return (values.next().is_some() == wanted) != self.invert;
        }
        let Some(first) = values.next() else { return self.invert };
        self.is_of(first) || Iterator::any(&mut values, |value| self.is_of(value))
    }

    /// Whether the condition holds where only the first of several values counts. Under
    /// `invert` all of them do, for the same reason as above.
    #[cfg(test)]
    pub(crate) fn matches_first<'v>(&self, values: impl Iterator<Item = &'v [u8]>) -> bool {
        let counted = if self.invert { usize::MAX } else { 1 };
        self.matches(&mut values.take(counted))
    }

    /// Whether the condition, which must be missed (`withoutHeaders`), is met: by one value, a
    /// missing header counting as an empty one. Exactly Envoy's `invert_match` with
    /// `treat_missing_header_as_empty`, which is what Istio's `withoutHeaders` becomes.
    pub(crate) fn bars(&self, mut values: &mut dyn Iterator<Item = &[u8]>) -> bool {
        if let Test::Present(wanted) = self.test {
            return values.next().is_some() == wanted;
        }
        let first = values.next().unwrap_or_default();
        self.holds(first) || Iterator::any(&mut values, |value| self.holds(value))
    }

    /// Whether the condition holds for what is there exactly once.
    pub(crate) fn is_of(&self, value: &[u8]) -> bool {
        self.holds(value) != self.invert
    }

    #[inline(never)]
    fn holds(&self, value: &[u8]) -> bool {
        if !self.ignore_case {
            return self.test.holds(value);
        }
        // No copy of a value that may be long, for each of many conditions.
        let part = |part: Option<&[u8]>, wanted: &[u8]| part.is_some_and(|p| p.eq_ignore_ascii_case(wanted));
        match &self.test {
            Test::Exact(wanted) => value.eq_ignore_ascii_case(wanted),
            Test::Prefix(wanted) => part(value.get(..wanted.len()), wanted),
            Test::Suffix(wanted) => {
                part(value.len().checked_sub(wanted.len()).and_then(|at| value.get(at..)), wanted)
            }
            Test::In(wanted) => wanted.contains_in_lower_case(value),
            // A regular expression ignores case by itself.
            test => test.holds(&value.to_ascii_lowercase()),
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

/// A whole decimal integer, as Envoy's range match reads one (`absl::SimpleAtoi`).
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    let is_space = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    std::str::from_utf8(value).ok()?.trim_matches(is_space).parse().ok()
}
