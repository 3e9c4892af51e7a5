//! The query of a location.

use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::request::Request;

pub(super) const WORDS: [(&str, bool); 2] = [("keep", true), ("drop", false)];

pub(super) static QUERY: Object = object!(
    "queryOfRedirect",
    Any,
    "A query in place of the request's.",
    [],
    [field!(
        "set",
        Pattern("^[!$-~]*$", limits::VALUE_BYTES),
        Required,
        "The query as it is sent, without the `?`: `a=b&c=d`."
    )],
);

/// `query` of a redirect.
#[derive(Clone, Debug, Default)]
pub(super) enum Query {
    #[default]
    Keep,
    Drop,
    Set(Box<str>),
}

impl Query {
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        if let PolicyValue::Table(_) = tree {
            return Fields::open(tree, &QUERY)?.required("set", set);
        }
        Ok(if read::word(tree, &WORDS)? { Self::Keep } else { Self::Drop })
    }

    /// Appends the query of the location to its path.
    pub(super) fn write(&self, request: &Request<'_>, target: &mut Vec<u8>) {
        let query = match self {
            Self::Keep => request.query(),
            Self::Drop => None,
            Self::Set(query) => Some(query.as_bytes()).filter(|query| !query.is_empty()),
        };
        if let Some(query) = query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
    }
}

fn set(tree: &PolicyValue) -> Result<Query, Invalid> {
    let query = read::text(tree)?;
    let is_sent = |byte: u8| byte.is_ascii_graphic() && !b"\"#".contains(&byte);
    if query.len() <= limits::VALUE_BYTES && query.bytes().all(is_sent) {
        return Ok(Query::Set(query.into()));
    }
    Err(Invalid::new(
        Code::BadPath,
        format!("{query:?} cannot be a query"),
        "write it as it is sent, with %20 for a blank and %23 for \"#\"",
    ))
}
