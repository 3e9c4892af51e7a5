//! Facts of a request, as hashes that a clause can be filed under.
//!
//! A fact is that a name is there; that its value is some text, starts or ends with it, or holds it;
//! or that it is a number in some block. The caller's name and address are facts too. What clauses
//! ask for is remembered with the name, so that a request is cut only where some clause would look.

use xxhash_rust::xxh64::Xxh64;

use super::ByFact;
use super::anchor::Anchor;
use super::finder::Finder;
use crate::matcher::source::{Length, ip};
use crate::matcher::value::integer;
use crate::request::Request;

/// A fact: the hash of a kind, a name and perhaps a text in lower case.
pub(crate) type Fact = u64;

/// Where a fact is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Method,
    Path,
    /// One value of a header; each line has its own facts.
    Header,
    /// All values of a header as one.
    Joined,
    Cookie,
    Query,
    Principal,
    Address,
}

/// Where a value is cut: a bit for each length, from one byte to [`LONGEST`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cuts {
    pub(super) starts: u64,
    pub(super) ends: u64,
    /// A bit for each power of two that is the size of a block of numbers.
    pub(super) numbers: u64,
}

/// What clauses ask of the value under one name.
#[derive(Clone, Debug, Default)]
struct Asked {
    cuts: Cuts,
    finder: Finder,
}

/// What must be read of a request to find its clauses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    /// Places in `asked` by the fact that a name is there: nothing else of a request is hashed.
    names: ByFact,
    asked: Vec<Asked>,
    /// A bit for each kind of name among them.
    kinds: u8,
    blocks: Vec<Length>,
}

/// The facts of one request, over a vocabulary.
pub(crate) struct Facts<'r, 'a> {
    pub(crate) request: &'r Request<'a>,
    pub(crate) all: Vec<Fact>,
    /// A bit for some of each fact's bits.
    signature: [u64; 16],
}

impl Vocabulary {
    pub(crate) fn learn(&mut self, anchor: &Anchor) {
        self.kinds |= anchor.kind.bit();
        for length in &anchor.blocks {
            if !self.blocks.contains(length) {
                self.blocks.push(*length);
            }
        }
        let new = u32::try_from(self.asked.len()).unwrap_or_default();
        let place = *self.names.entry(anchor.there).or_insert(new);
        if place == new {
            self.asked.push(Asked::default());
        }
        let Some(asked) = self.asked.get_mut(place as usize) else { return };
        asked.cuts.starts |= anchor.cuts.starts;
        asked.cuts.ends |= anchor.cuts.ends;
        asked.cuts.numbers |= anchor.cuts.numbers;
        if let (Some(text), [fact]) = (&anchor.held, &*anchor.facts) {
            asked.finder.insert(text, *fact);
        }
    }

    /// Call once, when everything has been learned.
    pub(crate) fn finish(&mut self) {
        self.asked.iter_mut().for_each(|asked| asked.finder.finish());
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds & kind.bit() != 0
    }
}

impl Kind {
    fn bit(self) -> u8 {
        1u8.checked_shl(self as u32).unwrap_or_default()
    }
}

impl<'r, 'a> Facts<'r, 'a> {
    pub(crate) fn of(request: &'r Request<'a>, vocabulary: &Vocabulary) -> Self {
        let mut facts = Self { request, all: Vec::new(), signature: [0; 16] };
        if vocabulary.kinds == 0 {
            return facts;
        }
        facts.add(vocabulary, Kind::Method, b"", || request.method().into());
        facts.add(vocabulary, Kind::Path, b"", || request.path().into());
        if vocabulary.has(Kind::Header) {
            for (name, value) in request.headers() {
                facts.add(vocabulary, Kind::Header, name, || value.to_vec());
            }
        }
        if vocabulary.has(Kind::Joined) {
            let mut seen: Vec<&[u8]> = Vec::new();
            for (name, _) in request.headers() {
                let value = || request.header(name).value().unwrap_or_default().into();
                if !seen.contains(name) && facts.add(vocabulary, Kind::Joined, name, value) {
                    seen.push(name);
                }
            }
        }
        if vocabulary.has(Kind::Cookie) {
            for (name, value) in request.cookies() {
                facts.add(vocabulary, Kind::Cookie, name, || value.into());
            }
        }
        if vocabulary.has(Kind::Query) {
            for (name, value) in request.query_params() {
                facts.add(vocabulary, Kind::Query, &name, || value.to_vec());
            }
        }
        if let Some(name) = request.source().principal {
            facts.add(vocabulary, Kind::Principal, b"", || name.into());
        }
        if let Some(address) = request.source().address.filter(|_| vocabulary.has(Kind::Address)).and_then(ip)
        {
            let networks = vocabulary
                .blocks
                .iter()
                .filter_map(|length| length.network(address).map(|network| of_block(*length, network)));
            facts.all.extend(networks);
        }
        // A repeated header, cookie or parameter must not make a candidate twice. (A sort would be three
        // kilobytes of every module.)
        let mut seen = ByFact::default();
        seen.reserve(facts.all.len());
        facts.all.retain(|fact| seen.insert(*fact, 0).is_none());
        for fact in &facts.all {
            let (word, bit) = signed(*fact);
            if let Some(word) = facts.signature.get_mut(word) {
                *word |= bit;
            }
        }
        facts
    }

