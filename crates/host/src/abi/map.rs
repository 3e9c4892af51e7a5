//! The headers of a message as Envoy wrote them: one buffer, read in place.
//!
//! The SDK makes two allocations for each header, and a client chooses how many headers there are. This
//! module allocates nothing beyond the buffer.

use std::slice;

use super::{MapType, header_map};

/// The headers or trailers of a message.
pub(crate) struct Map(Box<[u8]>);

/// Their names and values, in order.
pub(crate) struct Pairs<'m> {
    lengths: slice::Iter<'m, [u8; 8]>,
    texts: &'m [u8],
}

impl Map {
    /// The headers or trailers of a message that is in its phase; else none.
    pub(crate) fn read(map: MapType) -> Self {
        header_map(map).map(Self).unwrap_or_default()
    }

    pub(crate) fn pairs(&self) -> Pairs<'_> {
        Pairs::of(&self.0)
    }

    /// All names and values in one list.
    pub(crate) fn lines(&self) -> Vec<(&[u8], &[u8])> {
        let mut pairs = self.pairs();
        let mut lines = Vec::with_capacity(pairs.lengths.len());
        while let Some(pair) = pairs.pair() {
            lines.push(pair);
        }
        lines
    }
}

/// No headers.
impl Default for Map {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<'m> Pairs<'m> {
    /// Reads the ABI's form: a count, the two lengths of each pair, then each name and each value with
    /// a NUL after it. A broken part ends the list.
    pub(super) fn of(bytes: &'m [u8]) -> Self {
        let parts = bytes.split_first_chunk().and_then(|(count, rest)| {
            let lengths = size(u32::from_le_bytes(*count).into()).checked_mul(size_of::<[u8; 8]>())?;
            rest.split_at_checked(lengths)
        });
        let (lengths, texts) = parts.unwrap_or_default();
        Self { lengths: lengths.as_chunks().0.iter(), texts }
    }

    fn pair(&mut self) -> Option<(&'m [u8], &'m [u8])> {
        let lengths = u64::from_le_bytes(*self.lengths.next()?);
        Some((self.text(lengths & u64::from(u32::MAX))?, self.text(lengths >> 32)?))
    }

    fn text(&mut self, length: u64) -> Option<&'m [u8]> {
        let (text, rest) = self.texts.split_at_checked(size(length))?;
        let [0, rest @ ..] = rest else { return None };
        self.texts = rest;
        Some(text)
    }
}

impl<'m> Iterator for Pairs<'m> {
    type Item = (&'m [u8], &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.pair();
        if pair.is_none() {
            self.lengths = slice::Iter::default();
        }
        pair
    }

    /// At most as many pairs as there are lengths, which the buffer has room for.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.lengths.len()))
    }
}

/// A number of 32 bits, which is how many an address in the VM has.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
