//! The configurations of Istio's attribute-gen, which was removed from Istio's tree in 2023.
//!
//! They have `attributes[]` with `output_attribute`, and `match[]` of `value` and `condition`. The
//! first condition that holds gives the value. It is published under the same name that a `Telemetry`
//! resource refers to (`filter_state["wasm.istio_operationId"]`). Conditions are translated when the
//! policy is loaded, so a thousand of them are indexed and no expression runs per request.

use super::attribute_rules::{AttributeRule, AttributeRules};
use super::bound::{self, Bound, VALUE};
use super::condition::{self, Condition, Number};
use super::draft::Draft;
use super::label;
use super::registry::MISSING;
use super::source::AnySource;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Faults, Fields};
use crate::matching::budget;
use crate::matching::index::{self};
use crate::matching::parse::{self, Budget};
use crate::policy::series::BuiltinTag;

/// The phases of attribute-gen, and what people write for the last one; and whether the answer is
/// known in it.
const PHASES: [(&str, bool); 4] =
    [("AFTER_RESPONSE", true), ("PHASE_UNSPECIFIED", true), ("ON_LOG", true), ("ON_REQUEST", false)];

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
            "`ON_REQUEST` refuses conditions on the answer; the value is written as early as it can be."
        ),
        field!(
            "missing",
            Text(1, bound::LONGEST),
            Optional,
            "What stands in metrics for an attribute to which no rule gives a value; without it, nothing."
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
            "The condition (CEL); without it, or if it is empty, always."
        ),
    ],
);

/// Reads `attributes`.
pub(super) fn read(tree: &PolicyValue, draft: &mut Draft, budget: &Budget) -> Result<(), Invalid> {
    let room = limits::TAGS.saturating_sub(draft.tags.len());
    read::list(tree, room, |t| attribute(t, draft, budget)).map(|_| ())
}

fn attribute(tree: &PolicyValue, draft: &mut Draft, budget: &Budget) -> Result<(), Invalid> {
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
    // A value is published as early as possible in every phase.
    let is_answered = fields.optional("phase", |t| read::word(t, &PHASES))?.unwrap_or(true);
    let missing = fields.optional("missing", |t| bound::value(read::text(t)?))?.unwrap_or_default();
    let bound = Bound::read(Fields::open(&PolicyValue::Table(Vec::new()), &bound::BOUND)?, true, true)?;
    let tag = draft.registry.tag(&name, BuiltinTag::Tag, &missing, &missing, 0);
    let code = draft.reads.index(&["response", "code"]);
    let mut rules = fields.required("match", |t| rules(t, (tag, is_answered), code, draft, budget))?;
    let asks_status = |rule: &AttributeRule| rule.numbers.ask_for(Number::GrpcStatus);
    if rules.rules.iter().any(asks_status) {
        rules.grpc_status = Some(draft.reads.index(&["response", "grpc_status"]));
    }
    draft.push(&name, AnySource::Rules(Box::new(rules)), bound, None);
    if let Some(tag) = draft.tags.last_mut() {
        tag.state = Some(name);
        tag.used = true;
    }
    Ok(())
}

fn rules(
    tree: &PolicyValue,
    (tag, is_answered): (usize, bool),
    code: usize,
    draft: &mut Draft,
    budget: &Budget,
) -> Result<AttributeRules, Invalid> {
    let mut rules = Vec::new();
    let mut faults = Faults::default();
    let read = read::list(tree, limits::ATTRIBUTE_RULES, |t| {
        budget.hold(VALUE)?;
        let fields = Fields::open(t, &RULE)?;
        let value = fields.required("value", |t| value(t, tag, draft))?;
        let conditions = fields.optional("condition", |t| conditions(read::text(t)?, is_answered))?;
        for condition in conditions.unwrap_or_else(always) {
            budget.hold(budget::CONDITION.saturating_add(condition.numbers.weight()))?;
            let matches = condition.matches.iter().map(|m| parse::joined(m, budget));
            let mut matches =
                matches.collect::<Result<Vec<_>, _>>().map_err(|e| e.in_field("condition"))?.into_iter();
            let first = matches.next().unwrap_or_default();
            rules.push(AttributeRule { value, first, also: matches.collect(), numbers: condition.numbers });
        }
        Ok(())
    });
    faults.take(read);
    let mut index = index::Builder::new(budget);
    for (number, rule) in (0u32..).zip(&rules) {
        index.add(number, &rule.first)?;
    }
    faults.or(AttributeRules { rules, index: index.finish(), code, grpc_status: None })
}

/// Reads the value of a rule, and declares it.
fn value(tree: &PolicyValue, tag: usize, draft: &mut Draft) -> Result<u32, Invalid> {
    let value = draft.registry.declare(tag, &bound::value(read::text(tree)?)?);
    if value != MISSING {
        return Ok(value);
    }
    // It is not published where no rule gives a value, and would not be here.
    let message = "this is what stands for no value: \"missing\" of the attribute";
    Err(Invalid::new(Code::Conflict, message, "choose another word for \"missing\""))
}

fn conditions(written: &str, is_answered: bool) -> Result<Vec<Condition>, Invalid> {
    if written.is_empty() {
        return Ok(always());
    }
    let conditions = condition::read(written)?;
    if is_answered || conditions.iter().all(|condition| condition.numbers.is_empty()) {
        return Ok(conditions);
    }
    Err(Invalid::new(
        Code::BadCondition,
        "in the phase ON_REQUEST there is no answer yet, so this never holds",
        "leave out \"phase\", or the condition on the answer",
    ))
}

/// The one alternative that always holds.
fn always() -> Vec<Condition> {
    vec![Condition::default()]
}
