//! What was found under a name.

use std::borrow::Cow;

/// The value under a name, and whether there was more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing under that name.
    Missing,
    /// One value, perhaps empty.
    Once(Cow<'a, [u8]>),
    /// More than one: joined with `,` for headers, the first for cookies.
    Repeated(Cow<'a, [u8]>),
}

impl<'a> Found<'a> {
    /// All values of a header as one, joined with `,`: a list says the same (RFC 9110 §5.3).
    pub(crate) fn joined(values: &mut dyn Iterator<Item = &'a [u8]>) -> Self {
        let Some(first) = values.next() else { return Self::Missing };
        let Some(second) = values.next() else { return Self::Once(first.into()) };
        let mut all = first.to_vec();
        for value in std::iter::once(second).chain(values) {
            all.push(b',');
            all.extend_from_slice(value);
        }
        Self::Repeated(all.into())
    }

    /// The first of the values.
    pub(crate) fn first(values: &mut dyn Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Missing,
            (Some(first), None) => Self::Once(first.into()),
            (Some(first), Some(_)) => Self::Repeated(first.into()),
        }
    }

    /// The value to read, if there is one.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Missing => None,
            Self::Once(value) | Self::Repeated(value) => Some(value),
        }
    }
}
