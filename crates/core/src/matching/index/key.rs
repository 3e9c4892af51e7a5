//! Index keys: the ways to file a clause, by the terms that hold for a request if the clause matches.

use super::negation::{self, Negation};
use super::term::{Cuts, LONGEST, Relation, Term, bit, of_block, of_needle, of_numbers, term, there};
use crate::matching::kind::Kind;
use crate::matching::matches::Match;
use crate::matching::named::Named;
use crate::matching::path::PathForm;
use crate::matching::source::{Length, PrincipalPattern, SourceMatch};
use crate::matching::value::{Terms, ValueMatch};

/// The ways to file a clause, or to keep it out.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexKeys {
    pub(crate) ways: Vec<IndexKey>,
    /// The negations of a clause that cannot be filed.
    pub(crate) negations: Vec<Negation>,
}

/// One way to file a clause: if it matches, one of these terms holds.
#[derive(Clone, Debug)]
pub(crate) struct IndexKey {
    pub(crate) terms: Vec<Term>,
    pub(super) kind: Kind,
    /// The term for "the name is there".
    pub(super) there: Term,
    pub(super) cuts: Cuts,
    /// The values that are searched for a text: their place among the policy's needles.
    pub(super) hay: Option<u32>,
    /// Whether later values of a parameter or cookie count too.
    pub(super) any: bool,
    /// The lengths of the blocks in which to look for an address.
    pub(super) blocks: Vec<Length>,
}

impl IndexKeys {
    /// Every way to file a clause, besides host and path.
    pub(crate) fn of(clause: &Match) -> Self {
        let mut ways = Vec::new();
        if let Some(method) = &clause.method {
            ways.extend(anchor(Kind::Method, b"", method));
        }
        let header = if clause.joins { Kind::Joined } else { Kind::Header };
        for Named { name, value } in &clause.headers {
            ways.extend(anchor(header, name, value));
        }
        for Named { name, value } in &clause.cookies {
            ways.extend(anchor(Kind::Cookie, name, value));
        }
        for query in &clause.query {
            let mut anchor = anchor(Kind::Query, &query.named.name, &query.named.value);
            anchor.iter_mut().for_each(|anchor| anchor.any = query.any);
            ways.extend(anchor);
        }
        // The trie knows what a path is or starts with.
        if let Some(PathForm::Value(value)) = clause.path.as_ref().map(|path| &path.form)
            && matches!(value.test.terms(), Terms::Ends(_) | Terms::Holds(_))
        {
            ways.extend(anchor(Kind::Path, b"", value));
        }
        if let Some(source) = &clause.source {
            ways.extend(of_source(source));
        }
        let negations = if ways.is_empty() { negation::negations(clause) } else { Vec::new() };
        Self { ways, negations }
    }

    /// How many terms there are.
    pub(super) fn terms(&self) -> usize {
        self.ways.iter().fold(0, |sum, anchor| sum.saturating_add(anchor.terms.len()))
    }

    /// The most terms that a clause may be filed under.
    pub(super) fn most(&self) -> usize {
        self.ways.iter().map(|anchor| anchor.terms.len()).max().unwrap_or_default()
    }
}

/// The ways to file a clause by the sender of the request.
fn of_source(source: &SourceMatch) -> impl Iterator<Item = IndexKey> {
    let names = (!source.principals.is_empty()).then(|| {
        let mut anchor = IndexKey::new(Kind::Principal, b"");
        for pattern in &source.principals {
            match pattern {
                PrincipalPattern::Exact(name) => anchor.is(name),
                PrincipalPattern::Prefix(start) => anchor.starts(start),
            }
        }
        anchor
    });
    let blocks = (!source.cidrs.is_empty()).then(|| {
        let mut anchor = IndexKey::new(Kind::Address, b"");
        for (length, network) in source.cidrs.iter().map(|cidr| cidr.block()) {
            anchor.terms.push(of_block(length, network));
            anchor.blocks.push(length);
        }
        anchor
    });
    names.into_iter().chain(blocks)
}

/// The index key of this condition; `None` if it narrows nothing.
fn anchor(kind: Kind, name: &[u8], value: &ValueMatch) -> Option<IndexKey> {
    let mut anchor = IndexKey::new(kind, name);
    match (value.test.terms(), value.invert) {
        (Terms::Present(wanted), invert) if wanted != invert => anchor.terms.push(anchor.there),
        // A condition that a value is missing, or is something else, cannot be filed.
        (Terms::Present(_), _) | (_, true) => return None,
        (Terms::Is(text), _) => anchor.is(text),
        (Terms::In(texts), _) => texts.iter().for_each(|text| anchor.is(text)),
        (Terms::Starts(text), _) => anchor.starts(text),
        (Terms::Ends(text), _) => {
            let end = text.get(text.len().saturating_sub(LONGEST)..).unwrap_or_default();
            anchor.cuts.ends |= bit(end.len());
            anchor.terms.push(term(anchor.there, Relation::Ends, &end.to_ascii_lowercase()));
        }
        (Terms::Holds(needle), _) => match needle.place() {
            Some(place) => {
                anchor.terms.push(of_needle(place));
                anchor.hay = Some(place.hay);
            }
            None => anchor.terms.push(anchor.there),
        },
        (Terms::Within(from, to), _) => anchor.numbers(from, to.saturating_sub(1)),
        (Terms::Unknown, _) => anchor.terms.push(anchor.there),
    }
    Some(anchor)
}

impl IndexKey {
    fn new(kind: Kind, name: &[u8]) -> Self {
        Self {
            terms: Vec::new(),
            kind,
            there: there(kind, name),
            cuts: Cuts::default(),
            hay: None,
            any: false,
            blocks: Vec::new(),
        }
    }

    fn is(&mut self, text: &[u8]) {
        self.terms.push(term(self.there, Relation::Is, &text.to_ascii_lowercase()));
    }

    fn starts(&mut self, text: &[u8]) {
        let start = text.get(..LONGEST).unwrap_or(text);
        self.cuts.starts |= bit(start.len());
        self.terms.push(term(self.there, Relation::Starts, &start.to_ascii_lowercase()));
    }

    /// Covers a range by blocks whose sizes are powers of two, as routes cover addresses. The smallest
    /// block is at most an eight-thousandth of the range, so that there are few. A clause may then be
    /// tried in vain for a number just beside the range.
    fn numbers(&mut self, from: i64, to: i64) {
        let span = u64::BITS.saturating_sub(to.wrapping_sub(from).leading_zeros());
        let mut power = span.saturating_sub(14);
        let (mut from, mut to) = (from >> power, to >> power);
        while from <= to {
            // A block without its neighbour in the range is added by itself; a pair becomes one block
            // of the next size.
            let (first, last) = (from & 1 == 1, to & 1 == 0);
            for block in first.then_some(from).into_iter().chain(last.then_some(to)) {
                self.terms.push(of_numbers(self.there, power as usize, block));
                self.cuts.numbers |= 1u64.checked_shl(power).unwrap_or_default();
            }
            from = from.saturating_add(i64::from(first)) >> 1;
            to = to.saturating_sub(i64::from(last)) >> 1;
            power = power.saturating_add(1);
        }
    }
}
