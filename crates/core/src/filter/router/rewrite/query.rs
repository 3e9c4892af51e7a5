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
        let mut pairs: Vec<_> =
            self.set.iter().chain(&self.add).map(|edit| Pair::of(edit, request)).collect();
        make_room(&mut pairs);
        let mut pairs = pairs.into_iter().map(|pair| pair.written);
        let mut set: Vec<_> =
            self.set.iter().zip(&mut pairs).map(|((name, _), pair)| (name, pair, false)).collect();
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
        for pair in set.chain(pairs).flatten() {
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

/// A parameter that is set or added.
struct Pair {
    /// As it is sent. `None` if it is not written.
    written: Option<Vec<u8>>,
    /// Whether a client may have a say in its length.
    quotes: bool,
}

impl Pair {
    fn of((name, text): &(Box<str>, FormatString), request: &Request<'_>) -> Self {
        let written = text.render(request).map(|value| {
            let mut pair = percent::encode(name.as_bytes());
            pair.push(b'=');
            pair.extend(percent::encode(&value));
            pair
        });
        Self { written, quotes: text.quotations().next().is_some() }
    }

    fn len(&self) -> usize {
        self.written.as_ref().filter(|_| self.quotes).map_or(0, Vec::len)
    }
}

/// Leaves out values that quote the request, the longest first, until the others have room together: a client that
/// makes one of them long takes the place of no other.
fn make_room(pairs: &mut [Pair]) {
    let mut all: usize = pairs.iter().map(Pair::len).sum();
    while all > limits::RENDERED {
        let Some(longest) = pairs.iter_mut().max_by_key(|pair| pair.len()) else { return };
        all = all.saturating_sub(longest.len());
        longest.written = None;
    }
}
