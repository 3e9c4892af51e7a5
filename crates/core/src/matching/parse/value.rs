//! Reads value matchers: a test and its options.

use super::Budget;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::budget;
use crate::matching::named_condition::{NamedCondition, QueryMatch};
use crate::matching::value::{FIELDS, Reader, Reading, TESTS, Terms, ValueMatch};

pub(super) static TEST: Object = object!("test", ExactlyOne, "What a value must be.", [], FIELDS);

pub(super) static OPTIONS: Object = object!(
    "options",
    Any,
    "How a value is compared.",
    [],
    [
        field!("ignoreCase", Flag, Holds(false), "Whether letter case makes no difference."),
        field!("invert", Flag, Holds(false), "Whether the condition holds if the test does not."),
    ],
);

/// A value matcher.
pub(super) static VALUE: Object =
    object!("value", Any, "A condition on a value: one test.", [&TEST, &OPTIONS], []);

const REPEATED: [(&str, bool); 2] = [("first", false), ("any", true)];

/// A value matcher of a query parameter.
pub(super) static QUERY_VALUE: Object = object!(
    "queryValue",
    Any,
    "A condition on a query parameter: one test.",
    [&TEST, &OPTIONS],
    [field!(
        "repeated",
        Words(|| words(&REPEATED)),
        Says("first"),
        "Which of several parameters of the name counts: the first, or any."
    )],
);

pub(super) fn query(tree: &PolicyValue, budget: &Budget) -> Result<Vec<QueryMatch>, Invalid> {
    let read = |tree| -> Result<(ValueMatch, bool), Invalid> {
        let fields = open(tree, &QUERY_VALUE)?;
        let any = fields.optional("repeated", |t| read::word(t, &REPEATED))?.unwrap_or(false);
        Ok((value_of(fields, budget)?, any))
    };
    let entries = read::entries(tree, limits::CONDITIONS, names::parameter, read)?;
    Ok(entries
        .into_iter()
        .map(|(name, (value, any))| QueryMatch {
            named: NamedCondition { name: name.into_boxed_bytes(), value },
            any,
        })
        .collect())
}

/// Reads a value matcher.
pub(super) fn value(tree: &PolicyValue, budget: &Budget) -> Result<ValueMatch, Invalid> {
    value_of(open(tree, &VALUE)?, budget)
}

/// Reads a value matcher that may not be inverted, because it is inverted already.
pub(super) fn plain(tree: &PolicyValue, budget: &Budget) -> Result<ValueMatch, Invalid> {
    let value = value(tree, budget)?;
    if !value.invert {
        return Ok(value);
    }
    Err(Invalid::new(
        Code::Conflict,
        "\"invert\" is not allowed in \"withoutHeaders\", which already negates",
        "write it in \"headers\", without \"invert\"",
    )
    .in_field("invert"))
}

/// Refuses texts that cannot be a header's value. Blanks around a value are not part of it, so a
/// condition on them would never hold, and its opposite would always hold.
pub(super) fn of_header(value: ValueMatch) -> Result<ValueMatch, Invalid> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |text: &[u8]| is_blank(text.first()) || is_blank(text.last());
    let never_holds = match value.test.terms() {
        Terms::Is(text) => is_padded(text),
        Terms::In(texts) => texts.iter().any(is_padded),
        Terms::Starts(text) => is_blank(text.first()),
        Terms::Ends(text) => is_blank(text.last()),
        Terms::Holds(_) | Terms::Within(..) | Terms::Present(_) | Terms::Unknown => false,
    };
    if !never_holds {
        return Ok(value);
    }
    Err(Invalid::new(
        Code::BadValue,
        "a header's value has no blanks around it: no value is like that",
        "leave out the blanks at the ends",
    )
    .in_field(value.test.name()))
}

/// Opens a table of a test and its options.
pub(super) fn open<'t>(tree: &'t PolicyValue, object: &'static Object) -> Result<Fields<'t>, Invalid> {
    if let PolicyValue::Text(text) = tree {
        let help = format!("write {{\"exact\": {text:?}}}");
        return Err(Invalid::new(Code::WrongType, "expected a table, found a string", help));
    }
    Fields::open(tree, object)
}

/// Reads `ignoreCase` and `invert`.
pub(super) fn options(fields: Fields<'_>) -> Result<(bool, bool), Invalid> {
    let option = |name| fields.optional(name, read::flag).map(Option::unwrap_or_default);
    Ok((option("ignoreCase")?, option("invert")?))
}

pub(super) fn value_of(fields: Fields<'_>, budget: &Budget) -> Result<ValueMatch, Invalid> {
    let (ignore_case, invert) = options(fields)?;
    let kind = fields.exactly_one(&TESTS)?;
    test_of(kind.field.name, &kind.read, fields, (ignore_case, invert), budget)
}

/// Reads a test that is written as `name`.
pub(super) fn test_of(
    name: &str,
    reader: &Reader,
    fields: Fields<'_>,
    (ignore_case, invert): (bool, bool),
    budget: &Budget,
) -> Result<ValueMatch, Invalid> {
    budget.hold(budget::CONDITION)?;
    if ignore_case && !reader.has_case {
        return Err(Invalid::new(
            Code::Conflict,
            format!("{name:?} has no letter case"),
            "leave out \"ignoreCase\"",
        ));
    }
    let test = (reader.read)(&Reading { fields, ignore_case, budget })?;
    Ok(ValueMatch { test, ignore_case, invert })
}
