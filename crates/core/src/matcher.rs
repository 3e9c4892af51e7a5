//! Matches: an AND of conditions on a request (design: "Matches").

pub(crate) mod hosts;
pub(crate) mod parse;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod source;
pub(crate) mod texts;
pub(crate) mod value;

use crate::request::{Found, Request};
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
        let Self { hosts, path: _, method, headers, without, cookies, query: _, source } = self;
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
            && self.path.as_ref().is_none_or(|path| path.matches(request.path()))
            && self.method.as_ref().is_none_or(|m| m.matches(&Found::Once(request.method().into())))
            && self.headers.iter().all(|h| h.value.matches(&request.header(&h.name)))
            && !self.without.iter().any(|h| h.value.bars(&request.header(&h.name)))
            && self.cookies.iter().all(|c| c.value.matches(&request.cookie(&c.name)))
            && self.query.iter().all(|q| q.matches(request))
            && self.source.as_ref().is_none_or(|source| source.matches(request.source()))
    }
}

impl QueryMatch {
    fn matches(&self, request: &Request<'_>) -> bool {
        let Named { name, value } = &self.named;
        let mut values = request.query_params().filter(|(n, _)| n.as_ref() == &**name).map(|(_, v)| v);
        if !self.any {
            return value.matches(&Found::first_of(&mut values));
        }
        let mut values = values.peekable();
        if values.peek().is_none() {
            return value.matches(&Found::Missing);
        }
        values.any(|v| value.matches(&Found::Once(v)))
    }
}

/// An OR of matches; an empty list is "everything".
pub(crate) fn any(matches: &[Match], request: &Request<'_>) -> bool {
    matches.is_empty() || matches.iter().any(|m| m.matches(request))
}
