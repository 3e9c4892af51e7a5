//! Header edits: what a policy sets, adds and removes.

use std::borrow::Cow;

use crate::action::format_string::{self, FormatString, Groups};
use crate::action::set_cookie::{self, SetCookie};
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::modes::Trust;
use crate::language::names::{self, NamePattern};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::request::Request;
use crate::wire::field_value::FieldValue;
use crate::wire::location;

/// One change to a message's headers. Changes are applied in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Removes every header of that name; in a response, of every name that a `*` at its end covers
    /// (see [`names::covers`]).
    Remove(Cow<'a, str>),
    /// Replaces every header of that name with one.
    Set(Cow<'a, str>, Cow<'a, [u8]>),
    /// Appends one header.
    Add(Cow<'a, str>, Cow<'a, [u8]>),
    /// In the `location` of a response, puts the second authority in place of the first: see
    /// [`location::moved`].
    Relocate(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// Gives a cookie with a response, if no cache may keep that response: see [`SetCookie::on`].
    SetCookie(SetCookie<'a>),
}

impl Edit<'_> {
    /// The header's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Remove(name) | Self::Set(name, _) | Self::Add(name, _) => name,
            Self::Relocate(..) => location::HEADER,
            Self::SetCookie(_) => set_cookie::HEADER,
        }
    }

    /// The same edit, which borrows nothing.
    pub fn into_owned(self) -> Edit<'static> {
        let own = |name: Cow<'_, str>| Cow::Owned(name.into_owned());
        match self {
            Self::Remove(name) => Edit::Remove(own(name)),
            Self::Set(name, value) => Edit::Set(own(name), Cow::Owned(value.into_owned())),
            Self::Add(name, value) => Edit::Add(own(name), Cow::Owned(value.into_owned())),
            Self::Relocate(from, to) => {
                Edit::Relocate(Cow::Owned(from.into_owned()), Cow::Owned(to.into_owned()))
            }
            Self::SetCookie(cookie) => Edit::SetCookie(cookie.into_owned()),
        }
    }
}

impl Edit<'static> {
    /// The same edit of a part, whose series are behind those of the parts before it.
    pub(crate) fn counted_from(self, first: usize) -> Self {
        match self {
            Self::SetCookie(cookie) => Self::SetCookie(SetCookie {
                given: cookie.given.saturating_add(first),
                withheld: cookie.withheld.saturating_add(first),
                ..cookie
            }),
            other => other,
        }
    }
}

/// Edits of a request in the making. Each edit sees the result of those before it, so that nothing is
/// written that will be there already: any write makes Envoy match the route again.
pub(crate) struct Draft<'r, 'a> {
    pub(crate) request: &'r Request<'a>,
    pub(crate) trust: Trust,
    edits: Vec<Edit<'a>>,
    kept: Vec<Cow<'a, str>>,
}

/// `requestHeaders` of a rule or backend.
pub(crate) const REQUEST_HEADERS: Field =
    field!("requestHeaders", Table(&EDITS), Optional, "Headers of the request to set, add and remove.");
/// `responseHeaders` of a rule or backend.
pub(crate) const RESPONSE_HEADERS: Field =
    field!("responseHeaders", Table(&EDITS), Optional, "Headers of the response to set, add and remove.");

static EDITS: Object = object!(
    "headerEdits",
    Any,
    "Header edits: first removals, then what is set, then what is added.",
    [],
    [
        field!(
            "set",
            Map(TOKEN, &Text(0, limits::VALUE_BYTES), limits::EDITS),
            Optional,
            "Headers to have these values and no other; a value may quote the request (`%REQ(x)%`)."
        ),
        field!(
            "add",
            Map(TOKEN, &Text(0, limits::VALUE_BYTES), limits::EDITS),
            Optional,
            "Headers to append."
        ),
        field!(
            "remove",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::EDITS),
            Optional,
            "Names of headers to remove; `*` at the end covers a prefix."
        ),
    ],
);

