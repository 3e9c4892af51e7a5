//! Headers as Envoy keeps them: an ordered list of bytes, repeats and all.
//!
//! The rules are Envoy's `HeaderMapImpl`. Names are lower case; `host` is another name for
//! `:authority` in a request; pseudo headers come first; a header that Envoy knows by heart is held
//! once, so that adding to it joins with a comma, while any other name may repeat.

use std::fmt;

use crate::inline::Kind;

/// An ordered list of header fields, for building requests and reading results.
///
/// Those of a message in flight know which message, for Envoy treats a request's otherwise than a
/// response's; a list that a test wrote down is just a list. The two compare by their fields.
#[derive(Clone, Default)]
pub struct Headers {
    kind: Kind,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// No headers yet, of a request: a header that Envoy holds once joins its lines.
    pub fn of_request() -> Self {
        Self { kind: Kind::Request, ..Self::default() }
    }

    /// The same headers and one more, for writing a message down in one expression.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.add(name.as_ref(), value.as_ref());
        self
    }

    /// The first value under a name: all that a filter sees when it asks for one header.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = self.kind.canonical(name.as_ref());
        self.fields.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_slice())
    }

    /// The first value under a name as text, for assertions; bytes that are not UTF-8 are replaced.
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Every value under a name, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> Vec<&[u8]> {
        let name = self.kind.canonical(name.as_ref());
        self.iter().filter(|(n, _)| *n == name).map(|(_, value)| value).collect()
    }

    /// Every value under a name joined by commas, as Envoy's matchers see a repeated header.
    pub fn joined(&self, name: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let values = self.all(name);
        (!values.is_empty()).then(|| values.join(&b','))
    }

    /// Puts a value beside those that are there.
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = self.kind.canonical(name);
        if name.is_empty() {
            return; // Envoy's codecs drop it
        }
        if self.kind.holds_once(&name)
            && let Some((_, held)) = self.fields.iter_mut().find(|(n, _)| *n == name)
        {
            // What is empty is dropped (`appendToHeader`).
            if !held.is_empty() && !value.is_empty() {
                held.push(b',');
            }
            held.extend_from_slice(value);
            return;
        }
        let index = if name.starts_with(b":") {
            self.fields.iter().take_while(|(n, _)| n.starts_with(b":")).count()
        } else {
            self.fields.len()
        };
        self.fields.insert(index, (name, value.to_vec()));
    }

    /// Puts one value in the place of all under that name; it moves to the end, as in Envoy.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Takes away every value under a name.
    pub fn remove(&mut self, name: &[u8]) {
        let name = self.kind.canonical(name);
        self.fields.retain(|(n, _)| *n != name);
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many fields there are, repeats counted.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The same fields, put one by one into the headers of a message.
    #[must_use]
    pub fn into_kind(self, kind: Kind) -> Self {
        let empty = Self { kind, fields: Vec::with_capacity(self.fields.len()) };
        self.iter().fold(empty, |headers, (name, value)| headers.with(name, value))
    }

    /// Whose headers they are.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        fields.into_iter().fold(Self::new(), |headers, (name, value)| headers.with(name, value))
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line =
            |(name, value): (&[u8], &[u8])| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
        f.debug_list().entries(self.iter().map(line)).finish()
    }
}
