//! Texts that conditions look for anywhere in a value (`contains`).
//!
//! A policy may look for ten thousand texts in one header. All of them are found in one pass over the
//! value, once per request. A condition then asks whether its own text was found. Looking for each text
//! by itself would cost the value's length times the number of conditions.

mod aho_corasick;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use crate::language::names::IndexByName;
use crate::matching::kind::Kind;
use aho_corasick::AhoCorasick;

/// A text that is looked for. Without an index among [`Needles`] it is looked for by itself.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: Box<[u8]>,
    id: Option<NeedleId>,
}

/// Where a text is among the needles of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NeedleId {
    /// The index of the values that are searched.
    pub(crate) hay: u32,
    /// The index of the text, among those that are looked for there.
    pub(crate) text: u32,
}

/// The values that are searched, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hay {
    pub(crate) kind: Kind,
    pub(crate) name: Box<[u8]>,
    /// Whether letter case is ignored: then the texts are in lower case.
    pub(crate) ignore_case: bool,
    /// Whether all values of a cookie or parameter count, or only the first.
    pub(crate) any: bool,
    /// Whether it matters how many of several values hold a text. If not, it is enough to know that one
    /// value holds it, and a text is found only once.
    pub(crate) counts: bool,
}

/// The texts of a policy, by the values that are searched for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needles {
    hays: Vec<(Hay, AhoCorasick)>,
}

/// The texts while the policy is read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    known: IndexByName,
    hays: Vec<(Hay, Vec<(Box<[u8]>, u32)>)>,
}

/// Which texts a request holds, for each hay that was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    done: RefCell<Vec<Option<Rc<Held>>>>,
}

/// The texts that were found in one hay.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// A bit for each that was found.
    bits: Vec<u64>,
    /// If the hay counts: how many values hold each text, and the number of the last value in which it
    /// was found, from one.
    counts: Vec<(u32, u32)>,
    values: u32,
    /// The texts that were found, each once.
    found: Vec<u32>,
}

impl Needle {
    pub(crate) fn new(text: Box<[u8]>) -> Self {
        Self { text, id: None }
    }

    pub(crate) fn id(&self) -> Option<NeedleId> {
        self.id
    }
}

impl Deref for Needle {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.text
    }
}

impl Draft {
    /// Gives a text its index.
    pub(crate) fn add(&mut self, hay: Hay, needle: &mut Needle) {
        let flags = [hay.ignore_case, hay.any, hay.counts].map(u8::from);
        let flags = [&[hay.kind as u8], flags.as_slice()].concat();
        let mut key = [&*flags, &*hay.name].concat();
        let new = u32::try_from(self.hays.len()).unwrap_or(u32::MAX);
        let at = *self.known.entry(key.as_slice().into()).or_insert(new);
        if at == new {
            self.hays.push((hay, Vec::new()));
        }
        let Some((_, texts)) = self.hays.get_mut(at as usize) else { return };
        let new = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        // Names hold no zero byte, so no name with its text can equal another name.
        key.push(0);
        key.extend_from_slice(&needle.text);
        let text = *self.known.entry(key.into()).or_insert(new);
        if text == new {
            texts.push((needle.text.clone(), new));
        }
        needle.id = Some(NeedleId { hay: at, text });
    }

    /// The needles, ready for the search.
    pub(crate) fn finish(self) -> Needles {
        let hays = self.hays.into_iter().map(|(hay, texts)| (hay, AhoCorasick::new(texts)));
        Needles { hays: hays.collect() }
    }
}

impl Search {
    /// The texts that the values of a hay hold. `values` is called only the first time.
    pub(crate) fn held<'v>(
        &self,
        needles: &Needles,
        hay: u32,
        values: &dyn Fn(&Hay) -> Vec<Cow<'v, [u8]>>,
    ) -> Rc<Held> {
        // Borrowed for this call only; nothing here calls back.
        let Ok(mut done) = self.done.try_borrow_mut() else { return Rc::default() };
        if done.len() < needles.hays.len() {
            done.resize(needles.hays.len(), None);
        }
        let (Some(done), Some((hay, finder))) = (done.get_mut(hay as usize), needles.hays.get(hay as usize))
        else {
            return Rc::default();
        };
        if let Some(held) = done {
            return Rc::clone(held);
        }
        let mut held = Held { bits: vec![0; finder.len().div_ceil(64)], ..Held::default() };
        if hay.counts {
            held.counts = vec![(0, 0); finder.len()];
        }
        for value in values(hay) {
            held.values = held.values.saturating_add(1);
            finder.find(&value, hay.ignore_case, &mut |text| held.note(text));
        }
        Rc::clone(done.insert(Rc::new(held)))
    }
}

impl Held {
    /// Notes that a text was found; false if that was known.
    fn note(&mut self, text: u32) -> bool {
        let bit = 1u64.checked_shl(text & 63).unwrap_or_default();
        let Some(word) = self.bits.get_mut((text >> 6) as usize) else { return false };
        let is_first = *word & bit == 0;
        *word |= bit;
        if is_first {
            self.found.push(text);
        }
        let Some((count, last)) = self.counts.get_mut(text as usize) else { return is_first };
        let is_new = *last != self.values;
        *last = self.values;
        *count = count.saturating_add(u32::from(is_new));
        is_new
    }

    /// The texts that were found.
    pub(crate) fn found(&self) -> &[u32] {
        &self.found
    }

    /// Values that can replace all values, as far as a condition on this text is concerned: the text,
    /// if a value holds it; the empty value, if a value does not.
    pub(crate) fn stand_ins<'n>(&self, needle: &'n Needle, counts: bool) -> [Option<&'n [u8]>; 2] {
        let text = needle.id.map_or(0, |id| id.text);
        let bit = 1u64.checked_shl(text & 63).unwrap_or_default();
        let is_held = self.bits.get((text >> 6) as usize).is_some_and(|word| word & bit != 0);
        let count = self.counts.get(text as usize).map_or(0, |(count, _)| *count);
        let lacks = if counts { count < self.values } else { !is_held && self.values > 0 };
        [is_held.then_some(&needle.text), lacks.then_some(b"".as_slice())]
    }
}
