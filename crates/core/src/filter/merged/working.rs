//! The headers of a request in memory, as they are after the edits of the parts that have decided.

use std::borrow::Cow;

use crate::action::edit::Edit;
use crate::matching::request::Request;
use crate::order::merged;
use crate::wire::inline_headers;

/// A request's headers in order, edited as Envoy edits its own: so the next part need not read them from
/// Envoy again.
#[derive(Clone, Debug, Default)]
pub struct Working<'a>(Vec<(Cow<'a, [u8]>, Cow<'a, [u8]>)>);

impl<'a> Working<'a> {
    /// Headers as they arrived, pseudo headers included.
    pub fn new(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The headers of a request. Where blanks stood around a value, there is one again.
    pub(super) fn of(request: &Request<'a>) -> Self {
        let line = |(name, value): &(&'a [u8], &'a [u8])| {
            let is_padded = request.is_padded(name);
            let value =
                if is_padded { [value, b" ".as_slice()].concat().into() } else { Cow::Borrowed(*value) };
            (Cow::Borrowed(*name), value)
        };
        Self(request.headers().iter().map(line).collect())
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Removes headers. A client may choose how many, so the names are sorted first.
    pub fn remove(&mut self, names: Vec<&[u8]>) {
        let names = merged(names, |one, next| one > next);
        self.0.retain(|(name, _)| names.binary_search(&&**name).is_err());
    }

    /// Applies edits in order. Removals that follow each other are one pass over the headers.
    pub fn edit(&mut self, edits: &[Edit<'_>]) {
        let is_removal = |edit: &Edit<'_>| matches!(edit, Edit::Remove(_));
        for run in edits.chunk_by(|one, next| is_removal(one) && is_removal(next)) {
            match run {
                [Edit::Set(name, value)] => self.set(name.as_bytes(), value),
                [Edit::Add(name, value)] => self.add(name.as_bytes(), value),
                // Of a response.
                [Edit::Relocate(..) | Edit::SetCookie(_)] => {}
                removals => self.remove(removals.iter().map(|edit| edit.name().as_bytes()).collect()),
            }
        }
    }

    /// Puts a value in the place of all that the header has.
    fn set(&mut self, name: &[u8], value: &[u8]) {
        self.0.retain(|(held, _)| **held != *name);
        self.append(name, value);
    }

    /// Adds a value to those that the header has. What Envoy keeps once is joined.
    fn add(&mut self, name: &[u8], value: &[u8]) {
        if inline_headers::once_in_request(name)
            && let Some((_, held)) = self.0.iter_mut().find(|(held, _)| **held == *name)
        {
            let comma = if held.is_empty() || value.is_empty() { "" } else { "," };
            *held = [&**held, comma.as_bytes(), value].concat().into();
            return;
        }
        self.append(name, value);
    }

    /// Appends a header. Pseudo headers stay first.
    fn append(&mut self, name: &[u8], value: &[u8]) {
        let pseudo = || self.0.iter().take_while(|(name, _)| name.starts_with(b":")).count();
        let at = if name.starts_with(b":") { pseudo() } else { self.0.len() };
        self.0.insert(at, (name.to_vec().into(), value.to_vec().into()));
    }
}
