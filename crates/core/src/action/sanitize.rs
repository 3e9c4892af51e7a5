//! Strips what a client must not send: headers are removed before anything reads them.

use std::borrow::Cow;

use crate::action::edit::Edit;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::join::joined;
use crate::language::limits;
use crate::language::modes::{Mode, Trust};
use crate::language::names::{self, FORWARDED_HOST, NamePattern, ORIGINAL_PATH, OWN_PREFIX};
use crate::language::read::{self, Fields};
use crate::matching::request::Request;

/// The filter state in which the first filter of a proxy records what it has stripped and what it has
/// written since, so that a later filter can keep what an earlier one wrote. No client can set it.
///
/// A list of words with commas between. `x-internal-*`: this was stripped, in every spelling.
/// `=x-lane`: this was written, in that one spelling; any other spelling, such as `x_lane`, is the
/// client's. `<`: something was there to be stripped.
pub const PROVENANCE: &str = "narrows_stripped";

/// `strip` of a policy.
pub(crate) const LISTED: Field = field!(
    "strip",
    List(&Text(1, 257), 0, limits::STRIP),
    Optional,
    "More headers to remove from what a client sent; `*` at the end of a name covers a prefix."
);

/// The word in [`PROVENANCE`] for a filter that has removed something that the client had sent. It is
/// not the name of a header.
const REMOVED: &str = "<";

/// Whether a filter of this proxy has removed something that the client had sent, according to
/// [`PROVENANCE`]: it may have led to Envoy's route.
pub fn was_removed(state: Option<&[u8]>) -> bool {
    words(state).any(|word| word == REMOVED.as_bytes())
}

/// Whether [`PROVENANCE`] says more than which names were stripped, which a later filter can do again.
pub(crate) fn has_marks(state: &[u8]) -> bool {
    words(Some(state)).any(|word| word.starts_with(b"=") || word == REMOVED.as_bytes())
}

/// Whether an earlier filter wrote this header, according to [`PROVENANCE`].
pub(crate) fn was_written(state: Option<&[u8]>, name: &[u8]) -> bool {
    words(state).any(|word| word.strip_prefix(b"=") == Some(name))
}

fn words(state: Option<&[u8]>) -> impl Iterator<Item = &[u8]> {
    state.unwrap_or_default().split(|b| *b == b',')
}

/// The headers that a filter removes from what the client sent.
#[derive(Clone, Debug, Default)]
pub struct Sanitizer {
    patterns: Vec<NamePattern>,
    /// The patterns as one word list: what [`PROVENANCE`] holds afterwards.
    state: Box<str>,
    /// Whether the request is only judged as if it were stripped, and stays as it is.
    reports: bool,
    /// Whether the merged policy, of which this is a part's, has stripped all of it before.
    is_done: bool,
}

