//! Conditions on one value.
//!
//! Each way to test a value is a file of its own below: how a policy writes the test, when it holds,
//! and the [`Terms`] by which an index may look for values that meet it. A new test is a new line in
//! the table here.

mod contains;
mod exact;
mod prefix;
mod present;
mod range;
mod reading;
mod regex;
mod semver;
mod suffix;
mod terms;
mod within;

#[cfg(test)]
pub(crate) use self::{exact::Exact, prefix::Prefix, range::Range, suffix::Suffix};
use super::needles::Needle;
use crate::language::describe::{Field, Kind};
use crate::language::invalid::Invalid;
pub(crate) use reading::{OfPath, Reading};
pub(crate) use terms::{Terms, integer};
pub(crate) use within::In;

/// A way to test a value.
trait ValueTest: Sized {
    /// How a policy writes it.
    const FIELD: Field;
    /// Whether letter case matters to it.
    const HAS_CASE: bool = true;
    /// What may be written if the value is a path.
    const OF_PATH: OfPath = OfPath::AsWritten;
    /// Whether a value meets the test exactly if [`Self::terms`] holds for it. Then one of many values
    /// may be found by its terms, and equal tests are tried as one.
    const IS_ITS_TERMS: bool = false;

    /// Reads it.
    fn read(reading: &Reading<'_>) -> Result<Self, Invalid>;

    /// Whether a value meets it.
    fn holds(&self, value: &[u8]) -> bool;

    /// The same for a value in any letter case; what was read is in lower case.
    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        self.holds(&value.to_ascii_lowercase())
    }

    /// The terms that hold for every value that meets it.
    fn terms(&self) -> Terms<'_> {
        Terms::Unknown
    }

    /// The text that it looks for anywhere in a value.
    fn needle(&mut self) -> Option<&mut Needle> {
        None
    }

    /// A copy, if the test is nothing more than its terms.
    fn copy(&self) -> Option<Self> {
        None
    }
}

/// How a test is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    /// See [`ValueTest::HAS_CASE`].
    pub(crate) has_case: bool,
    /// See [`ValueTest::OF_PATH`].
    pub(crate) of_path: OfPath,
    pub(crate) read: fn(&Reading<'_>) -> Result<Test, Invalid>,
}

macro_rules! tests {
    ([$($path:ident::$Path:ident,)+] [$($own:ident::$Own:ident,)+]) => {
        /// What a value must be. Text that ignores letter case is kept in lower case.
        #[derive(Clone, Debug)]
        pub(crate) enum Test { $($Path($path::$Path),)+ $($Own($own::$Own),)+ }

        /// The tests of paths.
        pub(crate) const OF_PATHS: [Kind<Reader>; [$($path::$Path::FIELD),+].len()] = [$(Kind {
            field: $path::$Path::FIELD,
            read: Reader {
                has_case: $path::$Path::HAS_CASE,
                of_path: $path::$Path::OF_PATH,
                read: |from| $path::$Path::read(from).map(Test::$Path),
            },
        }),+];
        /// All tests.
        pub(crate) static TESTS: [Kind<Reader>; FIELDS.len()] = [
            $(Kind {
                field: $path::$Path::FIELD,
                read: Reader {
                    has_case: $path::$Path::HAS_CASE,
                    of_path: $path::$Path::OF_PATH,
                    read: |from| $path::$Path::read(from).map(Test::$Path),
                },
            },)+
            $(Kind {
                field: $own::$Own::FIELD,
                read: Reader {
                    has_case: $own::$Own::HAS_CASE,
                    of_path: $own::$Own::OF_PATH,
                    read: |from| $own::$Own::read(from).map(Test::$Own),
                },
            },)+
        ];
        /// Their fields.
        pub(crate) const FIELDS: [Field; [$($path::$Path::FIELD,)+ $($own::$Own::FIELD,)+].len()] =
            [$($path::$Path::FIELD,)+ $($own::$Own::FIELD,)+];

        impl Test {
            /// As a policy writes it.
            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $(Self::$Path(_) => $path::$Path::FIELD.name,)+
                    $(Self::$Own(_) => $own::$Own::FIELD.name,)+
                }
            }

            fn holds(&self, value: &[u8]) -> bool {
                match self {
                    $(Self::$Path(test) => test.holds(value),)+
                    $(Self::$Own(test) => test.holds(value),)+
                }
            }

            fn holds_in_any_case(&self, value: &[u8]) -> bool {
                match self {
                    $(Self::$Path(test) => test.holds_in_any_case(value),)+
                    $(Self::$Own(test) => test.holds_in_any_case(value),)+
                }
            }

            /// The terms that hold for every value that meets it.
            pub(crate) fn terms(&self) -> Terms<'_> {
                match self {
                    $(Self::$Path(test) => test.terms(),)+
                    $(Self::$Own(test) => test.terms(),)+
                }
            }

            /// Its terms, if they are the whole test.
            pub(crate) fn sole_terms(&self) -> Terms<'_> {
                let is_its_terms = match self {
                    $(Self::$Path(_) => $path::$Path::IS_ITS_TERMS,)+
                    $(Self::$Own(_) => $own::$Own::IS_ITS_TERMS,)+
                };
                if is_its_terms { self.terms() } else { Terms::Unknown }
            }

            fn needle(&mut self) -> Option<&mut Needle> {
                match self {
                    $(Self::$Path(test) => test.needle(),)+
                    $(Self::$Own(test) => test.needle(),)+
                }
            }

            /// A copy, if the test is nothing more than its terms: an engine is never copied.
            pub(crate) fn copy(&self) -> Option<Self> {
                match self {
                    $(Self::$Path(test) => test.copy().map(Self::$Path),)+
                    $(Self::$Own(test) => test.copy().map(Self::$Own),)+
                }
            }
        }
    };
}

