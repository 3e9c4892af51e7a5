//! The inbound companion: gives an application the host that it expects.
//!
//! On the caller's side a split turned `stock:8080` into `stock-canary:8080` and kept the original in
//! `x-forwarded-host`. Where `restoreHost` is set, nothing is split. The original comes back if and
//! only if the split of that original host would have written exactly this authority, and the original
//! is one host and nothing else. So no header can bring in any other host, or anything that is not a
//! host.

use std::borrow::Cow;

use super::splitter::{Split, Splitter};
use crate::action::destination::{Destination, FORWARDED_HOST, is_the_clients};
use crate::action::edit::{Draft, Edit};
use crate::language::modes::{Mode, Trust};
use crate::language::names::covers;
use crate::matching::request::Request;
use crate::policy::decision::Decision;
use crate::policy::head::Head;
use crate::policy::needs::Needs;
use crate::wire::field_value::FieldValue;
use crate::wire::host::{Host, is_one};

/// The hosts that rewritten requests ask for.
pub(super) fn canaries(splits: &[Split]) -> Vec<Box<str>> {
    let acting = splits.iter().filter(|split| split.mode == Mode::Enforce);
    let backends = acting.flat_map(|split| &split.backends);
    backends.filter_map(|backend| backend.to.as_ref()?.authority()).map(Into::into).collect()
}

/// The same, where a client's `x-forwarded-host` is not believed.
pub(super) fn own_hosts(head: &Head, active: bool, splits: &[Split]) -> Vec<Box<str>> {
    if head.trust == Trust::Edge && active { canaries(splits) } else { Vec::new() }
}

/// What is needed where nothing is split.
pub(super) fn needs(needs: Needs) -> Needs {
    Needs { nonce: false, now: false, outcome: false, metadata: false, ..needs }
}

impl Splitter {
    /// At the edge: a client that asks for the host of a backend itself does not say what was asked for instead, or
    /// else the workload would believe it.
    pub(super) fn own<'a>(&'a self, draft: &mut Draft<'_, 'a>) {
        let request = draft.request;
        let name = request.host().name();
        let is_own = |host: &str| {
            let rest = name.strip_prefix(host.as_bytes());
            // A bare name has the caller's domain.
            rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(b".") && !host.contains('.')))
        };
        let is_sent = || request.headers().iter().any(|(name, _)| covers(FORWARDED_HOST.as_bytes(), name));
        if self.own_hosts.iter().any(|host| is_own(host)) && is_sent() && is_the_clients(draft) {
            draft.disown(FORWARDED_HOST);
        }
    }

    /// Puts the original authority back, if there is one.
    pub(super) fn restore<'a>(&'a self, request: &Request<'a>, decision: &mut Decision<'a>) {
        if let Some(original) = self.original(request) {
            decision.request.push(Edit::Set(":authority".into(), original));
        }
    }

    fn original<'a>(&'a self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let FieldValue::Single(original) = request.header(FORWARDED_HOST.as_bytes()) else { return None };
        // A wildcard matches any text that ends as its domain does.
        if !is_one(&original) {
            return None;
        }
        let asked = request.headers().iter().map(|(name, value)| {
            let value: &[u8] = if *name == b":authority" { &original } else { value };
            (*name, value)
        });
        let mut asked = Request::new(asked);
        asked.known_mut().source = request.source();
        let split = self.split_of(&asked).filter(|split| split.mode == Mode::Enforce)?;
        let host = Host::of(&original);
        let is_written = split.backends.iter().any(|backend| match &backend.to {
            Some(Destination::Authority(authority)) => {
                authority.for_host(&host).eq_ignore_ascii_case(request.authority())
            }
            _ => false,
        });
        is_written.then_some(original)
    }
}
