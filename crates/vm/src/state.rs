//! Filter state: what filters say about a stream, where no client can write.

use std::collections::BTreeMap;
use std::fmt;

/// The filter state of a stream by full name; what a Wasm filter sets starts with `wasm.`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FilterState(BTreeMap<Vec<u8>, Vec<u8>>);

impl FilterState {
    /// The value under a full name, such as `wasm.narrows_rule`.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.0.get(name.as_ref()).map(Vec::as_slice)
    }

    /// Writes a value, as a filter before this one would have.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.0.insert(name.as_ref().to_vec(), value.as_ref().to_vec());
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for FilterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line =
            |(name, value): (&[u8], &[u8])| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
        f.debug_list().entries(self.iter().map(line)).finish()
    }
}
