//! One request: it is read once, decided on, and changed.

use std::borrow::Cow;
use std::rc::Rc;

use narrows_core::merged::Provenance;
use narrows_core::{Common, Decision, Edit, Needs, Peer, Policy, Request, names, sanitize};

use crate::abi::MapType;
use crate::abi::map::Map;
use crate::callbacks::{Action, StreamContext};
use crate::course::Course;
use crate::extension::{Decided, Ended, Extension};
use crate::loaded::{Load, Loaded};
use crate::node::RouteSaid;
use crate::{apply, read};

/// Opens streams under a policy in force.
pub(crate) trait Open: Load {
    /// A request begins. Without a policy it passes.
    fn open(loaded: Option<Rc<Self>>, open: Rc<()>) -> Box<dyn StreamContext>;
}

impl<P: Policy + 'static, E: Extension<P>> Open for Loaded<P, E> {
    fn open(loaded: Option<Rc<Self>>, open: Rc<()>) -> Box<dyn StreamContext> {
        Box::new(Stream::new(loaded, open))
    }
}

/// The context of one request.
pub(crate) struct Stream<P: Policy, E: Extension<P>> {
    loaded: Option<Rc<Loaded<P, E>>>,
    verdict: Option<P::Verdict>,
    /// The edits of the response, which outlive the request phase.
    response: Vec<Edit<'static>>,
    /// The cluster that Envoy's route led to before the request was rewritten.
    before: Option<Vec<u8>>,
    /// What the extension keeps of the request.
    kept: E::Kept,
    /// Shows that the stream is open.
    _open: Rc<()>,
}

impl<P: Policy, E: Extension<P>> Stream<P, E> {
    pub(crate) fn new(loaded: Option<Rc<Loaded<P, E>>>, open: Rc<()>) -> Self {
        Self {
            loaded,
            verdict: None,
            response: Vec::new(),
            before: None,
            kept: E::Kept::default(),
            _open: open,
        }
    }

    /// The headers of the request are there. Returns whether it was answered.
    pub(crate) fn begin(&mut self, course: Option<&mut Course<'_>>) -> bool {
        let Some(loaded) = self.loaded.clone() else { return false };
        let needs = loaded.policy.common().needs;
        (needs.headers || needs.outcome) && self.decide(&loaded, false, course)
    }

    /// In the log phase: decides on a request that was answered before it came here, if such requests count.
    pub(crate) fn catch_up(&mut self, course: Option<&mut Course<'_>>) {
        let Some(loaded) = self.loaded.clone().filter(|_| self.verdict.is_none()) else { return };
        if loaded.extension.counts_unseen(&loaded.policy) {
            self.decide(&loaded, true, course);
        }
    }

    /// Whether a trailer of that name must not go on.
    pub(crate) fn drops(&self, name: &[u8]) -> bool {
        let decided = self.loaded.as_ref().zip(self.verdict.as_ref());
        decided.is_some_and(|(loaded, verdict)| loaded.policy.drops_trailer(verdict, name))
    }

