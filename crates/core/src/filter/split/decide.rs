//! Decides which backend a request goes to.

use std::borrow::Cow;

use super::bucket;
use super::guard::{self, Admission};
use super::splitter::{Backend, Missing, Split, SplitMatch, Splitter};
use super::verdict::{Reason, Verdict};
use crate::action::destination::Destination;
use crate::action::edit::{Draft, Edit};
use crate::language::describe::Object;
use crate::language::invalid::{Code, Fault, Invalid};
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;
use crate::matching::matches;
use crate::matching::request::Request;
use crate::order::hash_of;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::outcome::Outcome;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::written::Written;
use crate::policy::{Policy, state};
use crate::wire::host::is_one;

impl Part for Splitter {
    const PART: &'static Object = &super::compile::PART;

    fn compile_written(written: Written<'_>) -> Result<Self, Invalid> {
        super::compile::splitter(&written)
    }
}

impl Policy for Splitter {
    const FILTER: &'static str = "canary-split";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    type Verdict = Option<Verdict>;

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        Self::compile_written(Written::alone(tree, Self::FILTER, Self::LANGUAGE))
    }

    fn warnings(&self) -> Vec<Fault> {
        let acting = || self.splits.iter().filter(|split| split.mode != Mode::Off);
        // Users could not be told apart. It may be intended where only lists or callers choose.
        let is_idle = acting().any(|split| split.gives_weight() && !split.divides());
        let idle = is_idle.then(|| {
            let message = "a split has weights and no \"key\": every request takes \"onMissingKey\"";
            let help = "add \"key\", or \"onMissingKey\": \"random\" if users may change backends";
            Fault::warning(Code::NoEffect, message, help)
        });
        let full = acting().filter(|split| split.leaves_only_keyless()).map(|split| {
            let message = format!(
                "{:?} has its full weight on other backends, but requests without a key go to the baseline",
                split.name
            );
            let help = "name a backend in \"onMissingKey\" before the baseline is scaled down";
            Fault::warning(Code::NoEffect, &message, help)
        });
        idle.into_iter().chain(full).collect()
    }

    fn outcome(&self, verdict: &Option<Verdict>, _decision: &Decision<'_>) -> Outcome {
        self.outcome_of(verdict.as_ref()).unwrap_or_else(|| Outcome::new("-", "-").with("split", "-"))
    }

    fn drops_trailer(&self, verdict: &Option<Verdict>, name: &[u8]) -> bool {
        let displaces = |verdict: &Verdict| {
            let split = self.splits.get(verdict.split).filter(|split| split.mode == Mode::Enforce)?;
            let backend = split.backends.get(verdict.backend)?;
            let moved = backend.to.as_ref().is_some_and(|to| to.displaces(&self.route_header, name));
            Some(moved || backend.request.displaces(name))
        };
        self.common.sanitizer.covers_trailer(name) || verdict.as_ref().and_then(displaces).unwrap_or(false)
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn summary(&self) -> String {
        format!("{} splits", self.splits.len())
    }

    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Option<Verdict> {
        let verdict = if self.inbound.is_some() {
            self.restore(request, decision);
            None
        } else {
            self.divide(request)
        };
        let mut draft = Draft::new(request, self.common.head.trust);
        if let Some(verdict) = &verdict {
            self.act(verdict, &mut draft, decision);
        }
        self.own(&mut draft);
        let (edits, already_set) = draft.finish();
        decision.request.extend(edits);
        decision.already_set = already_set;
        if let Some(record) = record {
            self.explain(request, verdict, record);
        }
        verdict
    }
}

impl Splitter {
    /// The split of a request, if the split names the host that is asked for: `*` does not name it.
    pub(super) fn split_of(&self, request: &Request<'_>) -> Option<&Split> {
        let split_match =
            self.split_match(request).filter(|split_match| split_match.matches.asks_for_hosts())?;
        self.splits.get(split_match.split)
    }

    fn split_match(&self, request: &Request<'_>) -> Option<&SplitMatch> {
        let split_match = |number: u32| self.split_matches.get(number as usize);
        let verify =
            |number| split_match(number).is_some_and(|split_match| split_match.matches.matches(request));
        split_match(self.index.first(request, verify)?)
    }

    /// Finds the split of a request, and its backend.
    fn divide(&self, request: &Request<'_>) -> Option<Verdict> {
        let index = self.split_match(request)?.split;
        let split = self.splits.get(index)?;
        if self.asks_for_hosts && request.host().is_missing() {
            let verdict =
                Verdict { backend: split.baseline, reason: Reason::MissingHost, ..Verdict::of(index) };
            return Some(verdict);
        }
        let verdict = split.rolled_back(split.verdict(index, request));
        let is_grpc = request.values(b"content-type").any(|kind| kind.starts_with(b"application/grpc"));
        Some(Verdict { is_grpc, ..self.guarded(split, verdict, request) })
    }

    /// The same verdict, unless the backend is switched off: whatever chose the backend, a canary that
    /// is not there must not cost a request.
    fn guarded(&self, split: &Split, verdict: Verdict, request: &Request<'_>) -> Verdict {
        let Some(backend) = split.backends.get(verdict.backend) else { return verdict };
        let Some(guard) = backend.guard else { return split.listed(backend, verdict, request) };
        let port = backend.port_of(request);
        let verdict = Verdict { port, is_connect: request.method() == b"CONNECT", ..verdict };
        match self.guards.admits(guard, port) {
            Admission::Serving => verdict,
            Admission::Try => Verdict { is_try: true, ..verdict },
            Admission::Refused => Verdict {
                backend: split.baseline,
                reason: Reason::Guard,
                instead_of: Some(verdict.backend),
                ..verdict
            },
        }
    }