/// `requestHeaders` or `responseHeaders` of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderEdits {
    set: Vec<(Box<str>, FormatString)>,
    add: Vec<(Box<str>, FormatString)>,
    remove: Vec<NamePattern>,
}

impl<'r, 'a> Draft<'r, 'a> {
    pub(crate) fn new(request: &'r Request<'a>, trust: Trust) -> Self {
        Self { request, trust, edits: Vec::new(), kept: Vec::new() }
    }

    /// The edits, and the headers that had the wanted value already.
    pub(crate) fn finish(self) -> (Vec<Edit<'a>>, Vec<Cow<'a, str>>) {
        (self.edits, self.kept)
    }

    /// Whether a header will be there, and whether its value will be `value` and nothing else.
    fn foresee(&self, name: &str, value: &[u8]) -> (bool, bool) {
        let found = self.request.header(name.as_bytes());
        // Envoy's route table does not ignore the blanks around a value.
        let is_same = matches!(&found, FieldValue::Single(found) if **found == *value)
            && !self.request.is_padded(name.as_bytes());
        let edits = self.edits.iter().filter(|edit| edit.name() == name);
        edits.fold((found.value().is_some(), is_same), |(is_there, is_same), edit| match edit {
            Edit::Remove(_) => (false, false),
            Edit::Set(_, text) => (true, **text == *value),
            Edit::Add(_, text) => (true, !is_there && **text == *value),
            // Requests have none.
            Edit::Relocate(..) | Edit::SetCookie(_) => (is_there, is_same),
        })
    }

    /// Whether a header will be there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.foresee(name, b"").0
    }

    /// Whether an edit so far sets a header, or would set it if it did not have the value already.
    pub(crate) fn sets(&self, name: &str) -> bool {
        let set = |edit: &Edit<'_>| matches!(edit, Edit::Set(..)) && edit.name() == name;
        self.kept.iter().any(|kept| kept == name) || self.edits.iter().any(set)
    }

    /// Takes the sender's header of that name away, in every spelling. What edits so far add to it stays, or else it
    /// has the authority that was asked for.
    pub(crate) fn disown(&mut self, name: &'a str) {
        if self.edits.iter().any(|edit| matches!(edit, Edit::Add(..)) && edit.name() == name) {
            self.remove_others(name);
            self.edits.insert(0, Edit::Remove(name.into()));
        } else {
            self.set(name, Cow::Borrowed(self.request.authority()));
        }
    }

    /// Gives a header one value, and removes every other spelling of its name: an `x_user` beside
    /// `x-user` would be the caller's value beside the policy's.
    pub(crate) fn set(&mut self, name: &'a str, value: Cow<'a, [u8]>) {
        self.remove_others(name);
        if self.foresee(name, &value).1 {
            self.kept.push(name.into());
        } else {
            self.edits.push(Edit::Set(name.into(), value));
        }
    }

    fn remove_others(&mut self, name: &str) {
        let others = self.other_spellings(name);
        self.edits.extend(others.into_iter().map(|other| Edit::Remove(String::from_utf8_lossy(other))));
    }

    /// Writes a pseudo header, whatever its value is now.
    pub(crate) fn write(&mut self, name: &'a str, value: Vec<u8>) {
        self.edits.push(Edit::Set(name.into(), Cow::Owned(value)));
    }

    fn remove(&mut self, patterns: &[NamePattern]) {
        if !patterns.is_empty() {
            self.edits.extend(removals(self.request, |name| patterns.iter().any(|p| p.covers(name))));
        }
    }

    /// The names of headers that are there under another spelling of a name, and that no edit so far removes or
    /// writes. Of a name with many dashes a client can send thousands.
    fn other_spellings(&self, name: &str) -> Vec<&'a [u8]> {
        let is_other = |other: &&[u8]| *other != name.as_bytes() && names::covers(name.as_bytes(), other);
        let others: Vec<&'a [u8]> =
            self.request.headers().iter().map(|(name, _)| *name).filter(is_other).collect();
        if others.is_empty() {
            return others;
        }
        let is_removal = |edit: &&Edit<'_>| matches!(edit, Edit::Remove(_));
        let known: Vec<&[u8]> =
            self.edits.iter().filter(is_removal).map(|edit| edit.name().as_bytes()).collect();
        let written: Vec<&[u8]> = self
            .edits
            .iter()
            .filter(|edit| !is_removal(edit))
            .map(|edit| edit.name().as_bytes())
            .chain(self.kept.iter().map(|kept| kept.as_bytes()))
            .collect();
        let all: Vec<&[u8]> = known.iter().chain(&others).copied().collect();
        let is_first = names::firsts(&all).into_iter().skip(known.len());
        let fresh = others
            .into_iter()
            .zip(is_first)
            .filter(|(other, is_first)| *is_first && !written.contains(other));
        fresh.map(|(other, _)| other).collect()
    }
}