    /// Decides on the request in this phase; returns whether it was answered. `late` means the log
    /// phase, in which the request can no longer be changed. Of a part, `course` has what the parts
    /// before it left.
    fn decide(&mut self, loaded: &Loaded<P, E>, late: bool, course: Option<&mut Course<'_>>) -> bool {
        let Loaded { policy, node, extension, .. } = loaded;
        let authority = || course.as_ref().map_or_else(read::authority, |course| course.authority());
        if extension.skips(policy, node, &authority) {
            return false;
        }
        let common @ Common { needs, filter_state, .. } = policy.common();
        let wanted = |wanted: bool, path: &[&str]| wanted.then(|| read::property(path)).flatten();
        let (one, all) = if course.is_none() { headers(*needs) } else { Default::default() };
        let address = wanted(needs.address, &["source", "address"]);
        let principal = needs.principal.then(|| node.principal()).flatten();
        // What earlier filters said is needed to say more. A policy that says nothing needs it for what it
        // would remove or write over, or if it judges by what is gone.
        let is_concerned = || all.pairs().any(|(name, _)| common.sanitizer.concerns(name));
        let says = !common.is_silent() || needs.removed;
        let asks_stripped = needs.stripped && (course.is_some() || says || is_concerned());
        let stripped = match &course {
            Some(course) => course.provenance.read(*needs).map(<[u8]>::to_vec),
            None => wanted(asks_stripped, &[sanitize::PROVENANCE]),
        };
        let metadata = wanted(needs.metadata, &["metadata"]);
        let objects = read::filter_state(filter_state);
        let lines = match (&course, &one) {
            (Some(course), _) => course.working.iter().collect(),
            (None, Some((name, value))) => vec![(name.as_bytes(), value.as_slice())],
            (None, None) => all.lines(),
        };
        let mut request = Request::of(lines);
        let known = request.known_mut();
        known.source = Peer { address: address.as_deref(), principal: principal.as_deref() };
        known.is_verified = needs.verified && principal.is_some() && node.is_verified();
        known.stripped = stripped.as_deref();
        known.metadata = metadata.as_deref();
        known.filter_state = &objects;
        known.nonce = if needs.nonce { loaded.nonce() } else { 0 };
        known.now = if needs.now { extension.now() } else { 0 };
        let info = needs.stream_info.then(|| node.read());
        if let Some(info) = &info {
            request.known_mut().stream_info = info.view(node);
        }
        let route = info.as_ref().map(|_| RouteSaid::read(extension.asks(policy, &request)));
        if let Some(route) = &route {
            let info = &mut request.known_mut().stream_info;
            info.virtual_host = route.virtual_host.as_deref();
            info.is_only_route = route.is_only;
        }
        let trail = extension.trail(policy, &request, &loaded.ids);
        request.known_mut().passage = trail.view();
        let (mut decision, verdict) = policy.decide_on(&mut request);
        let said = course.as_ref().and_then(|_| Provenance::said(&mut decision));
        if !asks_stripped {
            keep_earlier(&mut decision);
        }
        let decided = Decided { request: &request, decision: &decision };
        self.kept = extension.decided(policy, &verdict, &decided, &loaded.ids);
        // Before anything is written, because then Envoy matches the route again.
        self.before = extension.wants_before(policy, &verdict).then(read::cluster);
        self.verdict = Some(verdict);
        apply::count(&decision, &loaded.ids);
        if course.is_none() {
            apply::publish(&decision.state);
        }
        let is_answered = !late && self.carry_out(&mut decision);
        let left = course.is_some().then(|| owned(decision));
        if let Some((course, (edits, state))) = course.zip(left) {
            course.take(&edits, state, said, *needs);
        }
        is_answered
    }

    /// Carries out the decision on a request; returns whether it was answered.
    fn carry_out(&mut self, decision: &mut Decision<'_>) -> bool {
        self.response = std::mem::take(&mut decision.response).into_iter().map(Edit::into_owned).collect();
        apply::request(decision)
    }
}

impl<P: Policy, E: Extension<P>> StreamContext for Stream<P, E> {
    fn request_headers(&mut self) -> Action {
        if self.begin(None) { Action::Pause } else { Action::Continue }
    }

    fn response_headers(&mut self) {
        for edit in std::mem::take(&mut self.response) {
            match &edit {
                Edit::SetCookie(cookie) => {
                    self.loaded.iter().for_each(|loaded| loaded.extension.give(cookie, &loaded.ids));
                }
                Edit::Remove(pattern) if pattern.ends_with('*') => {
                    apply::removal(MapType::ResponseHeaders, |name| names::covers(pattern.as_bytes(), name));
                }
                _ => apply::edits(MapType::ResponseHeaders, std::slice::from_ref(&edit)),
            }
        }
        if let Some(loaded) = &self.loaded {
            loaded.extension.responds(&loaded.policy, &mut self.kept);
        }
    }

    fn request_trailers(&mut self) {
        if self.verdict.is_some() {
            apply::removal(MapType::RequestTrailers, |name| self.drops(name));
        }
    }

    fn log(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        self.catch_up(None);
        if let Some(verdict) = &self.verdict {
            let ended = Ended { ids: &loaded.ids, node: &loaded.node, before: self.before.as_deref() };
            let kept = std::mem::take(&mut self.kept);
            loaded.extension.ended(&loaded.policy, verdict, kept, &ended);
        }
    }
}

/// The one header that is all that a policy reads, or else all headers, if it reads any.
fn headers(needs: Needs) -> (Option<(&'static str, Vec<u8>)>, Map) {
    match needs.only_header {
        Some(name) => (read::request_header(name).map(|value| (name, value)), Map::default()),
        None if needs.headers => (None, Map::read(MapType::RequestHeaders)),
        None => Default::default(),
    }
}

/// The edits and the filter state of a decision, which borrow nothing.
fn owned(decision: Decision<'_>) -> (Vec<Edit<'static>>, Vec<(String, Vec<u8>)>) {
    let state = decision.state.into_iter().map(|(name, value)| (name.into(), value.into_owned()));
    (decision.request.into_iter().map(Edit::into_owned).collect(), state.collect())
}

/// Appends what this filter has stripped and written to what earlier filters have. The earlier value is
/// read only if this filter has something to append.
fn keep_earlier(decision: &mut Decision<'_>) {
    for (_, said) in decision.state.iter_mut().filter(|(name, _)| *name == sanitize::PROVENANCE) {
        *said = Cow::Owned(read::after_earlier(said));
    }
}
