//! What the parts have stripped and written so far, kept in memory until the last has decided.

use std::borrow::Cow;

use crate::action::sanitize::{self, Sanitizer};
use crate::matching::request::Request;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::needs::Needs;

/// The filter state [`sanitize::PROVENANCE`] as filters in a chain would hand it on.
#[derive(Clone, Debug, Default)]
pub struct Provenance<'a> {
    known: Option<Cow<'a, [u8]>>,
    is_new: bool,
}

impl<'a> Provenance<'a> {
    /// What earlier filters of the proxy have recorded.
    pub fn new(known: Option<&'a [u8]>) -> Self {
        Self { known: known.map(Cow::Borrowed), is_new: false }
    }

    /// What a part reads: nothing, if it does not ask.
    pub fn read(&self, needs: Needs) -> Option<&[u8]> {
        self.known.as_deref().filter(|_| needs.stripped)
    }

    /// What a client must not have sent, for all parts at once: the names to remove. Parts do not strip it
    /// again.
    pub fn strip<'h>(
        &mut self,
        sanitizer: &Sanitizer,
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Vec<&'h [u8]>
    where
        'a: 'h,
    {
        let known: Option<&'a [u8]> = match self.known {
            Some(Cow::Borrowed(known)) => Some(known),
            _ => None,
        };
        if !sanitizer.is_needed() {
            return Vec::new();
        }
        let mut request = Request::new(headers);
        request.known_mut().stripped = known;
        let stripped = sanitizer.apply(&mut request);
        self.keep_all(sanitizer.state(known, &stripped, &[], &[]).map(Cow::into_owned));
        stripped
    }

    /// Takes what a part says out of its decision.
    pub fn said(decision: &mut Decision<'_>) -> Option<Vec<u8>> {
        let at = decision.state.iter().position(|(name, _)| *name == sanitize::PROVENANCE)?;
        Some(decision.state.remove(at).1.into_owned())
    }

    /// Keeps what a part has said. A part that has not read what was there adds to it.
    pub fn keep(&mut self, said: Option<Vec<u8>>, needs: Needs) {
        let Some(said) = said else { return };
        let before = self.known.as_deref().filter(|_| !needs.stripped);
        let all = before.map(|before| [before, b",".as_slice(), &said].concat());
        self.keep_all(Some(all.unwrap_or(said)));
    }

    fn keep_all(&mut self, all: Option<Vec<u8>>) {
        if let Some(all) = all {
            self.known = Some(all.into());
            self.is_new = true;
        }
    }

    /// What must be written for later filters; none if nothing was added, or if the policy is to write no
    /// filter state that a later filter can do without.
    pub fn new_text(&self, common: &Common) -> Option<&[u8]> {
        let is_wanted = |text: &&[u8]| !common.is_silent() || sanitize::has_marks(text);
        self.known.as_deref().filter(|_| self.is_new).filter(is_wanted)
    }
}
