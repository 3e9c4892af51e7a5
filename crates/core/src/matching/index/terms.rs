//! The index terms of a request, as hashes that a match can be filed under.
//!
//! A term is one of these facts: a name is there; its value is some text, starts with it, ends with it
//! or holds it; it is a number in some block. The caller's name and address have terms too. The
//! dictionary remembers with each name what matches ask for, so a value is cut only where some match
//! would look.

use super::key::IndexKey;
use super::term::{ByTerm, LengthMask, Relation, Term, of_block, of_needle, of_numbers, presence, term};
use crate::matching::kind::Kind;
use crate::matching::needles::NeedleId;
use crate::matching::request::Request;
use crate::matching::source::{Length, ip};
use crate::matching::value::integer;
use crate::order::distinct;

/// What matches ask about the value under one name.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    lengths: LengthMask,
    /// Whether later values of a parameter count too.
    any: bool,
}

/// What must be read from a request to find its matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct TermDictionary {
    /// Indices in `asked`, by the term for "the name is there". Nothing else of a request is hashed.
    names: ByTerm,
    asked: Vec<Asked>,
    /// A bit for each kind of name among them.
    kinds: u16,
    blocks: Vec<Length>,
    /// The values that are searched for texts: their indices among the policy's needles.
    hays: Vec<u32>,
    /// The paths of dynamic metadata among the names.
    paths: Vec<Box<[u8]>>,
}

/// The terms of one request, over a dictionary.
pub(crate) struct RequestTerms<'r, 'a> {
    pub(crate) request: &'r Request<'a>,
    /// Ascending, each once.
    pub(crate) all: Vec<Term>,
    /// A signature: a bit for some of each term's bits.
    bloom: [u64; 16],
    /// A bit for each name of a cookie or parameter that came. Where only the first value counts, a
    /// later value makes no term true.
    came: Vec<u64>,
}

impl TermDictionary {
    pub(crate) fn add(&mut self, key: &IndexKey) {
        self.kinds |= key.kind.bit();
        for length in &key.blocks {
            if !self.blocks.contains(length) {
                self.blocks.push(*length);
            }
        }
        let new = u32::try_from(self.asked.len()).unwrap_or_default();
        let index = *self.names.entry(key.presence).or_insert(new);
        if index == new {
            self.asked.push(Asked::default());
        }
        if let Some(hay) = key.hay
            && let Err(index) = self.hays.binary_search(&hay)
        {
            self.hays.insert(index, hay);
        }
        if let Some(path) = &key.path
            && !self.paths.contains(path)
        {
            self.paths.push(path.clone());
        }
        let Some(asked) = self.asked.get_mut(index as usize) else { return };
        asked.lengths.starts |= key.lengths.starts;
        asked.lengths.ends |= key.lengths.ends;
        asked.lengths.numbers |= key.lengths.numbers;
        asked.any |= key.any;
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds & kind.bit() != 0
    }
}

impl Kind {
    fn bit(self) -> u16 {
        1u16.checked_shl(self as u32).unwrap_or_default()
    }
}

