//! Index keys: the ways to file a match, by the terms that hold for a request if the match holds.

use super::negation::{self, Negation};
use super::term::{
    LONGEST, LengthMask, Relation, Term, bit, of_block, of_needle, of_numbers, presence, term,
};
use crate::matching::kind::Kind;
use crate::matching::matches::Match;
use crate::matching::named_condition::NamedCondition;
use crate::matching::path::PathForm;
use crate::matching::source::{Length, PrincipalPattern, SourceMatch};
use crate::matching::value::{Terms, ValueMatch};

/// The ways to file a match, or to keep it out.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexKeys {
    pub(crate) ways: Vec<IndexKey>,
    /// The negations of a match that cannot be filed.
    pub(crate) negations: Vec<Negation>,
}

/// One way to file a match: if it matches, one of these terms holds.
#[derive(Clone, Debug)]
pub(crate) struct IndexKey {
    pub(crate) terms: Vec<Term>,
    pub(super) kind: Kind,
    /// The term for "the name is there".
    pub(super) presence: Term,
    pub(super) lengths: LengthMask,
    /// The values that are searched for a text: their index among the policy's needles.
    pub(super) hay: Option<u32>,
    /// The path, if it is one of dynamic metadata.
    pub(super) path: Option<Box<[u8]>>,
    /// Whether later values of a parameter or cookie count too.
    pub(super) any: bool,
    /// The lengths of the blocks in which to look for an address.
    pub(super) blocks: Vec<Length>,
}

impl IndexKeys {
    /// Every way to file a match, besides host and path.
    pub(crate) fn of(rule_match: &Match) -> Self {
        let mut ways = Vec::new();
        if let Some(method) = &rule_match.method {
            ways.extend(key(Kind::Method, b"", method));
        }
        let header = if rule_match.joins { Kind::Joined } else { Kind::Header };
        for NamedCondition { name, value } in &rule_match.headers {
            ways.extend(key(header, name, value));
        }
        for NamedCondition { name, value } in &rule_match.cookies {
            ways.extend(key(Kind::Cookie, name, value));
        }
        for query in &rule_match.query {
            let mut key = key(Kind::Query, &query.named.name, &query.named.value);
            key.iter_mut().for_each(|key| key.any = query.any);
            ways.extend(key);
        }
        for NamedCondition { name, value } in &rule_match.metadata {
            let mut key = key(Kind::Metadata, name, value);
            key.iter_mut().for_each(|key| key.path = Some(name.clone()));
            ways.extend(key);
        }
        // The trie knows what a path is or starts with.
        if let Some(PathForm::Value(value)) = rule_match.path.as_ref().map(|path| &path.form)
            && matches!(value.test.terms(), Terms::Ends(_) | Terms::Holds(_))
        {
            ways.extend(key(Kind::Path, b"", value));
        }
        if let Some(source) = &rule_match.source {
            ways.extend(of_source(source));
        }
        let negations = if ways.is_empty() { negation::negations(rule_match) } else { Vec::new() };
        // All are kept until the last match is filed.
        ways.iter_mut().for_each(|key: &mut IndexKey| key.terms.shrink_to_fit());
        ways.shrink_to_fit();
        Self { ways, negations }
    }

    /// How many terms there are.
    pub(super) fn terms(&self) -> usize {
        self.ways.iter().fold(0, |sum, key| sum.saturating_add(key.terms.len()))
    }

    /// The most terms that a match may be filed under.
    pub(super) fn most(&self) -> usize {
        self.ways.iter().map(|key| key.terms.len()).max().unwrap_or_default()
    }
}

/// The ways to file a match by the sender of the request.
fn of_source(source: &SourceMatch) -> impl Iterator<Item = IndexKey> {
    let names = (!source.principals.is_empty()).then(|| {
        let mut key = IndexKey::new(Kind::Principal, b"");
        for pattern in &source.principals {
            match pattern {
                PrincipalPattern::Exact(name) => key.is(name),
                PrincipalPattern::Prefix(start) => key.starts(start),
            }
        }
        key
    });
    let blocks = (!source.cidrs.is_empty()).then(|| {
        let mut key = IndexKey::new(Kind::Address, b"");
        for (length, network) in source.cidrs.iter().map(|cidr| cidr.block()) {
            key.terms.push(of_block(length, network));
            key.blocks.push(length);
        }
        key
    });
    names.into_iter().chain(blocks)
}

/// The index key of this condition; `None` if it narrows nothing.
fn key(kind: Kind, name: &[u8], value: &ValueMatch) -> Option<IndexKey> {
    let mut key = IndexKey::new(kind, name);
    match (value.test.terms(), value.invert) {
        (Terms::Present(wanted), invert) if wanted != invert => key.terms.push(key.presence),
        // A condition that a value is missing, or is something else, cannot be filed.
        (Terms::Present(_), _) | (_, true) => return None,
        (Terms::Is(text), _) => key.is(text),
        (Terms::In(texts), _) => texts.iter().for_each(|text| key.is(text)),
        (Terms::Starts(text), _) => key.starts(text),
        (Terms::Ends(text), _) => {
            let end = text.get(text.len().saturating_sub(LONGEST)..).unwrap_or_default();
            key.lengths.ends |= bit(end.len());
            key.terms.push(term(key.presence, Relation::Ends, &end.to_ascii_lowercase()));
        }
        (Terms::Holds(needle), _) => match needle.id() {
            Some(id) => {
                key.terms.push(of_needle(id));
                key.hay = Some(id.hay);
            }
            None => key.terms.push(key.presence),
        },
        (Terms::Within(from, to), _) => key.numbers(from, to.saturating_sub(1)),
        (Terms::Unknown, _) => key.terms.push(key.presence),
    }
    Some(key)
}

impl IndexKey {
    fn new(kind: Kind, name: &[u8]) -> Self {
        Self {
            terms: Vec::new(),
            kind,
            presence: presence(kind, name),
            lengths: LengthMask::default(),
            hay: None,
            path: None,
            any: false,
            blocks: Vec::new(),
        }
    }

    fn is(&mut self, text: &[u8]) {
        self.terms.push(term(self.presence, Relation::Is, &text.to_ascii_lowercase()));
    }

    fn starts(&mut self, text: &[u8]) {
        let start = text.get(..LONGEST).unwrap_or(text);
        self.lengths.starts |= bit(start.len());
        self.terms.push(term(self.presence, Relation::Starts, &start.to_ascii_lowercase()));
    }

    /// Covers a range by blocks whose sizes are powers of two, as routes cover addresses. The smallest
    /// block is at most an eight-thousandth of the range, so that there are few. A match may then be
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
                self.terms.push(of_numbers(self.presence, power as usize, block));
                self.lengths.numbers |= 1u64.checked_shl(power).unwrap_or_default();
            }
            from = from.saturating_add(i64::from(first)) >> 1;
            to = to.saturating_sub(i64::from(last)) >> 1;
            power = power.saturating_add(1);
        }
    }
}