    fn act<'a>(&'a self, verdict: &Verdict, draft: &mut Draft<'_, 'a>, decision: &mut Decision<'a>) {
        let request = draft.request;
        let Some(split) = self.splits.get(verdict.split) else { return };
        let Some(backend) = split.backends.get(verdict.backend) else { return };
        decision.count.extend(split.decision_series(verdict));
        decision.count.extend(split.insecure_series(verdict));
        decision.state.push((state::SPLIT, Cow::Borrowed(split.name.as_bytes())));
        decision.state.push((state::BACKEND, Cow::Borrowed(backend.name.as_bytes())));
        decision.state.extend(split.turned_back(verdict).map(|from| (state::ROLLBACK, Cow::Borrowed(from))));
        if split.mode == Mode::Enforce {
            backend.request.apply(draft);
            if let Some(to) = &backend.to {
                to.apply(&self.route_header, draft);
            }
            if split.rewrites_location {
                decision.response.extend(backend.relocation(request));
            }
            backend.response.respond(request, &mut decision.response);
            decision.response.extend(split.cookie(verdict, request).map(Edit::SetCookie));
        }
    }
}

impl Split {
    /// The same verdict, unless what the backend's destination quotes is none of its values.
    fn listed(&self, backend: &Backend, verdict: Verdict, request: &Request<'_>) -> Verdict {
        match &backend.to {
            Some(to) if !to.takes(request) => {
                Verdict { backend: self.baseline, reason: Reason::UnlistedValue, ..verdict }
            }
            _ => verdict,
        }
    }

    /// Decides by override, then exclude, then include, then key and weight.
    fn verdict(&self, split: usize, request: &Request<'_>) -> Verdict {
        let verdict = |backend, reason| Verdict { split, backend, reason, ..Verdict::of(split) };
        if let Some(by) = &self.override_by {
            let says = |word: &[u8]| request.values(by.header.as_bytes()).any(|value| value == word);
            // If the caller sends both on two lines, the safe one wins.
            if says(&by.never) {
                return verdict(self.baseline, Reason::Override);
            }
            let named = by.backend.filter(|_| says(&by.always));
            let named = named.or_else(|| by.values.iter().find(|(value, _)| says(value)).map(|(_, to)| *to));
            if let Some(backend) = named {
                return verdict(backend, Reason::Override);
            }
        }
        if self.exclude.iter().any(|matches| matches::any(matches, request)) {
            return verdict(self.baseline, Reason::Exclude);
        }
        if let Some((_, backend)) = self.include.iter().find(|(matches, _)| matches::any(matches, request)) {
            return verdict(*backend, Reason::Include);
        }
        let by_bucket = |bucket: u32, reason, key| Verdict {
            split,
            backend: self.owner(bucket, request.now()),
            reason,
            bucket: Some(bucket),
            key,
            ..Verdict::of(split)
        };
        let mut keys = self.keys.iter().enumerate();
        let key = keys.find_map(|(index, key)| Some((index, key.of(request)?)));
        match (key, self.missing) {
            (Some((index, key)), _) => {
                let hash = hash_of(&self.salt, &key);
                let by_key = by_bucket(bucket::of_hash(hash), Reason::Weight, Some(index));
                Verdict { fingerprint: u32::try_from(hash >> 32).unwrap_or_default(), ..by_key }
            }
            (None, Missing::Random) => {
                let random = by_bucket(bucket::of_hash(request.nonce()), Reason::Random, None);
                self.without_key(request, random)
            }
            (None, Missing::Backend(backend)) => {
                self.without_key(request, verdict(backend, Reason::MissingKey))
            }
        }
    }
}

impl Backend {
    /// The edit of a response that names the authority which this backend was asked for. What is no host
    /// does not come back: it could lead elsewhere.
    fn relocation<'a>(&self, request: &Request<'a>) -> Option<Edit<'a>> {
        let Some(Destination::Authority(authority)) = &self.to else { return None };
        let (asked, written) = (request.authority(), authority.for_caller(request));
        let is_moved = written != asked && is_one(asked);
        is_moved.then_some(Edit::Relocate(Cow::Owned(written), Cow::Borrowed(asked)))
    }

    /// The port that a request asks for. Listeners, routes and clusters are chosen by port, so one may
    /// be there without the others. A destination with a port of its own has no other.
    ///
    /// A trailing dot, or what is behind the colon and no port, may lead to another virtual host of Envoy than the
    /// same host without it: such requests have the place of ports without room, and say nothing of the others.
    fn port_of(&self, request: &Request<'_>) -> u16 {
        let (host, asked) = (request.host(), request.authority());
        let port = host.port();
        let plain = host.name().len().saturating_add(port.map_or(0, |port| port.len().saturating_add(1)));
        let number = || std::str::from_utf8(port?).ok()?.parse().ok();
        match &self.to {
            _ if plain != asked.len() => guard::OTHERS,
            Some(to) if to.has_port() => guard::UNWRITTEN,
            _ => number().unwrap_or(guard::UNWRITTEN),
        }
    }
}

impl Verdict {
    fn of(split: usize) -> Self {
        Self {
            split,
            backend: 0,
            reason: Reason::Weight,
            bucket: None,
            key: None,
            anonymous: None,
            instead_of: None,
            fingerprint: 0,
            is_try: false,
            port: 0,
            is_connect: false,
            is_grpc: false,
        }
    }
}
