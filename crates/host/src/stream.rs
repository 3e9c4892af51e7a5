//! One request: it is read once, decided on, and changed.

use std::borrow::Cow;
use std::rc::Rc;

use narrows_core::{Common, Decision, Edit, Peer, Policy, Request, names, sanitize};

use crate::abi::MapType;
use crate::abi::map::Map;
use crate::callbacks::{Action, StreamContext};
use crate::extension::{Ended, Extension};
use crate::loaded::Loaded;
use crate::node::RouteSaid;
use crate::{apply, read};

/// The context of one request.
pub(crate) struct Stream<P: Policy, E> {
    loaded: Option<Rc<Loaded<P, E>>>,
    verdict: Option<P::Verdict>,
    response: Vec<OwnedEdit>,
    /// The cluster that Envoy's route led to before the request was rewritten.
    before: Option<Vec<u8>>,
    /// Shows that the stream is open.
    _open: Rc<()>,
}

/// An edit that outlives the request phase.
enum OwnedEdit {
    Remove(String),
    Set(String, Vec<u8>),
    Add(String, Vec<u8>),
}

impl<P: Policy, E: Extension<P>> Stream<P, E> {
    pub(crate) fn new(loaded: Option<Rc<Loaded<P, E>>>, open: Rc<()>) -> Self {
        Self { loaded, verdict: None, response: Vec::new(), before: None, _open: open }
    }

    /// Decides on the request in this phase; returns whether it was answered. `late` means the log
    /// phase, in which the request can no longer be changed.
    fn decide(&mut self, loaded: &Loaded<P, E>, late: bool) -> bool {
        let Loaded { policy, node, extension, .. } = loaded;
        if extension.skips(policy, node) {
            return false;
        }
        let common @ Common { needs, .. } = policy.common();
        let wanted = |wanted: bool, path: &[&str]| wanted.then(|| read::property(path)).flatten();
        let (one, all) = match needs.only_header {
            Some(name) => (read::request_header(name).map(|value| (name, value)), Map::default()),
            None if needs.headers => (None, Map::read(MapType::RequestHeaders)),
            None => (None, Map::default()),
        };
        let one = one.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let address = wanted(needs.address, &["source", "address"]);
        let principal = needs.principal.then(|| node.principal()).flatten();
        let is_verified = needs.verified && principal.is_some() && node.is_verified();
        // What earlier filters said is needed to say more. A policy that says nothing needs it only for
        // what it would remove.
        let would_strip = || all.pairs().any(|(name, _)| common.sanitizer.covers(name));
        let asks_stripped = needs.stripped && (!common.is_silent() || would_strip());
        let stripped = wanted(asks_stripped, &[sanitize::PROVENANCE]);
        let nonce = if needs.nonce { loaded.nonce() } else { 0 };
        let request = Request::new(one.chain(all.pairs()))
            .from_source(Peer { address: address.as_deref(), principal: principal.as_deref() })
            .verified(is_verified)
            .already_stripped(stripped.as_deref())
            .with_nonce(nonce);
        let info = needs.stream_info.then(|| node.read());
        let request = match &info {
            Some(info) => request.within(info.view(node)),
            None => request,
        };
        let route = info.as_ref().map(|_| RouteSaid::read(extension.asks(policy, &request)));
        let request = match &route {
            Some(route) => request.on_route(route.virtual_host.as_deref(), route.is_only),
            None => request,
        };
        let (mut decision, verdict) = policy.decide(request);
        if !asks_stripped {
            keep_earlier(&mut decision);
        }
        extension.decided(policy, &decision);
        // Before anything is written, because then Envoy matches the route again.
        self.before = extension.wants_before(policy, &verdict).then(read::cluster);
        self.verdict = Some(verdict);
        apply::account(&decision, &loaded.ids);
        if late {
            return false;
        }
        self.response = decision.response.iter().map(OwnedEdit::of).collect();
        apply::request(&decision)
    }
}

impl<P: Policy, E: Extension<P>> StreamContext for Stream<P, E> {
    fn request_headers(&mut self) -> Action {
        let Some(loaded) = self.loaded.clone() else { return Action::Continue };
        let needs = loaded.policy.common().needs;
        if (needs.headers || needs.outcome) && self.decide(&loaded, false) {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    fn response_headers(&mut self) {
        for edit in std::mem::take(&mut self.response) {
            match &edit {
                OwnedEdit::Remove(pattern) if pattern.ends_with('*') => {
                    apply::removal(MapType::ResponseHeaders, |name| names::covers(pattern.as_bytes(), name));
                }
                _ => apply::edits(MapType::ResponseHeaders, &[edit.borrow()]),
            }
        }
    }

    fn request_trailers(&mut self) {
        if let (Some(loaded), Some(verdict)) = (&self.loaded, &self.verdict) {
            let drops = |name: &[u8]| loaded.policy.drops_trailer(verdict, name);
            apply::removal(MapType::RequestTrailers, drops);
        }
    }

    fn log(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        if self.verdict.is_none() && loaded.extension.counts_unseen(&loaded.policy) {
            self.decide(&loaded, true);
        }
        if let Some(verdict) = &self.verdict {
            let ended = Ended { ids: &loaded.ids, node: &loaded.node, before: self.before.as_deref() };
            loaded.extension.ended(&loaded.policy, verdict, &ended);
        }
    }
}

/// Appends what this filter has stripped and written to what earlier filters have. The earlier value is
/// read only if this filter has something to append.
fn keep_earlier(decision: &mut Decision<'_>) {
    for (_, said) in decision.state.iter_mut().filter(|(name, _)| *name == sanitize::PROVENANCE) {
        if let Some(mut all) = read::property(&[sanitize::PROVENANCE]) {
            all.push(b',');
            all.extend_from_slice(said);
            *said = Cow::Owned(all);
        }
    }
}

impl OwnedEdit {
    fn of(edit: &Edit<'_>) -> Self {
        match edit {
            Edit::Remove(name) => Self::Remove(name.to_string()),
            Edit::Set(name, value) => Self::Set((*name).to_owned(), value.to_vec()),
            Edit::Add(name, value) => Self::Add((*name).to_owned(), value.to_vec()),
        }
    }

    fn borrow(&self) -> Edit<'_> {
        match self {
            Self::Remove(name) => Edit::Remove(Cow::Borrowed(name)),
            Self::Set(name, value) => Edit::Set(name, Cow::Borrowed(value)),
            Self::Add(name, value) => Edit::Add(name, Cow::Borrowed(value)),
        }
    }
}
