//! Values: text, numbers, words, lists and tables with free names.

use super::Faults;
use super::messages::repeated_field;
use crate::language::invalid::{Code, Invalid};
use crate::language::nearest::{names, suggestion};
use crate::language::policy_value::PolicyValue;
use std::ops::RangeInclusive;

/// Reads a list of at most `limit` elements; every faulty element is reported.
pub(crate) fn list<'t, T>(
    tree: &'t PolicyValue,
    limit: usize,
    mut read: impl FnMut(&'t PolicyValue) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let mut values = Vec::new();
    values.reserve_exact(room(tree, limit));
    each(tree, limit, &mut |element| {
        values.push(read(element)?);
        Ok(())
    })?;
    Ok(values)
}

/// Refuses what is not a list, or has too many elements.
pub(crate) fn is_list(tree: &PolicyValue, limit: usize) -> Result<(), Invalid> {
    each(tree, limit, &mut |_| Ok(()))
}

/// Reads elements and gives each up when it has been read: a long list as written and what is made from
/// it would be the most memory that a VM ever holds.
pub(crate) fn consumed<T>(
    elements: Vec<PolicyValue>,
    mut read: impl FnMut(&PolicyValue) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let mut values = Vec::with_capacity(elements.len());
    let mut faults = Faults::default();
    for (i, element) in elements.into_iter().enumerate() {
        values.extend(faults.take(read(&element).map_err(|e| e.in_index(i))));
    }
    faults.or(values)
}

/// How many elements there are, unless they are too many. The memory of a policy is counted, so no more
/// is reserved than it needs.
fn room(tree: &PolicyValue, limit: usize) -> usize {
    let elements = match tree {
        PolicyValue::List(elements) => elements.len(),
        PolicyValue::Table(fields) => fields.len(),
        _ => 0,
    };
    if elements <= limit { elements } else { 0 }
}

/// The part of [`list`] that is the same for every type. It is compiled once.
fn each<'t>(
    tree: &'t PolicyValue,
    limit: usize,
    read: &mut dyn FnMut(&'t PolicyValue) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let PolicyValue::List(elements) = tree else {
        return Err(wrong_type("a list", tree));
    };
    within(elements.len(), limit)?;
    let mut faults = Faults::default();
    for (i, element) in elements.iter().enumerate() {
        faults.take(read(element).map_err(|e| e.in_index(i)));
    }
    faults.or(())
}

/// Reads a table with free keys, such as header names. No key may be there twice after `normalise`.
pub(crate) fn entries<'t, K: AsRef<str>, T>(
    tree: &'t PolicyValue,
    limit: usize,
    mut normalise: impl FnMut(&'t str) -> Result<K, Invalid>,
    mut read: impl FnMut(&'t PolicyValue) -> Result<T, Invalid>,
) -> Result<Vec<(K, T)>, Invalid> {
    let mut values: Vec<(K, T)> = Vec::new();
    values.reserve_exact(room(tree, limit));
    each_entry(tree, limit, &mut |key, value| {
        let name = normalise(key)?;
        if values.iter().any(|(known, _)| known.as_ref() == name.as_ref()) {
            return Err(repeated_field(key));
        }
        values.push((name, read(value)?));
        Ok(())
    })?;
    Ok(values)
}

/// The part of [`entries`] that is the same for every type.
fn each_entry<'t>(
    tree: &'t PolicyValue,
    limit: usize,
    read: &mut dyn FnMut(&'t str, &'t PolicyValue) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let fields = table(tree)?;
    within(fields.len(), limit)?;
    let mut faults = Faults::default();
    for (key, value) in fields {
        faults.take(read(key, value).map_err(|e| e.in_field(key)));
    }
    faults.or(())
}

/// Reads a string.
pub(crate) fn text(tree: &PolicyValue) -> Result<&str, Invalid> {
    match tree {
        PolicyValue::Text(text) => Ok(text),
        // An unquoted `off`, `no` or `y` becomes a boolean, here and on its way through Kubernetes.
        PolicyValue::Flag(_) | PolicyValue::Integer(_) | PolicyValue::Fraction(_) => Err(Invalid::new(
            Code::WrongType,
            format!("expected a string, found {}", tree.kind()),
            "quote it: YAML reads no, off, 17 and the like as booleans and numbers",
        )),
        other => Err(wrong_type("a string", other)),
    }
}

/// Reads a boolean.
pub(crate) fn flag(tree: &PolicyValue) -> Result<bool, Invalid> {
    match tree {
        PolicyValue::Flag(flag) => Ok(*flag),
        other => Err(wrong_type("true or false", other)),
    }
}

/// Reads `true`, for something that is either there or not.
pub(crate) fn only_true(tree: &PolicyValue) -> Result<(), Invalid> {
    flag(tree)?.then_some(()).ok_or_else(|| {
        Invalid::new(Code::BadValue, "must be true", "remove the field instead of writing false")
    })
}

/// Reads an integer within `range`.
pub(crate) fn integer(tree: &PolicyValue, range: RangeInclusive<i64>) -> Result<i64, Invalid> {
    let written = match tree {
        PolicyValue::Integer(value) if range.contains(value) => return Ok(*value),
        PolicyValue::Integer(value) => value.to_string(),
        // Nothing knows its digits any more.
        other if other.is_whole() => "this number".to_owned(),
        other => return Err(wrong_type("an integer", other)),
    };
    let (low, high) = range.into_inner();
    Err(Invalid::new(
        Code::OutOfRange,
        format!("{written} is outside {low} to {high}"),
        "write a number in that range",
    ))
}

/// Reads a duration such as `30s`, as milliseconds within `range`.
pub(crate) fn millis(tree: &PolicyValue, range: RangeInclusive<u64>) -> Result<u64, Invalid> {
    let written = text(tree)?;
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let read = units.iter().find_map(|(unit, factor)| {
        let digits = written.strip_suffix(unit).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok()?.checked_mul(*factor)
    });
    let (low, high) = (*range.start(), *range.end());
    read.filter(|millis| range.contains(millis)).ok_or_else(|| {
        Invalid::new(
            Code::BadValue,
            format!("{written:?} is not a duration of {low}ms to {high}ms"),
            "write a whole number and ms, s, m, h or d, such as \"30s\"",
        )
    })
}

/// Reads one of a few words.
pub(crate) fn word<T: Copy>(tree: &PolicyValue, words: &[(&str, T)]) -> Result<T, Invalid> {
    let written = text(tree)?;
    words.iter().find(|(word, _)| *word == written).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Invalid::new(
            Code::BadValue,
            format!("{written:?} is not one of {}", names(&known)),
            suggestion(written, &known).unwrap_or_else(|| "write one of these".to_owned()),
        )
    })
}

/// A value of a type that the field does not take.
pub(crate) fn wrong_type(expected: &str, found: &PolicyValue) -> Invalid {
    Invalid::new(
        Code::WrongType,
        format!("expected {expected}, found {}", found.kind()),
        format!("write {expected} here"),
    )
}

/// Refuses more than `limit` elements.
pub(crate) fn within(count: usize, limit: usize) -> Result<(), Invalid> {
    if count <= limit {
        return Ok(());
    }
    Err(Invalid::new(
        Code::TooMany,
        format!("{count} elements, more than {limit}"),
        "split the policy, or write fewer",
    ))
}

pub(super) fn table(tree: &PolicyValue) -> Result<&[(String, PolicyValue)], Invalid> {
    match tree {
        PolicyValue::Table(fields) => Ok(fields),
        other => Err(wrong_type("a table", other)),
    }
}
