//! What is said of fields that are missing, unknown or too many.

use crate::language::describe::Object;
use crate::language::invalid::{Code, Invalid};
use crate::language::join::joined;
use crate::language::limits;

pub(super) fn missing_field(name: &str) -> Invalid {
    Invalid::new(Code::MissingField, format!("missing field {name:?}"), "add it here")
}

pub(super) fn repeated_field(name: &str) -> Invalid {
    Invalid::new(Code::RepeatedField, format!("duplicate field {name:?}"), "keep one of them")
}

pub(super) fn unknown_field(name: &str, object: &Object) -> Invalid {
    let mut known = Vec::new();
    object.names(&mut known);
    Invalid::new(
        Code::UnknownField,
        format!("unknown field {name:?}"),
        suggestion(name, &known).unwrap_or_else(|| format!("known here: {}", names(&known))),
    )
}

/// None of some fields is there, or `both`.
pub(super) fn not_exactly_one(both: Option<(&str, &str)>, known: &[&str]) -> Invalid {
    let known = names(known);
    match both {
        Some((one, two)) => Invalid::new(
            Code::Conflict,
            format!("{one:?} and {two:?} exclude each other"),
            format!("write exactly one of {known}"),
        ),
        None => Invalid::new(
            Code::MissingField,
            format!("expected exactly one of {known}"),
            "add the one that you mean",
        ),
    }
}

pub(super) fn names(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    joined(&mut quoted.iter().map(String::as_str), ", ")
}

/// "did you mean …?" for the nearest known name, if one is near enough.
pub(super) fn suggestion(written: &str, known: &[&str]) -> Option<String> {
    // Longer ones are near to none, and dear to compare.
    if written.len() > limits::NAME {
        return None;
    }
    let near = known
        .iter()
        .map(|name| (distance(written, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().max(written.len()).div_ceil(3))?;
    Some(format!("did you mean {:?}?", near.1))
}

/// Levenshtein distance over bytes, letter case ignored.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (y, above) in b.bytes().zip(row.iter().skip(1).copied()) {
            let same = usize::from(!x.eq_ignore_ascii_case(&y));
            left = diagonal.saturating_add(same).min(above.min(left).saturating_add(1));
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
