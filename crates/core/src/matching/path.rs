//! Conditions on the path.

use super::value::{Terms, ValueMatch};
use crate::language::path_template::PathTemplate;
use crate::matching::request::Request;

/// A condition on the path without its query.
#[derive(Clone, Debug)]
pub(crate) struct PathMatch {
    pub(crate) form: PathForm,
    pub(crate) ignore_case: bool,
    pub(crate) invert: bool,
}

/// Tests that only paths have, and tests of values.
#[derive(Clone, Debug)]
pub(crate) enum PathForm {
    /// A value test; letter case and inversion are the value's own.
    Value(ValueMatch),
    /// Whole segments, as in Gateway API's `PathPrefix`: `/api` covers `/api` and `/api/x`, not
    /// `/apix`. It is kept without a trailing slash.
    Segments(Box<[u8]>),
    /// `/users/{id}`.
    Template(PathTemplate),
}

/// The text with which every path begins that meets a condition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'p> {
    /// In lower case if letter case is ignored; whole segments have no slash at their end.
    pub(crate) text: &'p [u8],
    pub(crate) is_whole: bool,
    pub(crate) ignore_case: bool,
}

impl Start<'_> {
    /// The same for the paths of both, if it is the same text.
    pub(crate) fn joined(self, other: Self) -> Option<Self> {
        let ignore_case = self.ignore_case || other.ignore_case;
        let is_same =
            if ignore_case { self.text.eq_ignore_ascii_case(other.text) } else { self.text == other.text };
        (is_same && self.is_whole == other.is_whole).then_some(Self { ignore_case, ..self })
    }
}

impl PathMatch {
    /// The text with which a path must begin, if that is the condition.
    pub(crate) fn start(&self) -> Option<Start<'_>> {
        let (text, is_whole) = match &self.form {
            PathForm::Segments(prefix) => (&**prefix, true),
            PathForm::Value(value) => match value.test.sole_terms() {
                Terms::Starts(text) => (text, false),
                _ => return None,
            },
            PathForm::Template(_) => return None,
        };
        (!self.invert).then_some(Start { text, is_whole, ignore_case: self.ignore_case })
    }

    /// Whether it holds for the path of a request. What other conditions have asked about the path is
    /// reused.
    pub(crate) fn is_met(&self, request: &Request<'_>) -> bool {
        let path = request.path();
        match &self.form {
            PathForm::Value(value) => request.path_meets(value),
            PathForm::Segments(prefix) => {
                let is_same = |start: &[u8]| {
                    if self.ignore_case { start.eq_ignore_ascii_case(prefix) } else { *start == **prefix }
                };
                let holds = path.split_at_checked(prefix.len()).is_some_and(|(start, rest)| {
                    is_same(start) && (rest.is_empty() || rest.starts_with(b"/"))
                });
                holds != self.invert
            }
            PathForm::Template(template) => {
                template.matches_at(path, request.slashes(), self.ignore_case) != self.invert
            }
        }
    }

    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        match &self.form {
            PathForm::Value(value) => value.is_of(path),
            form if self.ignore_case && path.iter().any(u8::is_ascii_uppercase) => {
                form.holds(&path.to_ascii_lowercase()) != self.invert
            }
            form => form.holds(path) != self.invert,
        }
    }
}

impl PathForm {
    fn holds(&self, path: &[u8]) -> bool {
        match self {
            // Its own `matches` has been called already.
            Self::Value(_) => false,
            Self::Segments(prefix) => {
                path.strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
            Self::Template(template) => template.matches(path),
        }
    }
}
