//! Ways to file a clause: which terms hold of a request if it matches.

use super::negation::{self, Negation};
use super::term::{Cuts, LONGEST, Relation, Term, bit, of_block, of_needle, of_numbers, term, there};
use crate::matching::kind::Kind;
use crate::matching::matches::Match;
use crate::matching::named::Named;
use crate::matching::path::PathForm;
use crate::matching::source::{Length, PrincipalPattern, SourceMatch};
use crate::matching::value::{Terms, ValueMatch};

/// Ways to file a clause, or to keep it out.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexKeys {
    pub(crate) ways: Vec<IndexKey>,
    /// Where there is no way.
    pub(crate) negations: Vec<Negation>,
}

/// One way to file a clause: if it matches, one of these terms holds.
#[derive(Clone, Debug)]
pub(crate) struct IndexKey {
    pub(crate) terms: Vec<Term>,
    pub(super) kind: Kind,
    /// The term that the name is there.
    pub(super) there: Term,
    pub(super) cuts: Cuts,
    /// What is searched for a text, among the policy's needles.
    pub(super) hay: Option<u32>,
    /// Whether later values of a parameter or cookie count too.
    pub(super) any: bool,
    /// Lengths of blocks in which to look for an address.
    pub(super) blocks: Vec<Length>,
}

impl IndexKeys {
    /// Every way to file a clause by steps other than host and path.
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
        // What a path is or starts with, the trie knows.
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

    /// Under how many a clause may be filed.
    pub(super) fn most(&self) -> usize {
        self.ways.iter().map(|anchor| anchor.terms.len()).max().unwrap_or_default()
    }
}

/// How to file a clause by who sent the request.
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

/// How to file a clause with this condition; `None` if it narrows nothing.
fn anchor(kind: Kind, name: &[u8], value: &ValueMatch) -> Option<IndexKey> {
    let mut anchor = IndexKey::new(kind, name);
    match (value.test.terms(), value.invert) {
        (Terms::Present(wanted), invert) if wanted != invert => anchor.terms.push(anchor.there),
        // What must be missing, or be something else, is filed nowhere.
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

    /// Covers a range by blocks whose sizes are powers of two, as a route covers addresses. The
    /// smallest is an eight-thousandth of the range or less, so that there are few: what lies just
    /// beside the range is tried for nothing.
    fn numbers(&mut self, from: i64, to: i64) {
        let span = u64::BITS.saturating_sub(to.wrapping_sub(from).leading_zeros());
        let mut power = span.saturating_sub(14);
        let (mut from, mut to) = (from >> power, to >> power);
        while from <= to {
            // What has no neighbour within the range stands alone; pairs go on as one.
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
