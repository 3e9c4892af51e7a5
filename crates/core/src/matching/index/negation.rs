//! Negations: conditions on what a header must *not* be. No term of a request leads to such a match,
//! but matches that share a negation can be kept out together.

use std::rc::Rc;

use crate::matching::matches::Match;
use crate::matching::named_condition::NamedCondition;
use crate::matching::request::Request;
use crate::matching::value::{Terms, ValueMatch};

/// A condition that must hold, although no term shows it.
#[derive(Clone, Debug)]
pub(crate) struct Negation {
    /// Equal for equal conditions.
    pub(crate) label: Box<[u8]>,
    condition: Rc<NamedCondition>,
    /// Whether it is written in `withoutHeaders`.
    is_without: bool,
    /// As in [`Match`].
    joins: bool,
}

impl Negation {
    /// Whether a request meets it.
    pub(crate) fn admits(&self, request: &Request<'_>) -> bool {
        if self.is_without {
            !request.header_excludes(&self.condition)
        } else {
            request.meets(&self.condition, self.joins)
        }
    }
}

/// The negations of a match that is filed under no term. Regular expressions are left out: two of them
/// are never equal.
pub(crate) fn negations(rule_match: &Match) -> Vec<Negation> {
    let mut negations = Vec::new();
    for (conditions, is_without) in [(&rule_match.headers, false), (&rule_match.without, true)] {
        negations.extend(
            conditions.iter().filter_map(|condition| negation(condition, is_without, rule_match.joins)),
        );
    }
    negations
}

fn negation(
    NamedCondition { name, value }: &NamedCondition,
    is_without: bool,
    joins: bool,
) -> Option<Negation> {
    let ValueMatch { test, ignore_case, invert } = value;
    let mut label =
        [u8::from(is_without), u8::from(joins), u8::from(*ignore_case), u8::from(*invert)].to_vec();
    let mut part = |text: &[u8]| {
        label.extend_from_slice(&text.len().to_le_bytes());
        label.extend_from_slice(text);
    };
    part(name);
    part(test.name().as_bytes());
    match test.sole_terms() {
        Terms::Is(text) | Terms::Starts(text) | Terms::Ends(text) => part(text),
        Terms::Holds(needle) => part(needle),
        Terms::In(texts) => texts.iter().for_each(part),
        Terms::Within(from, to) => [from, to].into_iter().for_each(|bound| part(&bound.to_le_bytes())),
        Terms::Present(wanted) => part(&[u8::from(wanted)]),
        Terms::Unknown => return None,
    }
    let value = ValueMatch { test: test.copy()?, ignore_case: *ignore_case, invert: *invert };
    Some(Negation {
        label: label.into(),
        condition: Rc::new(NamedCondition { name: name.clone(), value }),
        is_without,
        joins,
    })
}
