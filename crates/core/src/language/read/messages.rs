//! Messages about fields that are missing, unknown or too many.

use crate::language::describe::Object;
use crate::language::invalid::{Code, Invalid};
use crate::language::nearest::{names, suggestion};

pub(super) fn missing_field(name: &str) -> Invalid {
    Invalid::new(Code::MissingField, format!("missing field {name:?}"), "add it here")
}

pub(super) fn repeated_field(name: &str) -> Invalid {
    Invalid::new(Code::RepeatedField, format!("duplicate field {name:?}"), "keep one of them")
}

pub(super) fn shared_field(name: &str) -> Invalid {
    Invalid::new(
        Code::UnknownField,
        format!("{name:?} holds for all parts, so it is not a field of one"),
        "write it at the top of the policy, beside the parts",
    )
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

/// None of the fields is there, or `both` are.
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
