//! One request: read once, decide, apply.

use std::borrow::Cow;
use std::rc::Rc;

use narrows_core::request::Source;
use narrows_core::split::bucket;
use narrows_core::{Before, Decision, Edit, Policy, Request, Served, names, strip};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, MapType};

use crate::around::RouteSaid;
use crate::map::Map;
use crate::root::Loaded;
use crate::{apply, read};

/// The context of one request.
pub(crate) struct Stream<P: Policy> {
    loaded: Option<Rc<Loaded<P>>>,
    verdict: Option<P::Verdict>,
    response: Vec<OwnedEdit>,
    /// The cluster that Envoy's route led to before the request was rewritten.
    before: Option<Vec<u8>>,
    /// That it is open.
    _open: Rc<()>,
}

/// An edit that outlives the request phase.
enum OwnedEdit {
    Remove(String),
    Set(String, Vec<u8>),
    Add(String, Vec<u8>),
}

impl<P: Policy> Stream<P> {
    pub(crate) fn new(loaded: Option<Rc<Loaded<P>>>, open: Rc<()>) -> Self {
        Self { loaded, verdict: None, response: Vec::new(), before: None, _open: open }
    }

    /// Decides on the request in this phase; returns whether it was answered. `late` is
    /// the log phase, in which nothing of the request can be changed any more.
    fn decide(&mut self, loaded: &Loaded<P>, late: bool) -> bool {
        let needs = loaded.policy.needs();
        if needs.headers && loaded.policy.judges_outgoing() && loaded.around.is_inbound() {
            return false;
        }
        if needs.authority_first && !loaded.policy.concerns(&read::authority()) {
            return false;
        }
        let wanted = |wanted: bool, path: &[&str]| wanted.then(|| read::property(path)).flatten();
        let (one, all) = match loaded.policy.only_header() {
            Some(name) => (read::request_header(name).map(|value| (name, value)), Map::default()),
            None if needs.headers => (None, Map::read(MapType::HttpRequestHeaders)),
            None => (None, Map::default()),
        };
        let one = one.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let address = wanted(needs.address, &["source", "address"]);
        let principal = needs.principal.then(|| loaded.around.principal()).flatten();
        let is_verified = needs.verified && principal.is_some() && loaded.around.is_verified();
        let stripped = wanted(needs.stripped, &[strip::STATE]);
        let nonce = if needs.nonce { loaded.nonce() } else { 0 };
        let request = Request::new(one.chain(all.pairs()))
            .from_source(Source { address: address.as_deref(), principal: principal.as_deref() })
            .verified(is_verified)
            .already_stripped(stripped.as_deref())
            .with_nonce(nonce);
        let around = needs.surroundings.then(|| loaded.around.read());
        let request = match &around {
            Some(around) => request.within(around.view(&loaded.around)),
            None => request,
        };
        let route = around.as_ref().map(|_| RouteSaid::read(loaded.policy.asks(&request)));
        let request = match &route {
            Some(route) => request.on_route(route.virtual_host.as_deref(), route.is_only),
            None => request,
        };
        let (mut decision, verdict) = loaded.policy.decide(request);
        if !needs.stripped {
            keep_earlier(&mut decision);
        }
        if let (Some(unlisted), Some(learning)) = (&decision.unlisted, loaded.policy.learning()) {
            loaded.seen.note(P::FILTER, unlisted, learning);
        }
        // Before anything is written: then Envoy matches the route again.
        self.before = loaded.policy.needs_before(&verdict).then(read::cluster);
        self.verdict = Some(verdict);
        apply::account(&decision, &loaded.ids);
        if late {
            return false;
        }
        self.response = decision.response.iter().map(OwnedEdit::of).collect();
        apply::request(&decision)
    }
}

impl<P: Policy> HttpContext for Stream<P> {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let Some(loaded) = self.loaded.clone() else { return Action::Continue };
        let reads = loaded.policy.needs().headers || loaded.policy.meter().is_some();
        if reads && self.decide(&loaded, false) { Action::Pause } else { Action::Continue }
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        for edit in std::mem::take(&mut self.response) {
            match &edit {
                OwnedEdit::Remove(pattern) if pattern.ends_with('*') => {
                    apply::removal(MapType::HttpResponseHeaders, |name| {
                        names::covers(pattern.as_bytes(), name)
                    });
                }
                _ => apply::edits(MapType::HttpResponseHeaders, &[edit.borrow()]),
            }
        }
        Action::Continue
    }

    fn on_http_request_trailers(&mut self, _num_trailers: usize) -> Action {
        if let (Some(loaded), Some(verdict)) = (&self.loaded, &self.verdict) {
            let drops = |name: &[u8]| loaded.policy.drops_trailer(verdict, name);
            apply::removal(MapType::HttpRequestTrailers, drops);
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        if let Some(meter) = loaded.policy.meter() {
            // An earlier filter has answered, or Envoy itself: it counts all the same.
            if self.verdict.is_none() {
                self.decide(&loaded, true);
            }
            if let Some(verdict) = &self.verdict {
                loaded.measure(meter, verdict);
            }
            return;
        }
        let Some(verdict) = &self.verdict else { return };
        if !loaded.policy.needs().outcome || !loaded.policy.is_measured(verdict) {
            return;
        }
        let flags = loaded.policy.needs_flags(verdict);
        let cluster = read::cluster();
        let before = self.before.as_deref().map(|cluster| Before { cluster, ..Before::default() });
        let mut served = Served {
            code: u16::try_from(read::number(&["response", "code"])).unwrap_or_default(),
            cluster: &cluster,
            duration: read::number(&["request", "duration"]) / 1_000_000,
            flags: if flags { read::number(&["response", "flags"]) } else { 0 },
            now: if flags { read::now_millis() } else { 0 },
            by_upstream: loaded.policy.needs_upstream(verdict) && read::by_upstream(),
            before,
        };
        if loaded.policy.suspects(verdict, &served)
            && let Some(before) = &mut served.before
        {
            before.is_forged = strip::was_removed(read::property(&[strip::STATE]).as_deref());
            before.is_rewritten = read::property(&["narrows_rule"]).is_some();
        }
        loaded.ids.measure_all(loaded.policy.served(verdict, &served));
        if let (Some(watch), Some(guards)) = (&loaded.watch, loaded.policy.guards())
            && guards.has_news()
        {
            watch.tell(guards);
        }
    }
}

impl<P: Policy> Context for Stream<P> {}

impl<P> Loaded<P> {
    /// A number that differs from request to request and from worker to worker.
    fn nonce(&self) -> u64 {
        self.drawn.set(self.drawn.get().wrapping_add(1));
        bucket::hash(&read::now_nanos().to_le_bytes(), &self.drawn.get().to_le_bytes())
    }
}

/// What a filter says that it has written stands behind what earlier ones have said. One
/// that strips nothing asks for that only when it has something to say.
fn keep_earlier(decision: &mut Decision<'_>) {
    for (_, said) in decision.state.iter_mut().filter(|(name, _)| *name == strip::STATE) {
        if let Some(mut all) = read::property(&[strip::STATE]) {
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
