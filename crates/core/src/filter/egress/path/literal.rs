//! Paths in a policy, brought to the form that requests are brought to.
//!
//! A rule compares decoded paths. A literal that kept its encoding would match no request at all, not
//! even one with its own spelling.

use super::{Ambiguity, Readings, decode};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::matching::parse;
use crate::matching::value::OfPath;

/// A path matcher as written, with its literals decoded. A literal that could not be the reading of any
/// request is refused. A regular expression is left as it is: it sees decoded paths.
pub(in crate::filter::egress) fn decoded(matcher: &PolicyValue) -> Result<PolicyValue, Invalid> {
    let PolicyValue::Table(fields) = matcher else { return Ok(matcher.clone()) };
    let field = |(name, value): &(String, PolicyValue)| {
        let value = match (parse::of_path(name), value) {
            (Some(OfPath::Whole), PolicyValue::Text(text)) => whole(text),
            (Some(OfPath::Template), PolicyValue::Text(text)) => template(text),
            (Some(OfPath::Part), PolicyValue::Text(text)) => part(text),
            (Some(OfPath::Wholes), PolicyValue::List(values)) => {
                let value = |(index, value): (usize, &PolicyValue)| match value {
                    PolicyValue::Text(text) => whole(text).map_err(|e| e.in_index(index)),
                    other => Ok(other.clone()),
                };
                values.iter().enumerate().map(value).collect::<Result<_, _>>().map(PolicyValue::List)
            }
            // An expression, an option, or what the reader of the matcher refuses.
            (Some(_) | None, other) => Ok(other.clone()),
        };
        value.map(|value| (name.clone(), value)).map_err(|e| e.in_field(name))
    };
    fields.iter().map(field).collect::<Result<_, _>>().map(PolicyValue::Table)
}

/// A path from its root: it must have one reading.
fn whole(text: &str) -> Result<PolicyValue, Invalid> {
    let readings = match Readings::of(text.as_bytes()) {
        Ok(readings) => readings,
        // The reader of the matcher reports how a path must start.
        Err(Ambiguity::PathForm) => return Ok(PolicyValue::Text(text.to_owned())),
        Err(ambiguity) => return Err(refused(text, ambiguity)),
    };
    match readings.others.last() {
        None => Ok(owned(&readings.plain)),
        Some(other) => Err(Invalid::new(
            Code::BadPath,
            format!("some servers read {text:?} as {:?}", String::from_utf8_lossy(other)),
            "write the path without \".\", \"..\", \"//\" and \";\": requests are compared without them too",
        )),
    }
}

/// A template: its marks for variables must have been written as such, and not encoded.
fn template(text: &str) -> Result<PolicyValue, Invalid> {
    let marks = |text: &str| text.matches(['{', '}', '*']).count();
    match whole(text)? {
        PolicyValue::Text(plain) if marks(&plain) != marks(text) => Err(Invalid::new(
            Code::BadPath,
            format!("{text:?} holds an encoded brace or star"),
            "use \"exact\" or \"pathPrefix\" for it",
        )),
        plain => Ok(plain),
    }
}

/// A piece of a path.
fn part(text: &str) -> Result<PolicyValue, Invalid> {
    decode(text.as_bytes()).map(|plain| owned(&plain)).map_err(|ambiguity| refused(text, ambiguity))
}

fn owned(plain: &[u8]) -> PolicyValue {
    PolicyValue::Text(String::from_utf8_lossy(plain).into_owned())
}

fn refused(text: &str, ambiguity: Ambiguity) -> Invalid {
    Invalid::new(
        Code::BadPath,
        format!(
            "a request for {text:?} is ambiguous ({}): no rule with \"paths\" allows it",
            ambiguity.as_str()
        ),
        "write a path that every server reads alike",
    )
}
