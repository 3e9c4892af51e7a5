//! What was found under a name.

use std::borrow::Cow;

/// The value under a name, and whether there was more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing under that name.
    Missing,
    /// One value, perhaps empty.
    Once(Cow<'a, [u8]>),
    /// More than one: joined with `,` for headers, the first for cookies and
    /// query parameters.
    Repeated(Cow<'a, [u8]>),
}

impl<'a> Found<'a> {
    /// All values of a header as one, joined with `,` as Envoy's own matchers see them.
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
        Self::first_of(&mut values.map(Cow::Borrowed))
    }

    /// The first of the values, which may have been decoded.
    pub(crate) fn first_of(values: &mut dyn Iterator<Item = Cow<'a, [u8]>>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Missing,
            (Some(first), None) => Self::Once(first),
            (Some(first), Some(_)) => Self::Repeated(first),
        }
    }

    /// The value to read, if there is one.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Missing => None,
            Self::Once(value) | Self::Repeated(value) => Some(value),
        }
    }

    /// The value, if there is exactly one and it is not empty: what can be a key.
    pub fn unambiguous(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Once(value) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}