impl<'r, 'a> RequestTerms<'r, 'a> {
    pub(crate) fn of(request: &'r Request<'a>, dictionary: &TermDictionary) -> Self {
        let mut terms = Self { request, all: Vec::new(), bloom: [0; 16], came: Vec::new() };
        if dictionary.kinds == 0 {
            return terms;
        }
        terms.add(dictionary, Kind::Method, b"", || request.method().into());
        terms.add(dictionary, Kind::Path, b"", || request.path().into());
        if dictionary.has(Kind::Header) {
            for (name, value) in request.headers() {
                terms.add(dictionary, Kind::Header, name, || value.to_vec());
            }
        }
        if dictionary.has(Kind::Joined) {
            for (name, _) in request.headers() {
                let value = || request.header(name).value().unwrap_or_default().into();
                terms.add(dictionary, Kind::Joined, name, value);
            }
        }
        if dictionary.has(Kind::Cookie) {
            for (name, value) in request.cookies() {
                terms.add(dictionary, Kind::Cookie, name, || value.into());
            }
        }
        if dictionary.has(Kind::Query) {
            for (name, value) in request.query_params() {
                terms.add(dictionary, Kind::Query, &name, || value.into_owned());
            }
        }
        for path in &dictionary.paths {
            for value in request.metadata_values(path).values(b"") {
                terms.add(dictionary, Kind::Metadata, path, || value.to_vec());
            }
        }
        if let Some(name) = request.source().principal {
            terms.add(dictionary, Kind::Principal, b"", || name.into());
        }
        if let Some(address) = request.source().address.filter(|_| dictionary.has(Kind::Address)).and_then(ip)
        {
            let networks = dictionary
                .blocks
                .iter()
                .filter_map(|length| length.network(address).map(|network| of_block(*length, network)));
            terms.all.extend(networks);
        }
        for hay in &dictionary.hays {
            if let Some(held) = request.held(*hay) {
                let ids = held.found().iter().map(|text| NeedleId { hay: *hay, text: *text });
                terms.all.extend(ids.map(of_needle));
            }
        }
        // Sorted: no choice of a client makes that slower.
        terms.all = distinct(terms.all);
        for term in &terms.all {
            let (word, bit) = signed(*term);
            if let Some(word) = terms.bloom.get_mut(word) {
                *word |= bit;
            }
        }
        terms
    }

    /// Whether a term may hold. If not, it does not hold.
    pub(crate) fn may_hold(&self, term: Term) -> bool {
        let (word, bit) = signed(term);
        self.bloom.get(word).is_none_or(|word| word & bit != 0)
    }

    /// Whether a term holds.
    pub(crate) fn holds(&self, term: Term) -> bool {
        self.may_hold(term) && self.all.binary_search(&term).is_ok()
    }

    /// Every term that `value` under `name` makes true, if any match asks for that name.
    fn add(&mut self, dictionary: &TermDictionary, kind: Kind, name: &[u8], value: impl FnOnce() -> Vec<u8>) {
        if !dictionary.has(kind) {
            return;
        }
        let presence = presence(kind, name);
        let Some(index) = dictionary.names.get(&presence).map(|index| *index as usize) else { return };
        let Some(asked) = dictionary.asked.get(index) else { return };
        if matches!(kind, Kind::Cookie | Kind::Query | Kind::Joined)
            && !asked.any
            && !self.is_first(index, dictionary)
        {
            return;
        }
        let mut value = value();
        value.make_ascii_lowercase();
        self.all.push(presence);
        self.cut(presence, &value, asked.lengths);
    }

    /// Whether this is the first value under a name.
    fn is_first(&mut self, index: usize, dictionary: &TermDictionary) -> bool {
        if self.came.is_empty() {
            self.came = vec![0; dictionary.asked.len().div_ceil(64)];
        }
        let bit = 1u64.checked_shl(u32::try_from(index & 63).unwrap_or_default()).unwrap_or_default();
        let Some(word) = self.came.get_mut(index >> 6) else { return true };
        let is_first = *word & bit == 0;
        *word |= bit;
        is_first
    }

    fn cut(&mut self, presence: Term, value: &[u8], lengths: LengthMask) {
        self.all.push(term(presence, Relation::Is, value));
        let starts = bits(lengths.starts).filter_map(|index| value.get(..=index));
        self.all.extend(starts.map(|text| term(presence, Relation::Starts, text)));
        let ends = bits(lengths.ends)
            .filter_map(|index| value.get(value.len().checked_sub(index)?.checked_sub(1)?..));
        self.all.extend(ends.map(|text| term(presence, Relation::Ends, text)));
        if lengths.numbers != 0
            && let Some(number) = integer(value)
        {
            self.all.extend(bits(lengths.numbers).map(|power| of_numbers(presence, power, number >> power)));
        }
    }
}

/// The indices of the bits that are set.
fn bits(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = bits.trailing_zeros();
        bits ^= 1u64.checked_shl(index)?;
        usize::try_from(index).ok()
    })
}

/// Where a term is in a signature: a word, and a bit in it.
fn signed(term: Term) -> (usize, u64) {
    let bit = 1u64.checked_shl(u32::try_from(term & 63).unwrap_or_default());
    (usize::try_from(term >> 6 & 15).unwrap_or_default(), bit.unwrap_or_default())
}
