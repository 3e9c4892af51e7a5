//! The configurations of Istio's attribute-gen, which left its tree in 2023.
//!
//! `attributes[]` with `output_attribute` and `match[]` of `value` and `condition`: the
//! first condition that holds names the value, which is published under the very name
//! that a `Telemetry` resource refers to (`filter_state["wasm.istio_operationId"]`).
//! Conditions are translated when the policy is loaded, so a thousand of them are
//! indexed and no expression runs per request.

use std::cell::{RefCell, RefMut};

use super::book::{Book, MISSING};
use super::bound::{self, Bound};
use super::compile::{Draft, VALUE};
use super::condition::{self, Codes};
use super::source::{Source, number};
use super::{Captured, label};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::read::{self, Faults, Fields};
use crate::language::tree::Tree;
use crate::matching::budget;
use crate::matching::index::{self, Index};
use crate::matching::matches::Match;
use crate::matching::parse::{self, Budget};
use crate::matching::request::Request;
use crate::policy::series::Stock;

/// The rules of one attribute, in order.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    clauses: Vec<Clause>,
    index: Index,
    /// The place of the response code among what is read in the log phase.
    code: usize,
}

/// One way for a value to be given.
#[derive(Clone, Debug)]
struct Clause {
    value: u32,
    /// The part that is indexed.
    first: Match,
    /// More conditions on what `first` says something about already.
    also: Vec<Match>,
    codes: Codes,
}

const PHASES: [(&str, ()); 2] = [("ON_LOG", ()), ("ON_REQUEST", ())];

pub(super) static ATTRIBUTE: Object = object!(
    "attribute",
    Any,
    "An attribute of attribute-gen: the value of the first rule that holds.",
    [],
    [
        field!(
            "output_attribute",
            Pattern(label::PATTERN, limits::NAME),
            Required,
            "The filter state to write."
        ),
        field!("match", List(&Table(&RULE), 0, limits::ATTRIBUTE_RULES), Required, "Its rules, in order."),
        field!(
            "phase",
            Words(|| words(&PHASES)),
            Optional,
            "Accepted; the value is written as early as it can be."
        ),
    ],
);

static RULE: Object = object!(
    "attributeRule",
    Any,
    "A value, and when it is given.",
    [],
    [
        field!("value", Text(1, bound::LONGEST), Required, "The value."),
        field!(
            "condition",
            Text(0, limits::TEXT_BYTES),
            Optional,
            "The condition (CEL); without it, always."
        ),
    ],
);

/// Reads `attributes`.
pub(super) fn read(tree: &Tree, draft: &mut Draft, budget: &Budget) -> Result<(), Invalid> {
    let room = limits::TAGS.saturating_sub(draft.tags.len());
    read::list(tree, room, |t| attribute(t, draft, budget)).map(|_| ())
}

fn attribute(tree: &Tree, draft: &mut Draft, budget: &Budget) -> Result<(), Invalid> {
    let fields = Fields::open(tree, &ATTRIBUTE)?;
    let named = |e: Invalid| e.in_field("output_attribute");
    let name = fields.required("output_attribute", |t| label::attribute(read::text(t)?))?;
    let others: Vec<Box<str>> = draft.tags.iter().map(|tag| tag.name.clone()).collect();
    if others.contains(&name) {
        return Err(named(Invalid::new(
            Code::RepeatedName,
            format!("{name:?} is a tag already"),
            "give each its own name",
        )));
    }
    label::distinct(&name, &others).map_err(named)?;
    // What both phases say is the same here: a value is published as early as it can be.
    fields.optional("phase", |t| read::word(t, &PHASES))?;
    let bound = Bound::read(Fields::open(&Tree::Table(Vec::new()), &bound::BOUND)?, true, true)?;
    let tag = draft.book.tag(&name, Stock::Tag, "", "", 0);
    let code = draft.wants.place(&["response", "code"]);
    let rules = fields.required("match", |t| rules(t, tag, code, &mut draft.book, budget))?;
    draft.push(&name, Source::Rules(Box::new(rules)), bound, None);
    if let Some(tag) = draft.tags.last_mut() {
        tag.state = Some(name);
        tag.used = true;
    }
    Ok(())
}

fn rules(tree: &Tree, tag: usize, code: usize, book: &mut Book, budget: &Budget) -> Result<Rules, Invalid> {
    let mut clauses = Vec::new();
    let mut faults = Faults::default();
    let read = read::list(tree, limits::ATTRIBUTE_RULES, |t| {
        budget.hold(VALUE)?;
        let fields = Fields::open(t, &RULE)?;
        let value = book.declare(tag, &fields.required("value", |t| bound::value(read::text(t)?))?);
        let conditions =
            fields.optional("condition", |t| condition::read(read::text(t)?))?.unwrap_or_default();
        for condition in conditions {
            budget.hold(budget::CONDITION.saturating_add(condition.codes.weight()))?;
            let matches = condition.matches.iter().map(|m| parse::joined(m, budget));
            let mut matches =
                matches.collect::<Result<Vec<_>, _>>().map_err(|e| e.in_field("condition"))?.into_iter();
            let first = matches.next().unwrap_or_default();
            clauses.push(Clause { value, first, also: matches.collect(), codes: condition.codes });
        }
        Ok(())
    });
    faults.take(read);
    let mut index = index::Builder::new(budget);
    for (number, clause) in (0u32..).zip(&clauses) {
        index.add(number, &clause.first)?;
    }
    faults.or(Rules { clauses, index: index.finish(), code })
}

impl Rules {
    /// What the rules say of a request; those that ask for a response code wait.
    pub(super) fn capture(&self, request: &Request<'_>) -> Captured {
        let waiting = RefCell::new(Vec::new());
        let decides = |number: u32| {
            let Some(clause) = self.clause(number) else { return false };
            let holds = clause.first.matches(request) && clause.also.iter().all(|m| m.matches(request));
            if holds && !clause.codes.is_empty() {
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
                decided.and_then(|number| self.clause(number)).map_or(MISSING, |clause| clause.value),
            );
        }
        candidates.extend(decided);
        Captured::Rules(candidates)
    }

    /// The value of the first candidate whose codes hold.
    pub(super) fn settle(&self, candidates: &[u32], observed: &[Option<Vec<u8>>]) -> u32 {
        // Without an answer there is no code, and in CEL a comparison with what is missing
        // does not hold.
        let code = observed.get(self.code).and_then(Option::as_deref).and_then(number).filter(|c| *c > 0);
        let mut clauses = candidates.iter().filter_map(|number| self.clause(*number));
        clauses.find(|clause| clause.codes.hold(code)).map_or(MISSING, |clause| clause.value)
    }

    fn clause(&self, number: u32) -> Option<&Clause> {
        self.clauses.get(usize::try_from(number).ok()?)
    }
}
