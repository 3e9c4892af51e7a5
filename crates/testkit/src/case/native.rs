//! The core's runner: the policy decides, and a model of Envoy's header map obeys.

use std::collections::BTreeMap;

use narrows_core::egress::Egress;
use narrows_core::router::Router;
use narrows_core::split::{self, Guarded, Splitter};
use narrows_core::tags::{Metered, Tagger};
use narrows_core::{Decision, Edit, Invalid, Kind, Measurement, Policy, Request, Series, Source, names};

use super::arrive::split_line;
use super::file::{Case, File, Runner};
use super::metered;
use super::observed::{Observed, Reply, Seen};
use crate::message;
use crate::wasm::Headers;

/// A compiled policy, whatever its filter.
pub trait Pure {
    /// Decides on a case's request, and does what was decided.
    fn run(&self, case: &Case) -> Observed;
}

/// What a filter does beside deciding, as a host would have it done.
pub(super) trait Served: Policy {
    /// Whether a request passes as it is.
    fn skips(&self, _authority: &[u8]) -> bool {
        false
    }

    /// Measures a request that has been served.
    fn serve(&self, _verdict: &Self::Verdict, _case: &Case, _observed: &mut Observed) {}
}

impl Served for Router {}

impl Served for Egress {}

impl Served for Splitter {
    fn skips(&self, authority: &[u8]) -> bool {
        self.asks_authority_first() && !self.concerns(authority)
    }

    fn serve(&self, verdict: &Self::Verdict, _case: &Case, observed: &mut Observed) {
        if self.wants(verdict).is_some() {
            let code = observed.answer.status;
            let served = split::Served { code, cluster: b"echo", duration: 1, ..split::Served::default() };
            count(observed, &self.common().series, self.served(verdict, &served));
        }
    }
}

impl Served for Tagger {
    fn serve(&self, verdict: &Self::Verdict, case: &Case, observed: &mut Observed) {
        if let Some(meter) = self.meter() {
            metered::measure(self, meter, verdict, case, observed);
        }
    }
}

/// Adds what was measured to the counters.
pub(super) fn count(
    observed: &mut Observed,
    series: &[Series],
    measured: impl IntoIterator<Item = Measurement>,
) {
    for Measurement { series: index, value } in measured {
        if let Some(series) = series.get(index).filter(|series| series.kind == Kind::Counter) {
            *observed.counts.entry(series.name.to_string()).or_default() += i64::try_from(value).unwrap_or(0);
        }
    }
}

/// The policy of one filter.
pub(super) struct Native<P>(pub(super) P);

/// Runs a file's cases; returns the disagreements.
pub fn run(file: &File) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut note = |name: &str, what: String| wrong.push(format!("{} [core] {name}: {what}", file.label()));
    for refused in &file.refused {
        match file.filter.compile(&refused.policy.to_string()) {
            Ok(_) => note(&refused.name, "the policy loads".to_owned()),
            Err(invalid) if fault(&invalid) != refused.fault => {
                note(&refused.name, format!("refused with {invalid}"));
            }
            Err(_) => {}
        }
    }
    match file.filter.compile(&file.policy) {
        Ok(policy) => {
            for case in file.cases_for(Runner::Core) {
                for what in case.expect.disagreements(&policy.run(case)) {
                    note(&case.name, what);
                }
            }
        }
        Err(invalid) => note("the policy", invalid.to_string()),
    }
    Ok(wrong)
}

/// The first fault's code and place.
fn fault(invalid: &Invalid) -> String {
    let first = invalid.faults().first();
    first.map(|fault| format!("{} {}", fault.code, fault.place).trim_end().to_owned()).unwrap_or_default()
}

impl<P: Served> Pure for Native<P> {
    fn run(&self, case: &Case) -> Observed {
        let arrived = case.send.arrives();
        let needs = self.0.common().needs;
        let authority = arrived.get(":authority").unwrap_or_default();
        let idle = !needs.headers && !needs.outcome;
        if idle || self.0.skips(authority) {
            return apply(case, arrived.clone(), &Decision::default());
        }
        // Only what the policy asks for is there, as in a proxy.
        let source = &case.send.source;
        let address = source.address.as_deref().unwrap_or("127.0.0.1:50000");
        let request = Request::new(arrived.iter())
            .from_source(Source {
                address: needs.address.then_some(address.as_bytes()),
                principal: source.principal.as_deref().filter(|_| needs.principal).map(str::as_bytes),
            })
            .verified(needs.verified && !source.unverified)
            .already_stripped(case.send.stripped.as_deref().filter(|_| needs.stripped).map(str::as_bytes))
            .with_nonce(7);
        let (decision, verdict) = self.0.decide(request);
        let mut observed = apply(case, arrived.clone(), &decision);
        let counted = decision.count.iter().map(|series| Measurement { series: *series, value: 1 });
        count(&mut observed, &self.0.common().series, counted);
        self.0.serve(&verdict, case, &mut observed);
        observed
    }
}

/// What becomes of a case's request, given a decision that somebody else tells.
pub fn obeyed(case: &Case, decision: &Decision<'_>) -> Observed {
    apply(case, case.send.arrives(), decision)
}

/// What Envoy does with a request, given a decision.
fn apply(case: &Case, mut request: Headers, decision: &Decision<'_>) -> Observed {
    for name in &decision.strip {
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
    for (name, value) in case.answer.headers.iter().map(|line| split_line(line)) {
        headers.add(&name, &value);
    }
    headers
}

/// A request as the upstream sees it.
pub(super) fn seen(request: &Headers) -> Seen {
    let text = |name: &str| request.text(name).unwrap_or_default();
    Seen {
        method: text(":method"),
        target: text(":path"),
        authority: text(":authority"),
        headers: plain(request),
    }
}

/// The headers that are no pseudo headers.
pub(super) fn plain(headers: &Headers) -> message::Headers {
    let mut plain = message::Headers::default();
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(b":")) {
        plain.push(name, value);
    }
    plain
}
