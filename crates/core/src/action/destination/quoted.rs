//! A destination that quotes the request: the client chooses among values that the policy lists.

use std::borrow::Cow;

use crate::action::format_string::FormatString;
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, read};
use crate::matching::listed::Listed;
use crate::matching::request::Request;

/// A value of the route header that quotes the request.
#[derive(Clone, Debug)]
pub(crate) struct Quoted {
    pub(super) written: Box<str>,
    text: FormatString,
    values: Vec<Listed>,
}

impl Quoted {
    /// Reads a `to`; none if it quotes nothing.
    pub(super) fn read(written: &str, values: Option<Vec<Listed>>) -> Result<Option<Self>, Invalid> {
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

/// Reads `toValues`.
pub(super) fn values(tree: &PolicyValue) -> Result<Vec<Listed>, Invalid> {
    let values = read::list(tree, limits::TO_VALUES, |t| Listed::read(t, "a destination"))?;
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
