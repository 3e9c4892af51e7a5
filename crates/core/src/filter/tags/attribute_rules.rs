//! The rules of an attribute: which value they give to a request and its response.

use std::cell::{RefCell, RefMut};

use super::captured::Captured;
use super::condition::{Number, Numbers};
use super::property::number;
use super::registry::MISSING;
use crate::matching::index::Index;
use crate::matching::matches::Match;
use crate::matching::request::Request;

/// The rules of one attribute, in order.
#[derive(Clone, Debug)]
pub(super) struct AttributeRules {
    pub(super) rules: Vec<AttributeRule>,
    pub(super) index: Index,
    /// The index of the response code among what is read in the log phase.
    pub(super) code: usize,
    /// The same of the status of gRPC, if a rule asks for it.
    pub(super) grpc_status: Option<usize>,
}

/// One way in which a value is given.
#[derive(Clone, Debug)]
pub(super) struct AttributeRule {
    pub(super) value: u32,
    /// The part that is indexed.
    pub(super) first: Match,
    /// More conditions on things that `first` already has a condition on.
    pub(super) also: Vec<Match>,
    pub(super) numbers: Numbers,
}

impl AttributeRules {
    /// What the rules give for a request; those that need a number of the response wait.
    pub(super) fn capture(&self, request: &Request<'_>) -> Captured {
        let waiting = RefCell::new(Vec::new());
        let decides = |number: u32| {
            let Some(rule) = self.rule(number) else { return false };
            let holds = rule.first.matches(request) && rule.also.iter().all(|m| m.matches(request));
            if holds && !rule.numbers.is_empty() {
                // The index tries them in an order of its own, and perhaps twice.
                let mut waiting: RefMut<'_, Vec<u32>> = waiting.borrow_mut();
                let before = waiting.partition_point(|other| *other < number);
                if waiting.get(before) != Some(&number) {
                    waiting.insert(before, number);
                }
                return false;
            }
            holds
        };
        let decided = self.index.first(request, decides);
        let mut candidates = waiting.into_inner();
        candidates.retain(|number| decided.is_none_or(|decided| *number < decided));
        if candidates.is_empty() {
            return Captured::Known(
                decided.and_then(|number| self.rule(number)).map_or(MISSING, |rule| rule.value),
            );
        }
        candidates.extend(decided);
        Captured::Rules(candidates)
    }

    /// The value of the first candidate whose numbers hold.
    pub(super) fn settle(&self, candidates: &[u32], observed: &[Option<Vec<u8>>]) -> u32 {
        let read = |index: usize| observed.get(index).and_then(Option::as_deref).and_then(number);
        let known = |of: Number| match of {
            // Without an answer there is no code.
            Number::Code => read(self.code).filter(|code| *code > 0),
            Number::GrpcStatus => read(self.grpc_status?),
        };
        let mut rules = candidates.iter().filter_map(|number| self.rule(*number));
        rules.find(|rule| rule.numbers.hold(&known)).map_or(MISSING, |rule| rule.value)
    }

    fn rule(&self, number: u32) -> Option<&AttributeRule> {
        self.rules.get(usize::try_from(number).ok()?)
    }
}
