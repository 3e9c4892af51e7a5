//! The value of a header, cookie or parameter, if it is there.

use std::borrow::Cow;

/// The value under a name, and whether there was more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// No value under that name.
    Absent,
    /// One value, perhaps empty.
    Single(Cow<'a, [u8]>),
    /// More than one: joined with `,` for headers, the first for cookies.
    Multiple(Cow<'a, [u8]>),
}

impl<'a> FieldValue<'a> {
    /// All values of a header as one, joined with `,`: a list means the same (RFC 9110 §5.3).
    pub(crate) fn joined(values: &mut dyn Iterator<Item = &'a [u8]>) -> Self {
        let Some(first) = values.next() else { return Self::Absent };
        let Some(second) = values.next() else { return Self::Single(first.into()) };
        let mut all = first.to_vec();
        for value in std::iter::once(second).chain(values) {
            all.push(b',');
            all.extend_from_slice(value);
        }
        Self::Multiple(all.into())
    }

    /// The first of the values.
    pub(crate) fn first(values: &mut dyn Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(first), None) => Self::Single(first.into()),
            (Some(first), Some(_)) => Self::Multiple(first.into()),
        }
    }

    /// The value to read, if there is one.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Absent => None,
            Self::Single(value) | Self::Multiple(value) => Some(value),
        }
    }
}
