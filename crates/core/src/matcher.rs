//! Matches: an AND of conditions on a request (design: "Matches").

pub(crate) mod hosts;
pub(crate) mod needles;
pub(crate) mod parse;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod source;
pub(crate) mod texts;
pub(crate) mod value;

use crate::request::Request;
use hosts::HostSet;
use path::PathMatch;
use source::SourceMatch;
use value::ValueMatch;

/// An AND of conditions. Without any, it matches everything.
#[derive(Clone, Debug, Default)]
pub struct Match {
    pub(crate) hosts: Option<HostSet>,
    pub(crate) path: Option<PathMatch>,
    pub(crate) method: Option<ValueMatch>,
    pub(crate) headers: Vec<Named>,
    /// Conditions of `withoutHeaders`: none of them may hold.
    pub(crate) without: Vec<Named>,
    pub(crate) cookies: Vec<Named>,
    pub(crate) query: Vec<QueryMatch>,
    pub(crate) source: Option<SourceMatch>,
    /// Whether a repeated header is one value, joined with `,`, as the conditions of Istio's
    /// attribute-gen have it (CEL). A policy cannot write it.
    pub(crate) joins: bool,
}

/// A condition on the value under a name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Box<[u8]>,
    pub(crate) value: ValueMatch,
}

/// A condition on a query parameter.
#[derive(Clone, Debug)]
pub(crate) struct QueryMatch {
    pub(crate) named: Named,
    /// Whether any of several values may satisfy it, or only the first.
    pub(crate) any: bool,
}

impl Match {
    /// Whether it asks for nothing but the path and the query.
    pub(crate) fn reads_only_path(&self) -> bool {
        let Self { hosts, path: _, method, headers, without, cookies, query: _, source, joins: _ } = self;
        hosts.is_none()
            && method.is_none()
            && headers.is_empty()
            && without.is_empty()
            && cookies.is_empty()
            && source.is_none()
    }

    /// Whether it holds for some hosts and not for others.
    pub(crate) fn asks_for_hosts(&self) -> bool {
        self.hosts.as_ref().is_some_and(HostSet::asks_for_names)
    }

    /// Whether every condition holds.
    pub fn matches(&self, request: &Request<'_>) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(request.host()))
            && self.path.as_ref().is_none_or(|path| path.is_met(request))
            && self.method.as_ref().is_none_or(|method| request.method_meets(method))
            && self.headers.iter().all(|h| h.is_met(request, self.joins))
            && !self.without.iter().any(|h| request.header_bars(h))
            && self.cookies.iter().all(|cookie| request.cookie_meets(cookie))
            && self.query.iter().all(|query| request.query_meets(query))
            && self.source.as_ref().is_none_or(|source| source.matches(request.source()))
    }
}

impl Named {
    /// Whether the header of that name meets the condition; `joins` as in [`Match`].
    pub(crate) fn is_met(&self, request: &Request<'_>, joins: bool) -> bool {
        if joins { request.joined_meets(self) } else { request.header_meets(self) }
    }
}

/// An OR of matches; an empty list is "everything".
pub(crate) fn any(matches: &[Match], request: &Request<'_>) -> bool {
    matches.is_empty() || matches.iter().any(|m| m.matches(request))
}
