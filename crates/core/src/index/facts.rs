//! Facts of a request, as hashes that a clause can be filed under.
//!
//! A fact is that a name is there, that its value is some text, or that its value starts or ends
//! with some text. For the last two, the lengths that clauses ask for are remembered with the name,
//! so that a request is cut only where some clause would look.

use std::collections::HashMap;

use xxhash_rust::xxh64::{Xxh64, Xxh64Builder};

use crate::matcher::value::{Test, ValueMatch};
use crate::matcher::{Match, Named};
use crate::request::Request;

/// A fact: the hash of a kind, a name and perhaps a text in lower case.
pub(crate) type Fact = u64;

/// One way to file a clause: if it matches, one of these facts holds.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) facts: Vec<Fact>,
    kind: Kind,
    name: Box<[u8]>,
    cuts: Cuts,
}

/// Where a fact is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Method,
    Header,
    Cookie,
    Query,
}

/// Lengths at which a value is cut: a bit for each, from one byte to [`LONGEST`].
#[derive(Clone, Copy, Debug, Default)]
struct Cuts {
    starts: u64,
    ends: u64,
}

/// The names that clauses are filed under, each with its cuts: nothing else of a request is hashed.
type Names = HashMap<Box<[u8]>, Cuts, Xxh64Builder>;

/// What must be read of a request to find its clauses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    method: Option<Cuts>,
    headers: Names,
    cookies: Names,
    query: Names,
}

/// The facts of one request, over a vocabulary.
pub(crate) struct Facts(pub(crate) Vec<Fact>);

impl Vocabulary {
    pub(crate) fn learn(&mut self, anchor: &Anchor) {
        let names = match anchor.kind {
            Kind::Method => return self.method.get_or_insert_default().learn(anchor.cuts),
            Kind::Header => &mut self.headers,
            Kind::Cookie => &mut self.cookies,
            Kind::Query => &mut self.query,
        };
        names.entry(anchor.name.clone()).or_default().learn(anchor.cuts);
    }
}

impl Cuts {
    fn learn(&mut self, other: Self) {
        self.starts |= other.starts;
        self.ends |= other.ends;
    }
}

impl Facts {
    pub(crate) fn of(request: &Request<'_>, vocabulary: &Vocabulary) -> Self {
        let mut facts = Self(Vec::new());
        if let Some(cuts) = vocabulary.method {
            facts.add(Kind::Method, b"", request.method(), cuts);
        }
        if !vocabulary.headers.is_empty() {
            let mut seen: Vec<&[u8]> = Vec::new();
            for (name, _) in request.headers() {
                if let Some(cuts) = vocabulary.headers.get(*name)
                    && !seen.contains(name)
                {
                    seen.push(name);
                    facts.add(Kind::Header, name, request.header(name).value().unwrap_or_default(), *cuts);
                }
            }
        }
        if !vocabulary.cookies.is_empty() {
            for (name, value) in request.cookies() {
                if let Some(cuts) = vocabulary.cookies.get(name) {
                    facts.add(Kind::Cookie, name, value, *cuts);
                }
            }
        }
        if !vocabulary.query.is_empty() {
            for (name, value) in request.query_params() {
                if let Some(cuts) = vocabulary.query.get(name.as_ref()) {
                    facts.add(Kind::Query, &name, &value, *cuts);
                }
            }
        }
        // A repeated cookie or parameter must not make a candidate twice.
        facts.0.sort_unstable();
        facts.0.dedup();
        facts
    }

    /// Every fact that `value` under `name` makes true.
    fn add(&mut self, kind: Kind, name: &[u8], value: &[u8], cuts: Cuts) {
        let lower;
        let value = if value.iter().any(u8::is_ascii_uppercase) {
            lower = value.to_ascii_lowercase();
            lower.as_slice()
        } else {
            value
        };
        self.0.push(fact(kind, name, b"there", b""));
        self.0.push(fact(kind, name, b"is", value));
        let starts = lengths(cuts.starts).filter_map(|length| value.get(..length));
        self.0.extend(starts.map(|text| fact(kind, name, b"starts", text)));
        let ends = lengths(cuts.ends).filter_map(|length| value.get(value.len().checked_sub(length)?..));
        self.0.extend(ends.map(|text| fact(kind, name, b"ends", text)));
    }
}

/// Every way to file a clause by steps other than host and path.
pub(crate) fn anchors(clause: &Match) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    let mut add = |kind, name: &[u8], value: &ValueMatch| anchors.extend(anchor(kind, name, value));
    if let Some(method) = &clause.method {
        add(Kind::Method, b"", method);
    }
    for Named { name, value } in &clause.headers {
        add(Kind::Header, name, value);
    }
    for Named { name, value } in &clause.cookies {
        add(Kind::Cookie, name, value);
    }
    for query in &clause.query {
        add(Kind::Query, &query.named.name, &query.named.value);
    }
    anchors
}

/// How to file a clause with this condition; `None` if it narrows nothing.
fn anchor(kind: Kind, name: &[u8], value: &ValueMatch) -> Option<Anchor> {
    let mut cuts = Cuts::default();
    let mut facts = match (&value.test, value.invert) {
        (Test::Present(wanted), invert) if *wanted != invert => vec![fact(kind, name, b"there", b"")],
        // What must be missing, or be something else, is filed nowhere.
        (Test::Present(_), _) | (_, true) => return None,
        (Test::Exact(text), _) => vec![fact(kind, name, b"is", &text.to_ascii_lowercase())],
        (Test::In(texts), _) => {
            // In the order of a hash, hence the sort.
            texts.iter().map(|text| fact(kind, name, b"is", &text.to_ascii_lowercase())).collect()
        }
        (Test::Prefix(text), _) => {
            let start = text.get(..text.len().min(LONGEST)).filter(|start| !start.is_empty())?;
            cuts.starts = bit(start.len());
            vec![fact(kind, name, b"starts", &start.to_ascii_lowercase())]
        }
        (Test::Suffix(text), _) => {
            let end = text.get(text.len().saturating_sub(LONGEST)..).filter(|end| !end.is_empty())?;
            cuts.ends = bit(end.len());
            vec![fact(kind, name, b"ends", &end.to_ascii_lowercase())]
        }
        (Test::Contains(_) | Test::Regex(_) | Test::Range(..), _) => vec![fact(kind, name, b"there", b"")],
    };
    facts.sort_unstable();
    facts.dedup();
    Some(Anchor { facts, kind, name: name.into(), cuts })
}

/// The bit of a length; none for a length out of reach.
fn bit(length: usize) -> u64 {
    let place = length.checked_sub(1).and_then(|place| u32::try_from(place).ok());
    place.and_then(|place| 1u64.checked_shl(place)).unwrap_or_default()
}

/// The lengths whose bits are set.
fn lengths(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits ^= 1u64.checked_shl(place)?;
        usize::try_from(place).ok()?.checked_add(1)
    })
}

/// The hash of a fact. `text` is in lower case on both sides: a clause that minds letter case is
/// verified anyway.
fn fact(kind: Kind, name: &[u8], relation: &[u8], text: &[u8]) -> Fact {
    let mut hash = Xxh64::new(kind as u64);
    hash.update(name);
    hash.update(&[0]);
    hash.update(relation);
    hash.update(&[0]);
    hash.update(text);
    hash.digest()
}

/// A longer text is filed by that much of it: one bit for each length, and longer texts differ
/// sooner.
const LONGEST: usize = 64;