// The first group are tests of paths too.
tests! {
    [exact::Exact, prefix::Prefix, suffix::Suffix, contains::Contains, regex::Regex, within::In,]
    [range::Range, semver::Semver, present::Present,]
}

/// A condition on a value under a name.
#[derive(Clone, Debug)]
pub(crate) struct ValueMatch {
    pub(crate) test: Test,
    pub(crate) ignore_case: bool,
    pub(crate) invert: bool,
}

impl ValueMatch {
    /// A value must be one of these.
    pub(crate) fn one_of(values: Vec<Box<[u8]>>) -> Self {
        let test = Test::In(In(values.into_iter().collect()));
        Self { test, ignore_case: false, invert: false }
    }

    /// Whether the condition holds for the values under a name.
    ///
    /// Without `invert` it holds if one value meets it, as in Envoy's own matcher since 1.39. Under
    /// `invert` it holds if one value fails it, or if there is no value. So a rule that refuses
    /// everyone who is not `admin` also refuses a request without the header, and a second header line
    /// cannot get past it. Envoy's own `invert_match` holds only if every value fails.
    pub(crate) fn matches(&self, mut values: &mut dyn Iterator<Item = &[u8]>) -> bool {
        if let Terms::Present(wanted) = self.test.terms() {
            return (values.next().is_some() == wanted) != self.invert;
        }
        let Some(first) = values.next() else { return self.invert };
        self.is_of(first) || Iterator::any(&mut values, |value| self.is_of(value))
    }

    /// Whether the condition holds where only the first of several values counts. Under `invert` all of
    /// them count, for the reason above.
    #[cfg(test)]
    pub(crate) fn matches_first<'v>(&self, values: impl Iterator<Item = &'v [u8]>) -> bool {
        let counted = if self.invert { usize::MAX } else { 1 };
        self.matches(&mut values.take(counted))
    }

    /// Whether a condition of `withoutHeaders`, which must not hold, is met: by one value, where a
    /// missing header counts as an empty one. This is exactly Envoy's `invert_match` with
    /// `treat_missing_header_as_empty`, which Istio's `withoutHeaders` becomes.
    pub(crate) fn excludes(&self, mut values: &mut dyn Iterator<Item = &[u8]>) -> bool {
        if let Terms::Present(wanted) = self.test.terms() {
            return values.next().is_some() == wanted;
        }
        let first = values.next().unwrap_or_default();
        self.holds(first) || Iterator::any(&mut values, |value| self.holds(value))
    }

    /// Whether the condition holds for a value that is there exactly once.
    pub(crate) fn is_of(&self, value: &[u8]) -> bool {
        self.holds(value) != self.invert
    }

    #[inline(never)]
    fn holds(&self, value: &[u8]) -> bool {
        if self.ignore_case { self.test.holds_in_any_case(value) } else { self.test.holds(value) }
    }

    /// The text that it looks for anywhere in a value.
    pub(crate) fn needle(&mut self) -> Option<&mut Needle> {
        self.test.needle()
    }
}