impl Sanitizer {
    /// Under `edge`: every header of ours, `own` (the route header, override headers) and what the
    /// policy lists. Under `mesh`: what the policy lists.
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
        Self { patterns, state: state.into(), reports: false, is_done: false }
    }

    /// What several filters strip, as one. A filter that only reports strips nothing.
    pub(crate) fn union<'s>(all: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut patterns: Vec<NamePattern> = Vec::new();
        for pattern in all.into_iter().filter(|one| !one.reports).flat_map(|one| &one.patterns) {
            if !patterns.iter().any(|listed| listed.covers(pattern.as_str().as_bytes())) {
                patterns.push(pattern.clone());
            }
        }
        let state = joined(&mut patterns.iter().map(NamePattern::as_str), ",");
        Self { patterns, state: state.into(), reports: false, is_done: false }
    }

    /// The same, for a policy in `mode`: a policy that only reports changes nothing.
    #[must_use]
    pub(crate) fn within(self, mode: Mode) -> Self {
        Self { reports: mode == Mode::Report, ..self }
    }

    /// The same, of a part: the merged policy strips for all parts at once, but not for one that only
    /// reports.
    #[must_use]
    pub(crate) fn of_part(self, is_part: bool) -> Self {
        Self { is_done: is_part && !self.reports, ..self }
    }

    /// Reads the `strip` list.
    pub(crate) fn listed(fields: Fields<'_>) -> Result<Vec<NamePattern>, Invalid> {
        let read = |t| read::list(t, limits::STRIP, NamePattern::removable);
        Ok(fields.optional(LISTED.name, read)?.unwrap_or_default())
    }

    /// Whether there is anything to strip.
    pub fn is_needed(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The names that are stripped, some with a `*` at their end.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(NamePattern::as_str)
    }

    /// Whether a header of that name may have to be removed.
    pub fn covers(&self, name: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.covers(name))
    }

    /// Whether it matters what earlier filters have said of a header: it may go, or keep what one has rewritten.
    pub fn concerns(&self, name: &[u8]) -> bool {
        self.covers(name) || [FORWARDED_HOST, ORIGINAL_PATH].iter().any(|kept| kept.as_bytes() == name)
    }

    /// Whether the request is only judged as if it were stripped, and stays as it is.
    pub(crate) fn reports(&self) -> bool {
        self.reports
    }

    /// Removes from `request` what the client must not have sent, and returns the names, to remove from the message
    /// too unless the policy reports. It leaves alone what an earlier filter has stripped or written.
    pub(crate) fn apply<'a>(&self, request: &mut Request<'a>) -> Vec<&'a [u8]> {
        if self.is_done || !self.is_needed() {
            return Vec::new();
        }
        let state = request.stripped();
        // Few names are covered: only for those it is asked what was done.
        let is_done =
            |pattern: &NamePattern| words(state).any(|word| names::covers(word, pattern.as_str().as_bytes()));
        request.remove_headers(|name| {
            self.patterns.iter().any(|pattern| pattern.covers(name) && !is_done(pattern))
                && !was_written(state, name)
        })
    }

    /// Whether a trailer of that name must not go on. No filter writes trailers, so every trailer is
    /// the client's.
    pub fn covers_trailer(&self, name: &[u8]) -> bool {
        !self.reports && self.covers(name)
    }

    /// What [`PROVENANCE`] must hold after this filter, given what the filter has stripped and written;
    /// `None` if it holds that already. A filter that strips nothing still records what it has written:
    /// otherwise a later filter may take it for the client's.
    pub(crate) fn state(
        &self,
        before: Option<&[u8]>,
        stripped: &[&[u8]],
        edits: &[Edit<'_>],
        already_set: &[Cow<'_, str>],
    ) -> Option<Cow<'_, [u8]>> {
        if self.reports {
            return None;
        }
        // An added value joins the client's own values, unless those were stripped.
        let is_ours = |name: &str| {
            self.patterns.iter().any(|pattern| pattern.covers(name.as_bytes()))
                || words(before).any(|word| names::covers(word, name.as_bytes()))
        };
        let edited = edits.iter().filter_map(|edit| match edit {
            Edit::Set(name, _) => Some(&**name),
            Edit::Add(name, _) if is_ours(name) => Some(&**name),
            _ => None,
        });
        // In the mesh, this would cost two host calls with every rewrite, for headers that hardly anybody
        // strips.
        let is_worth_it = |name: &&str| self.is_needed() || ![FORWARDED_HOST, ORIGINAL_PATH].contains(name);
        let written =
            edited.chain(already_set.iter().map(|name| &**name)).filter(|name| !name.starts_with(':'));
        let written = written.filter(is_worth_it);
        let mut written = written.peekable();
        // What was stripped before is said already.
        if self.is_done && written.peek().is_none() {
            return None;
        }
        // Proxies in front write `x-forwarded-host` for every request, and no route is chosen by it.
        let is_worth_a_mark = |name: &&[u8]| *name != FORWARDED_HOST.as_bytes();
        let removed = stripped.iter().any(is_worth_a_mark).then_some(REMOVED);
        if before.is_none() && written.peek().is_none() && removed.is_none() {
            return self.is_needed().then_some(Cow::Borrowed(self.state.as_bytes()));
        }
        let mut state = before.unwrap_or_default().to_vec();
        let mut is_new = false;
        let patterns = self.patterns.iter().filter(|_| !self.is_done).map(|pattern| ("", pattern.as_str()));
        let removed = removed.map(|mark| ("", mark));
        for (mark, name) in patterns.chain(removed).chain(written.map(|name| ("=", name))) {
            let says = |word: &[u8]| word.strip_prefix(mark.as_bytes()) == Some(name.as_bytes());
            if words(Some(&state)).any(says) {
                continue;
            }
            if !state.is_empty() {
                state.push(b',');
            }
            state.extend_from_slice(mark.as_bytes());
            state.extend_from_slice(name.as_bytes());
            is_new = true;
        }
        is_new.then_some(Cow::Owned(state))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{PROVENANCE, Sanitizer};
    use crate::action::edit::Edit;
    use crate::filter::router::Router;
    use crate::language::modes::Trust;
    use crate::language::names::NamePattern;
    use crate::language::policy_value::PolicyValue;
    use crate::matching::request::{Known, Request};
    use crate::policy::Policy;

    fn request(state: Option<&[u8]>) -> Request<'_> {
        let headers: [(&[u8], &[u8]); 6] = [
            (b":path", b"/"),
            (b"x-narrows-route", b"v9"),
            (b"x_narrows_route", b"v9"),
            (b"x-lane", b"gold"),
            (b"x_lane", b"gold"),
            (b"x-other", b"1"),
        ];
        Request::new(headers).knowing(Known { stripped: state, ..Known::default() })
    }

    fn edge() -> Sanitizer {
        Sanitizer::new(Trust::Edge, ["x-lane".into()], vec![NamePattern::of("x-admin-*")])
    }

    /// What a filter at the edge that strips nothing of its own says after these edits.
    fn said(edits: &[Edit<'_>]) -> Vec<u8> {
        Sanitizer::new(Trust::Edge, [], vec![]).state(None, &[], edits, &[]).unwrap().into_owned()
    }

    #[test]
    fn the_first_filter_strips_every_spelling() {
        let mut first = request(None);
        let names = edge().apply(&mut first);
        assert_eq!(names, [b"x-narrows-route".as_slice(), b"x_narrows_route", b"x-lane", b"x_lane"]);
        let state = edge().state(None, &[], &[], &[]).unwrap().into_owned();
        assert_eq!(state, b"x-admin-*,x-narrows-*,x-lane");
        assert_eq!(edge().state(Some(&state), &[], &[], &[]), None);
        let covered = Sanitizer::new(Trust::Edge, ["x-narrows-route".into()], vec![]);
        assert_eq!(covered.state(None, &[], &[], &[]).as_deref(), Some(b"x-narrows-*".as_slice()));
    }

    #[test]
    fn a_later_filter_keeps_what_an_earlier_one_wrote_and_no_other_spelling_of_it() {
        let state = said(&[Edit::Set("x-lane".into(), b"beta".into())]);
        assert_eq!(state, b"x-narrows-*,=x-lane");
        assert_eq!(edge().apply(&mut request(Some(&state))), [b"x_lane"]);
        let state = said(&[Edit::Set("x_lane".into(), b"beta".into())]);
        assert_eq!(edge().apply(&mut request(Some(&state))), [b"x-lane"]);
        // What the earlier filter neither stripped nor wrote is still the client's.
        let state = said(&[]);
        assert_eq!(edge().apply(&mut request(Some(&state))), [b"x-lane", b"x_lane"]);
    }

    #[test]
    fn what_was_added_beside_a_clients_own_is_not_kept() {
        let state = said(&[Edit::Add("x-lane".into(), b"beta".into())]);
        assert_eq!(state, b"x-narrows-*");
        assert_eq!(edge().apply(&mut request(Some(&state))), [b"x-lane", b"x_lane"]);
        // Where the client's was stripped first, what stands there was added.
        let state = said(&[Edit::Add("x-narrows-lane".into(), b"beta".into())]);
        assert_eq!(state, b"x-narrows-*,=x-narrows-lane");
    }

    #[test]
    fn what_says_so_already_is_kept_as_if_written() {
        let policy = r#"{ "strip": ["x-other"],
                          "rules": [{ "name": "r", "requestHeaders": { "set": { "x-lane": "gold" } } }] }"#;
        let router = Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap();
        let (decision, _) = router.decide(request(None));
        assert_eq!(decision.request, [Edit::Remove("x_lane".into())]);
        let state = decision.state.iter().find(|(name, _)| *name == PROVENANCE).unwrap();
        assert_eq!(state.1.as_ref(), b"x-other,x-narrows-*,<,=x-lane");
        assert_eq!(edge().apply(&mut request(Some(&state.1))), [b"x_lane"]);
    }

    #[test]
    fn trailers_are_the_clients() {
        assert!(edge().covers_trailer(b"x_lane"));
        assert!(edge().covers_trailer(b"x-narrows-route"));
        assert!(!edge().covers_trailer(b"x-other"));
    }

    #[test]
    fn a_mesh_believes() {
        let mesh = Sanitizer::new(Trust::Mesh, ["x-lane".into()], vec![]);
        assert_eq!(mesh.apply(&mut request(None)), Vec::<&[u8]>::new());
        assert_eq!(mesh.state(None, &[], &[], &[]), None);
    }
}
