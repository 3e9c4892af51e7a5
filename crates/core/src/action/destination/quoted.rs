//! A destination that quotes the request: the client chooses among values that the policy lists.

use std::borrow::Cow;

use crate::action::format_string::FormatString;
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, names, read};
use crate::matching::request::Request;

/// A value of the route header that quotes the request.
#[derive(Clone, Debug)]
pub(crate) struct Quoted {
    pub(super) written: Box<str>,
    text: FormatString,
    values: Vec<Value>,
}

/// A value that it may have.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// The value, or what is before the `*`.
    start: Box<[u8]>,
    /// What is behind the `*`, if there is one.
    end: Option<Box<[u8]>>,
}

impl Quoted {
    /// Reads a `to`; none if it quotes nothing.
    pub(super) fn read(written: &str, values: Option<Vec<Value>>) -> Result<Option<Self>, Invalid> {
        let text = FormatString::new(written)?;
        let quotes = text.quotations().next().is_some();
        match values {
            Some(values) if quotes => Ok(Some(Self { written: written.into(), text, values })),
            None if quotes => Err(Invalid::new(
                Code::Conflict,
                format!("{written:?} lets the client choose any destination"),
                "add \"toValues\": [\"v2\", \"pr-*\"]: a request with another value does not match",
            )),
            Some(_) => Err(idle()),
            None => Ok(None),
        }
    }

    /// The value for a request, if it is one of those that the policy lists.
    #[inline(never)]
    pub(super) fn value<'a>(&'a self, request: &Request<'_>) -> Option<Cow<'a, [u8]>> {
        let value = self.text.render(request)?;
        self.values.iter().any(|known| known.covers(&value)).then_some(value)
    }
}

impl Value {
    fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let written = read::text(tree)?;
        names::header_value(written)?;
        let (start, end) = match written.split_once('*') {
            Some((start, end)) => (start, Some(end)),
            None => (written, None),
        };
        if written.is_empty() || written == "*" || end.is_some_and(|end| end.contains('*')) {
            return Err(Invalid::new(
                Code::BadValue,
                format!("{written:?} cannot be a destination"),
                "write a value, or one with one \"*\" in it: \"pr-*\"",
            ));
        }
        Ok(Self { start: start.as_bytes().into(), end: end.map(|end| end.as_bytes().into()) })
    }

    /// Whether a value is this one. A `*` stands for one character or more of a name.
    fn covers(&self, value: &[u8]) -> bool {
        let Some(rest) = value.strip_prefix(&*self.start) else { return false };
        let Some(end) = &self.end else { return rest.is_empty() };
        let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        rest.strip_suffix(&**end).is_some_and(|name| !name.is_empty() && name.iter().all(of_name))
    }
}

/// Reads `toValues`.
pub(super) fn values(tree: &PolicyValue) -> Result<Vec<Value>, Invalid> {
    let values = read::list(tree, limits::TO_VALUES, Value::read)?;
    if values.is_empty() {
        return Err(Invalid::new(Code::BadValue, "no value is listed", "write one, such as \"v2\""));
    }
    Ok(values)
}

/// What to say where no `to` quotes the request.
pub(super) fn idle() -> Invalid {
    Invalid::new(
        Code::Conflict,
        "\"toValues\" has no effect: no \"to\" quotes the request",
        "leave it out, or write \"to\": \"%REQ(x-feature)%\"",
    )
}
