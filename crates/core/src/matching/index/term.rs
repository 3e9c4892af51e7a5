//! Index terms, as hashes: a match can be filed under a term, and a request makes terms true.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::matching::kind::Kind;
use crate::matching::needles::NeedleId;
use crate::matching::source::Length;
use crate::order::hash;

/// A term: the hash of a kind, a name and perhaps a text in lower case.
pub(crate) type Term = u64;

/// A longer text is filed by its first so many bytes: there is one bit for each length, and longer
/// texts differ sooner.
pub(super) const LONGEST: usize = 64;

/// Where a value is cut: a bit for each length, from one byte to [`LONGEST`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LengthMask {
    pub(super) starts: u64,
    pub(super) ends: u64,
    /// A bit for each power of two that is the size of a block of numbers.
    pub(super) numbers: u64,
}

/// How a term relates to a value.
#[derive(Clone, Copy)]
pub(super) enum Relation {
    Is = 1,
    Starts,
    Ends,
    Within,
}

/// The term for "the name is there".
pub(super) fn presence(kind: Kind, name: &[u8]) -> Term {
    hash(name, kind as u64)
}

/// The term for a fact about the value under a name; `presence` is the term for "the name is there".
/// `text` is in lower case on both sides: a match with letter case is verified in any case.
pub(super) fn term(presence: Term, relation: Relation, text: &[u8]) -> Term {
    hash(text, presence ^ relation as u64)
}

/// The term for "the number is in a block".
pub(super) fn of_numbers(presence: Term, power: usize, block: i64) -> Term {
    let size = mixed(presence ^ (power as u64) << 8 ^ Relation::Within as u64);
    mixed(size ^ block.cast_unsigned())
}

/// The term for "the address is in a network".
pub(super) fn of_block(length: Length, network: u128) -> Term {
    let kind = [&[u8::from(length.v6)][..], &length.mask.to_le_bytes()].concat();
    term(presence(Kind::Address, &kind), Relation::Within, &network.to_le_bytes())
}

/// The term for "the text was found".
pub(super) fn of_needle(id: NeedleId) -> Term {
    mixed(!(u64::from(id.hay) << 32 | u64::from(id.text)))
}

/// The bit of a length; none if the length is out of range.
pub(super) fn bit(length: usize) -> u64 {
    let index = length.checked_sub(1).and_then(|index| u32::try_from(index).ok());
    index.and_then(|index| 1u64.checked_shl(index)).unwrap_or_default()
}

/// A number with its bits spread (Steele and others, 2014): no two numbers become the same.
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Numbers by terms. Terms are hashes already.
pub(super) type ByTerm = HashMap<Term, u32, BuildHasherDefault<Identity>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is called for a `u64`; other bytes are folded in, not lost.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, term: u64) {
        self.0 = term;
    }
}