    /// Whether a fact may hold; if not, it does not.
    pub(crate) fn may_hold(&self, fact: Fact) -> bool {
        let (word, bit) = signed(fact);
        self.signature.get(word).is_none_or(|word| word & bit != 0)
    }

    /// Every fact that `value` under `name` makes true, if any clause asks for that name.
    fn add(
        &mut self,
        vocabulary: &Vocabulary,
        kind: Kind,
        name: &[u8],
        value: impl FnOnce() -> Vec<u8>,
    ) -> bool {
        if !vocabulary.has(kind) {
            return false;
        }
        let there = fact(kind, name, Relation::There, b"");
        let place = vocabulary.names.get(&there);
        let Some(asked) = place.and_then(|place| vocabulary.asked.get(*place as usize)) else { return false };
        let mut value = value();
        value.make_ascii_lowercase();
        self.cut(kind, name, &value, asked.cuts);
        self.all.push(there);
        asked.finder.find(&value, &mut self.all);
        true
    }

    fn cut(&mut self, kind: Kind, name: &[u8], value: &[u8], cuts: Cuts) {
        self.all.push(fact(kind, name, Relation::Is, value));
        let starts = bits(cuts.starts).filter_map(|place| value.get(..=place));
        self.all.extend(starts.map(|text| fact(kind, name, Relation::Starts, text)));
        let ends =
            bits(cuts.ends).filter_map(|place| value.get(value.len().checked_sub(place)?.checked_sub(1)?..));
        self.all.extend(ends.map(|text| fact(kind, name, Relation::Ends, text)));
        if let Some(number) = integer(value).filter(|_| cuts.numbers != 0) {
            self.all.extend(bits(cuts.numbers).map(|power| of_numbers(kind, name, power, number >> power)));
        }
    }
}

/// The bit of a length; none for a length out of reach.
pub(super) fn bit(length: usize) -> u64 {
    let place = length.checked_sub(1).and_then(|place| u32::try_from(place).ok());
    place.and_then(|place| 1u64.checked_shl(place)).unwrap_or_default()
}

/// The places of the bits that are set.
fn bits(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits ^= 1u64.checked_shl(place)?;
        usize::try_from(place).ok()
    })
}

/// Where a fact is in a signature: a word, and a bit of it.
fn signed(fact: Fact) -> (usize, u64) {
    let bit = 1u64.checked_shl(u32::try_from(fact & 63).unwrap_or_default());
    (usize::try_from(fact >> 6 & 15).unwrap_or_default(), bit.unwrap_or_default())
}

/// What a fact says of a value.
#[derive(Clone, Copy)]
pub(super) enum Relation {
    There,
    Is,
    Starts,
    Ends,
    Holds,
    Within,
}

/// The fact that a number is in a block.
pub(super) fn of_numbers(kind: Kind, name: &[u8], power: usize, block: i64) -> Fact {
    let text = (power as u128) << 64 | u128::from(block.cast_unsigned());
    fact(kind, name, Relation::Within, &text.to_le_bytes())
}

/// The fact that an address is in a network.
pub(super) fn of_block(length: Length, network: u128) -> Fact {
    let kind = [&[u8::from(length.v6)][..], &length.mask.to_le_bytes()].concat();
    fact(Kind::Address, &kind, Relation::Within, &network.to_le_bytes())
}

/// The hash of a fact. `text` is in lower case on both sides: a clause that minds letter case is
/// verified anyway.
pub(super) fn fact(kind: Kind, name: &[u8], relation: Relation, text: &[u8]) -> Fact {
    let mut hash = Xxh64::new((kind as u64) << 8 | relation as u64);
    hash.update(name);
    hash.update(&[0]);
    hash.update(text);
    hash.digest()
}

/// A longer text is filed by that much of it: one bit for each length, and longer texts differ
/// sooner.
pub(super) const LONGEST: usize = 64;
