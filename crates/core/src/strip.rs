//! What a client must not say: headers removed before anything reads them.

use std::borrow::Cow;

use crate::edit::Edit;
use crate::invalid::Invalid;
use crate::limits;
use crate::names::{NamePattern, OWN_PREFIX, joined};
use crate::policy::{Mode, Trust};
use crate::read::{self, Fields};
use crate::request::Request;

/// The filter state in which the first filter of a proxy says what it has stripped
/// and what it has written since. No client can set it, so a later filter can keep
/// what an earlier one wrote.
pub const STATE: &str = "narrows_stripped";

/// The headers that a filter removes from what the client sent.
#[derive(Clone, Debug, Default)]
pub struct Strip {
    patterns: Vec<NamePattern>,
    /// The patterns as one word list: what [`STATE`] says afterwards.
    state: Box<str>,
    /// Whether the request is only judged as if stripped, and left as it is.
    reports: bool,
}

impl Strip {
    /// Under `edge`: everything of ours, `own` (the route header, override headers)
    /// and what the policy lists. Under `mesh`: what the policy lists.
    pub(crate) fn new(
        trust: Trust,
        own: impl IntoIterator<Item = Box<str>>,
        listed: Vec<NamePattern>,
    ) -> Self {
        let mut patterns = listed;
        if trust == Trust::Edge {
            let ours = std::iter::once(format!("{OWN_PREFIX}*").into()).chain(own);
            for pattern in ours.map(|name: Box<str>| NamePattern::of(&name)) {
                if !patterns.iter().any(|listed| listed.covers(pattern.as_str().as_bytes())) {
                    patterns.push(pattern);
                }
            }
        }
        let state = joined(&mut patterns.iter().map(NamePattern::as_str), ",");
        Self { patterns, state: state.into(), reports: false }
    }

    /// The same, for a policy in `mode`: one that reports changes nothing.
    #[must_use]
    pub(crate) fn within(self, mode: Mode) -> Self {
        Self { reports: mode == Mode::Report, ..self }
    }

    /// Reads the `strip` list.
    pub(crate) fn listed(fields: Fields<'_>) -> Result<Vec<NamePattern>, Invalid> {
        let read = |t| read::list(t, limits::STRIP, NamePattern::read);
        Ok(fields.optional("strip", read)?.unwrap_or_default())
    }

    /// Whether there is anything to strip.
    pub fn is_needed(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Removes from `request` what the client must not have sent, and returns the
    /// names to remove from the message too. What an earlier filter has stripped or written is
    /// left alone.
    pub(crate) fn apply<'a>(&self, request: &mut Request<'a>) -> Vec<&'a [u8]> {
        if !self.is_needed() {
            return Vec::new();
        }
        let done: Vec<&[u8]> =
            request.stripped().map(|state| state.split(|b| *b == b',').collect()).unwrap_or_default();
        let to_do: Vec<&NamePattern> =
            self.patterns.iter().filter(|p| !done.contains(&p.as_str().as_bytes())).collect();
        if to_do.is_empty() {
            return Vec::new();
        }
        let removed =
            request.remove_headers(|name| !done.contains(&name) && to_do.iter().any(|p| p.covers(name)));
        if self.reports { Vec::new() } else { removed }
    }

    /// What [`STATE`] must say after this filter, given its edits; `None` if it says
    /// so already.
    pub(crate) fn state(&self, before: Option<&[u8]>, edits: &[Edit<'_>]) -> Option<Cow<'_, [u8]>> {
        if !self.is_needed() || self.reports {
            return None;
        }
        let before = before.unwrap_or_default();
        let known = |word: &str| before.split(|b| *b == b',').any(|w| w == word.as_bytes());
        let patterns = self.patterns.iter().map(NamePattern::as_str);
        let written = edits.iter().filter_map(|edit| match edit {
            Edit::Set(name, _) | Edit::Add(name, _) if !name.starts_with(':') => Some(*name),
            _ => None,
        });
        let mut new = patterns.chain(written).filter(|word| !known(word)).peekable();
        new.peek()?;
        if before.is_empty() && edits.is_empty() {
            return Some(Cow::Borrowed(self.state.as_bytes()));
        }
        let mut state = before.to_vec();
        for word in new {
            if !state.is_empty() {
                state.push(b',');
            }
            state.extend_from_slice(word.as_bytes());
        }
        Some(Cow::Owned(state))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Strip;
    use crate::edit::Edit;
    use crate::names::NamePattern;
    use crate::policy::Trust;
    use crate::request::Request;

    fn request(state: Option<&[u8]>) -> Request<'_> {
        let headers: [(&[u8], &[u8]); 5] = [
            (b":path", b"/"),
            (b"x-narrows-route", b"v9"),
            (b"x_narrows_route", b"v9"),
            (b"x-lane", b"gold"),
            (b"x-other", b"1"),
        ];
        Request::new(headers).already_stripped(state)
    }

    fn edge() -> Strip {
        Strip::new(Trust::Edge, ["x-lane".into()], vec![NamePattern::of("x-admin-*")])
    }

    #[test]
    fn the_first_filter_strips_every_spelling() {
        let mut first = request(None);
        let names = edge().apply(&mut first);
        assert_eq!(names, [b"x-narrows-route".as_slice(), b"x_narrows_route", b"x-lane"]);
        assert_eq!(edge().state(None, &[]).as_deref(), Some(b"x-admin-*,x-narrows-*,x-lane".as_slice()));
        let covered = Strip::new(Trust::Edge, ["x-narrows-route".into()], vec![]);
        assert_eq!(covered.state(None, &[]).as_deref(), Some(b"x-narrows-*".as_slice()));
    }

    #[test]
    fn a_later_filter_keeps_what_an_earlier_one_wrote() {
        let written = [Edit::Set("x-lane", b"beta".into())];
        let other = Strip::new(Trust::Edge, [], vec![]);
        let state = other.state(None, &written).unwrap().into_owned();
        assert_eq!(state, b"x-narrows-*,x-lane");
        assert_eq!(edge().apply(&mut request(Some(&state))), Vec::<&[u8]>::new());
        // What the earlier filter neither stripped nor wrote is still the client's.
        let state = other.state(None, &[]).unwrap().into_owned();
        assert_eq!(edge().apply(&mut request(Some(&state))), [b"x-lane"]);
        assert_eq!(other.state(Some(&state), &[]), None);
    }

    #[test]
    fn a_mesh_believes() {
        let mesh = Strip::new(Trust::Mesh, ["x-lane".into()], vec![]);
        assert_eq!(mesh.apply(&mut request(None)), Vec::<&[u8]>::new());
        assert_eq!(mesh.state(None, &[]), None);
    }
}
