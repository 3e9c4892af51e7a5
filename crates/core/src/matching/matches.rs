//! Matches: an AND of conditions on a request (design: "Matches").

use super::hosts::HostSet;
use super::named_condition::{NamedCondition, QueryMatch};
use super::path::PathMatch;
use super::request::Request;
use super::source::SourceMatch;
use super::value::ValueMatch;
use crate::wire::host::Host;

/// An AND of conditions. A match without conditions matches everything.
#[derive(Clone, Debug, Default)]
pub struct Match {
    pub(crate) hosts: Option<HostSet>,
    pub(crate) path: Option<PathMatch>,
    pub(crate) method: Option<ValueMatch>,
    pub(crate) headers: Vec<NamedCondition>,
    /// Conditions of `withoutHeaders`: none of them may hold.
    pub(crate) without: Vec<NamedCondition>,
    pub(crate) cookies: Vec<NamedCondition>,
    pub(crate) query: Vec<QueryMatch>,
    /// Conditions on dynamic metadata; a name is a path, its parts joined with a zero byte.
    pub(crate) metadata: Vec<NamedCondition>,
    pub(crate) source: Option<SourceMatch>,
    /// Whether a repeated header counts as one value, joined with `,`, as in the conditions of Istio's
    /// attribute-gen (CEL). A policy cannot write it.
    pub(crate) joins: bool,
}

impl Match {
    /// Whether it has conditions only on the path and the query.
    pub(crate) fn reads_only_path(&self) -> bool {
        let Self { hosts, path: _, method, headers, without, cookies, query: _, metadata, source, joins: _ } =
            self;
        hosts.is_none()
            && method.is_none()
            && headers.is_empty()
            && without.is_empty()
            && cookies.is_empty()
            && metadata.is_empty()
            && source.is_none()
    }

    /// Whether it holds for some hosts and not for others.
    pub(crate) fn asks_for_hosts(&self) -> bool {
        self.hosts.as_ref().is_some_and(HostSet::asks_for_names)
    }

    /// Whether it names a host, if only by a part of it: `*` does not.
    pub(crate) fn names(&self, host: &Host<'_>) -> bool {
        self.hosts.as_ref().is_some_and(|hosts| hosts.asks_for_names() && hosts.contains(host))
    }

    /// Whether every condition holds.
    pub fn matches(&self, request: &Request<'_>) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(request.host()))
            && self.path.as_ref().is_none_or(|path| path.is_met(request))
            && self.method.as_ref().is_none_or(|method| request.method_meets(method))
            && self.headers.iter().all(|h| request.meets(h, self.joins))
            && !self.without.iter().any(|h| request.header_excludes(h))
            && self.cookies.iter().all(|cookie| request.cookie_meets(cookie))
            && self.query.iter().all(|query| request.query_meets(query))
            && self.metadata.iter().all(|claim| request.metadata_meets(claim))
            && self.source.as_ref().is_none_or(|source| source.matches(request.source()))
    }
}

/// An OR of matches; an empty list matches everything.
pub(crate) fn any(matches: &[Match], request: &Request<'_>) -> bool {
    matches.is_empty() || matches.iter().any(|m| m.matches(request))
}
