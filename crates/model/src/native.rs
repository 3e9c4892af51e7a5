//! A compiled policy, and a model of Envoy's header map that obeys it.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use narrows_cases::Case;
use narrows_cases::bytes::header_line;
use narrows_core::lanes::{self, Lanes};
use narrows_core::set_cookie::{Fate, OF_CACHES};
use narrows_core::{Decision, Edit, Measurement, Peer, Policy, names};
use narrows_core::{merged, split, tags};

use crate::arrive::{arrives, request};
use crate::headers::Headers;
use crate::metered;
use crate::observed::{Observed, Reply, Seen};

/// A compiled policy, whatever its filter.
pub trait Pure {
    /// Decides on a case's request, and does what was decided.
    fn run(&self, case: &Case) -> Observed;
}

/// What a filter does beside deciding, as a host would have it done.
pub(crate) trait Beside<P: Policy> {
    /// Whether a request passes as it is.
    fn skips(_policy: &P, _authority: &[u8]) -> bool {
        false
    }

    /// Measures a request that has been served.
    fn serve(_policy: &P, _verdict: &P::Verdict, _case: &Case, _observed: &mut Observed) {}
}

/// Nothing.
pub(crate) struct Plain;

/// It watches what becomes of requests.
pub(crate) struct Guarded;

/// It names series as requests are served.
pub(crate) struct Metered;

/// It judges what goes out: here everything does.
pub(crate) struct Outbound;

/// It remembers what comes in.
pub(crate) struct Laned;

impl<P: Policy> Beside<P> for Plain {}

impl<P: Policy> Beside<P> for Outbound {}

impl<P: split::Guarded> Beside<P> for Guarded {
    fn skips(policy: &P, authority: &[u8]) -> bool {
        policy.asks_authority_first() && !policy.concerns(authority)
    }

    fn serve(policy: &P, verdict: &P::Verdict, _case: &Case, observed: &mut Observed) {
        if policy.wants(verdict).is_some() {
            let code = observed.answer.status;
            let served = split::Served { code, cluster: b"echo", duration: 1, ..split::Served::default() };
            observed.count(&policy.common().series, policy.served(verdict, &served));
        }
    }
}

impl<P: tags::Metered> Beside<P> for Metered {
    fn serve(policy: &P, verdict: &P::Verdict, case: &Case, observed: &mut Observed) {
        if let Some(cardinality) = policy.cardinality_limit() {
            metered::measure(policy, cardinality, verdict, case, observed);
        }
    }
}

impl Beside<Lanes> for Laned {
    fn serve(policy: &Lanes, verdict: &lanes::Verdict, case: &Case, observed: &mut Observed) {
        crate::lanes::count(policy, policy, verdict, Some, &case.send, observed);
    }
}

/// What each part does, after all have decided.
pub(crate) struct Merged;

macro_rules! served {
    ($($part:ident: $policy:ty, $beside:ident => $text:literal;)+) => {
        impl Beside<merged::Merged> for Merged {
            fn serve(policy: &merged::Merged, verdict: &merged::Verdict, case: &Case, observed: &mut Observed) {
                $(if let (Some(part), Some(verdict)) = (&policy.$part, &verdict.$part) {
                    <$beside as Beside<$policy>>::serve(part, verdict, case, observed);
                })+
            }
        }
    };
}

narrows_core::parts!(served);

/// The policy of one filter.
pub(crate) struct Native<P, B>(pub(crate) P, pub(crate) PhantomData<B>);

impl<P: Policy, B: Beside<P>> Pure for Native<P, B> {
    fn run(&self, case: &Case) -> Observed {
        let arrived = arrives(&case.send);
        let needs = self.0.common().needs;
        let authority = arrived.get(":authority").unwrap_or_default();
        let idle = !needs.headers && !needs.outcome;
        if idle || B::skips(&self.0, authority) {
            return apply(case, arrived.clone(), &Decision::default());
        }
        // Only what the policy asks for is there, as in a proxy.
        let source = &case.send.source;
        let metadata = case.send.metadata().filter(|_| needs.metadata);
        let address = source.address.as_deref().unwrap_or("127.0.0.1:50000");
        let mut request = request(&case.send, &arrived, metadata.as_deref(), 7);
        let known = request.known_mut();
        known.source = Peer {
            address: needs.address.then_some(address.as_bytes()),
            principal: source.principal.as_deref().filter(|_| needs.principal).map(str::as_bytes),
        };
        known.is_verified = needs.verified && source.verified;
        known.stripped = case.send.stripped.as_deref().filter(|_| needs.stripped).map(str::as_bytes);
        let trail = crate::lanes::trail(&self.0, &case.send, &request);
        request.known_mut().passage = trail.view();
        let (decision, verdict) = self.0.decide(request);
        let mut observed = apply(case, arrived.clone(), &decision);
        observed.decided = self.0.outcome(&verdict, &decision).details;
        let counted = decision.count.iter().map(|series| Measurement { series: *series, value: 1 });
        observed.count(&self.0.common().series, counted);
        let given = decision.response.iter().filter_map(|edit| given(edit, &observed));
        let given: Vec<_> = given.collect();
        observed.count(&self.0.common().series, given);
        B::serve(&self.0, &verdict, case, &mut observed);
        observed
    }
}