/// Removes every header of a request that is `unwanted`, each name once; pseudo headers stay.
pub(crate) fn removals<'a>(
    request: &Request<'a>,
    unwanted: impl Fn(&[u8]) -> bool,
) -> impl Iterator<Item = Edit<'a>> {
    let names = request.headers().iter().map(|(name, _)| *name);
    let names = names::distinct(names.filter(|name| !name.starts_with(b":") && unwanted(name)).collect());
    names.into_iter().map(|name| Edit::Remove(String::from_utf8_lossy(name)))
}

impl HeaderEdits {
    /// Reads edits that can quote no groups of an expression.
    pub(crate) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        Self::read_quoting(tree, &format_string::no_groups)
    }

    /// Reads edits that may quote groups.
    pub(crate) fn read_quoting(tree: &PolicyValue, groups: Groups<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &EDITS)?;
        let values = |name: &str| {
            let value = |v| FormatString::quoting(read::text(v)?, groups);
            let read = |t| read::entries(t, limits::EDITS, names::writable_header, value);
            fields.optional(name, read).map(Option::unwrap_or_default)
        };
        let edits = Self {
            set: values("set")?,
            add: values("add")?,
            remove: fields
                .optional("remove", |t| read::list(t, limits::EDITS, NamePattern::removable))?
                .unwrap_or_default(),
        };
        format_string::lookups(edits.set.iter().chain(&edits.add).map(|(_, text)| text))?;
        Ok(edits)
    }

    /// Edits a request in the order of Gateway API: removals, in every spelling that is there; then
    /// what is set; then what is added. A value that quotes something missing is not written.
    pub(crate) fn apply<'a>(&'a self, draft: &mut Draft<'_, 'a>) {
        draft.remove(&self.remove);
        for (name, text) in &self.set {
            if let Some(value) = text.render(draft.request) {
                draft.set(name, value);
            }
        }
        for (name, text) in &self.add {
            draft.edits.extend(text.render(draft.request).map(|value| Edit::Add((&**name).into(), value)));
        }
    }

    /// Whether a request loses the sender's header of that name: it is removed, or overwritten.
    pub(crate) fn displaces(&self, name: &[u8]) -> bool {
        self.remove.iter().any(|pattern| pattern.covers(name))
            || self.set.iter().any(|(set, _)| names::covers(set.as_bytes(), name))
    }

    /// The edits for the response to `request`. The response does not exist yet: a name is removed as
    /// it is written, and a wildcard covers the names that the response will have.
    pub(crate) fn respond<'a>(&'a self, request: &Request<'a>, edits: &mut Vec<Edit<'a>>) {
        edits.extend(self.remove.iter().map(|pattern| Edit::Remove(Cow::Borrowed(pattern.written()))));
        let value = |text: &'a FormatString| text.render(request);
        edits.extend(
            self.set.iter().filter_map(|(name, text)| Some(Edit::Set((&**name).into(), value(text)?))),
        );
        edits.extend(
            self.add.iter().filter_map(|(name, text)| Some(Edit::Add((&**name).into(), value(text)?))),
        );
    }
}
