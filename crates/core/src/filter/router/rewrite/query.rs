//! Query parameters that a rewrite sets, adds and removes.

use crate::action::format_string::{self, FormatString};
use crate::filter::router::of_rule::OfRule;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::wire::{percent, query};

pub(super) static QUERY_EDITS: Object = object!(
    "queryEdits",
    Any,
    "Edits of query parameters: first removals, then what is set, then what is added.",
    [],
    [
        field!(
            "set",
            Map("^.", &Text(0, limits::VALUE_BYTES), limits::EDITS),
            Optional,
            "Parameters to have this value and no other; a value may quote the request (`%REQ(x)%`)."
        ),
        field!(
            "add",
            Map("^.", &Text(0, limits::VALUE_BYTES), limits::EDITS),
            Optional,
            "Parameters to append."
        ),
        field!(
            "remove",
            List(&Text(1, limits::VALUE_BYTES), 0, limits::EDITS),
            Optional,
            "Names of parameters to remove."
        ),
    ],
);

/// `query` of a rewrite. Names are as they are when percent-decoded.
#[derive(Clone, Debug)]
pub(super) struct QueryEdits {
    set: Vec<(Box<str>, FormatString)>,
    add: Vec<(Box<str>, FormatString)>,
    remove: Vec<Box<str>>,
}

impl QueryEdits {
    pub(super) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &QUERY_EDITS)?;
        let groups = || rule.captures();
        let values = |name: &str| {
            let value = |v| FormatString::quoting(read::text(v)?, &groups);
            let read = |t| read::entries(t, limits::EDITS, names::parameter, value);
            fields.optional(name, read).map(Option::unwrap_or_default)
        };
        let name = |t| names::parameter(read::text(t)?);
        let edits = Self {
            set: values("set")?,
            add: values("add")?,
            remove: fields.optional("remove", |t| read::list(t, limits::EDITS, name))?.unwrap_or_default(),
        };
        format_string::lookups(edits.set.iter().chain(&edits.add).map(|(_, text)| text))?;
        Ok(edits)
    }

    /// The query with these edits, perhaps empty. `None` if it does not change. What is set stands where the
    /// first parameter of its name stood.
    pub(super) fn query(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let mut room = limits::RENDERED;
        let mut rendered = |(name, text): &'_ (Box<str>, FormatString)| {
            let pair = pair(name, &text.render(request)?);
            if text.quotations().next().is_some() {
                room = room.checked_sub(pair.len())?;
            }
            Some(pair)
        };
        let mut set: Vec<_> = self.set.iter().map(|set| (&set.0, rendered(set), false)).collect();
        let added: Vec<_> = self.add.iter().map(rendered).collect();
        let mut written = Vec::new();
        let sent = request.query().filter(|query| !query.is_empty());
        for piece in sent.into_iter().flat_map(|query| query.split(|byte| *byte == b'&')) {
            let name = query::name(piece);
            let is = |other: &str| !piece.is_empty() && *name == *other.as_bytes();
            if self.remove.iter().any(|removed| is(removed)) {
                continue;
            }
            match set.iter_mut().find(|(name, pair, _)| pair.is_some() && is(name)) {
                Some((_, _, true)) => {}
                Some((_, Some(pair), is_done)) => {
                    *is_done = true;
                    append(&mut written, pair);
                }
                _ => append(&mut written, piece),
            }
        }
        let set = set.into_iter().filter(|(.., is_done)| !is_done).map(|(_, pair, _)| pair);
        for pair in set.chain(added).flatten() {
            append(&mut written, &pair);
        }
        // The first `&` is one too many.
        let written = written.get(1..).unwrap_or_default();
        (written != request.query().unwrap_or_default()).then(|| written.to_vec())
    }
}

/// Appends a parameter to a query, with a `&` before it.
fn append(query: &mut Vec<u8>, piece: &[u8]) {
    query.push(b'&');
    query.extend_from_slice(piece);
}

/// A parameter as it is sent.
fn pair(name: &str, value: &[u8]) -> Vec<u8> {
    let mut pair = percent::encode(name.as_bytes());
    pair.push(b'=');
    pair.extend(percent::encode(value));
    pair
}