/// What is counted of a cookie, after the response has got it or not.
fn given(edit: &Edit<'_>, observed: &Observed) -> Option<Measurement> {
    let Edit::SetCookie(cookie) = edit else { return None };
    let mut held = observed.answer.headers.iter();
    let is_there = held.any(|(name, value)| name == edit.name().as_bytes() && *value == *cookie.line);
    Some(Measurement { series: if is_there { cookie.given } else { cookie.withheld }, value: 1 })
}

/// What becomes of a case's request, given a decision that somebody else tells.
pub fn obeyed(case: &Case, decision: &Decision<'_>) -> Observed {
    apply(case, arrives(&case.send), decision)
}

/// What Envoy does with a request, given a decision.
fn apply(case: &Case, mut request: Headers, decision: &Decision<'_>) -> Observed {
    for name in &decision.stripped {
        request.remove(name);
    }
    decision.request.iter().for_each(|edit| obey(&mut request, edit));
    let (upstream, mut response, body) = match &decision.reply {
        Some(reply) => {
            let (headers, body) = local(&request, reply);
            (None, headers, body)
        }
        None => (Some(seen(&request)), answered(case), Vec::new()),
    };
    decision.response.iter().for_each(|edit| obey(&mut response, edit));
    Observed {
        upstream,
        answer: Reply {
            status: response.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0),
            headers: plain(&response),
            body,
        },
        state: decision.state.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect(),
        counts: BTreeMap::new(),
        decided: Vec::new(),
    }
}

fn obey(headers: &mut Headers, edit: &Edit<'_>) {
    match edit {
        Edit::Remove(pattern) if pattern.ends_with('*') => {
            let names: Vec<Vec<u8>> = headers.iter().map(|(name, _)| name.to_vec()).collect();
            let unwanted =
                |name: &&Vec<u8>| !name.starts_with(b":") && names::covers(pattern.as_bytes(), name);
            names.iter().filter(unwanted).for_each(|name| headers.remove(name));
        }
        Edit::Remove(name) => headers.remove(name.as_bytes()),
        Edit::Set(name, value) => headers.set(name.as_bytes(), value),
        Edit::Add(name, value) => headers.add(name.as_bytes(), value),
        Edit::Relocate(from, to) => {
            let moved =
                headers.get(edit.name()).and_then(|held| narrows_core::location::moved(held, from, to));
            moved.iter().for_each(|moved| headers.set(edit.name().as_bytes(), moved));
        }
        Edit::SetCookie(cookie) => {
            let lines: Vec<_> = headers.iter().collect();
            let fate = cookie.on(&lines);
            if let Fate::GivenPrivately(caching) = &fate {
                OF_CACHES.iter().for_each(|name| headers.remove(name.as_bytes()));
                headers.set(b"cache-control", caching);
            }
            if fate != Fate::Withheld {
                headers.add(edit.name().as_bytes(), &cookie.line);
            }
        }
    }
}

/// A local answer: to gRPC it is a status in the headers, and always 200.
fn local(request: &Headers, reply: &narrows_core::Reply<'_>) -> (Headers, Vec<u8>) {
    let kind = request.get("content-type").unwrap_or_default();
    // gRPC-Web is something else.
    if kind == b"application/grpc" || kind.starts_with(b"application/grpc+") {
        let status = reply.grpc_status.unwrap_or(match reply.status {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502 | 503 | 504 => 14,
            _ => 2,
        });
        let mut headers = Headers::new().with(":status", "200").with("grpc-status", status.to_string());
        for (name, value) in &reply.headers {
            headers.add(name.as_bytes(), value);
        }
        if !reply.body.is_empty() {
            headers.add(b"grpc-message", &reply.body);
        }
        return (headers, Vec::new());
    }
    let mut headers = Headers::new().with(":status", reply.status.to_string());
    for (name, value) in &reply.headers {
        headers.add(name.as_bytes(), value);
    }
    let body = if request.get(":method") == Some(b"HEAD") { Vec::new() } else { reply.body.to_vec() };
    (headers, body)
}

fn answered(case: &Case) -> Headers {
    let mut headers = Headers::new().with(":status", case.answer.status.to_string());
    for (name, value) in case.answer.headers.iter().map(|line| header_line(line)) {
        headers.add(&name, &value);
    }
    headers
}

/// A request as the upstream sees it.
pub fn seen(request: &Headers) -> Seen {
    let text = |name: &str| request.text(name).unwrap_or_default();
    Seen {
        method: text(":method"),
        target: text(":path"),
        authority: text(":authority"),
        headers: plain(request),
    }
}

/// The headers that are no pseudo headers.
pub fn plain(headers: &Headers) -> Headers {
    headers.iter().filter(|(name, _)| !name.starts_with(b":")).collect()
}
