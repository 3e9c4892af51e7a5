//! Conditions on one value.
//!
//! Each way to test a value is a file of its own below: how it is written, when it holds, and by
//! which [`Terms`] an index may look for values that meet it. Another one is another line in the
//! table here.

mod contains;
mod exact;
mod prefix;
mod present;
mod range;
mod reading;
mod regex;
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
    /// Whether letter case means anything to it.
    const HAS_CASE: bool = true;
    /// What is written, where the value is a path.
    const OF_PATH: OfPath = OfPath::AsWritten;
    /// Whether what holds for [`Self::terms`] meets the test, and nothing else does: then one of
    /// many values may be found by them, and equal tests are tried as one.
    const IS_ITS_TERMS: bool = false;

    /// Reads it.
    fn read(reading: &Reading<'_>) -> Result<Self, Invalid>;

    /// Whether a value meets it.
    fn holds(&self, value: &[u8]) -> bool;

    /// The same in any letter case; what was read is in lower case.
    fn holds_in_any_case(&self, value: &[u8]) -> bool {
        self.holds(&value.to_ascii_lowercase())
    }

    /// What every value has that meets it.
    fn terms(&self) -> Terms<'_> {
        Terms::Unknown
    }

    /// The text that it looks for anywhere in a value.
    fn needle(&mut self) -> Option<&mut Needle> {
        None
    }

    /// A copy, where it is its terms.
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

            /// What every value has that meets it.
            pub(crate) fn terms(&self) -> Terms<'_> {
                match self {
                    $(Self::$Path(test) => test.terms(),)+
                    $(Self::$Own(test) => test.terms(),)+
                }
            }

            /// The terms that say all, if any do.
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

            /// A copy, where it is its terms: an engine is never copied.
            pub(crate) fn copy(&self) -> Option<Self> {
                match self {
                    $(Self::$Path(test) => test.copy().map(Self::$Path),)+
                    $(Self::$Own(test) => test.copy().map(Self::$Own),)+
                }
            }
        }
    };
}

// The first are tests of paths too.
tests! {
    [exact::Exact, prefix::Prefix, suffix::Suffix, contains::Contains, regex::Regex, within::In,]
    [range::Range, present::Present,]
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
    /// Plain: if one value meets it, as Envoy's own matcher since 1.39. Under `invert`: if one
    /// value fails it, or there is none. So a rule that refuses whoever is not `admin` also
    /// refuses a request without the header, and no second line can open it; Envoy's own
    /// `invert_match` holds only if every value fails.
    pub(crate) fn matches(&self, mut values: &mut dyn Iterator<Item = &[u8]>) -> bool {
        if let Terms::Present(wanted) = self.test.terms() {
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
        if let Terms::Present(wanted) = self.test.terms() {
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
        if self.ignore_case { self.test.holds_in_any_case(value) } else { self.test.holds(value) }
    }

    /// The text that it looks for anywhere in a value.
    pub(crate) fn needle(&mut self) -> Option<&mut Needle> {
        self.test.needle()
    }
}
