//! Rewriting the path and the authority of a request that goes on.

mod path;
mod prefix;
mod query;

use std::borrow::Cow;

use super::of_rule::OfRule;
use crate::action::destination::{self, Authority, FORWARDED_HOST, authority};
use crate::action::edit::{Draft, HeaderEdits};
use crate::action::sanitize;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::modes::Trust;
use crate::language::policy_value::PolicyValue;
use crate::language::read::Fields;
use crate::language::{limits, names};
use crate::matching::request::Request;
use names::ORIGINAL_PATH;
pub(super) use path::{PATH_REWRITE, PathRewrite};
use query::{QUERY_EDITS, QueryEdits};

/// `rewrite` of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewrite {
    path: Option<PathRewrite>,
    query: Option<Box<QueryEdits>>,
    pub(super) authority: Option<Authority>,
}

pub(super) static REWRITE: Object = object!(
    "rewrite",
    Any,
    "What a request's path, query and authority become.",
    [],
    [
        field!("path", Table(&PATH_REWRITE), Optional, "What the path becomes; the query stays."),
        field!("query", Table(&QUERY_EDITS), Optional, "Query parameters to set, add and remove."),
        field!(
            "authority",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The host to ask for instead, perhaps with a port."
        ),
    ],
);

impl Rewrite {
    pub(super) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &REWRITE)?;
        Ok(Self {
            path: fields.optional("path", |t| PathRewrite::read(t, rule))?,
            query: fields.optional("query", |t| QueryEdits::read(t, rule))?.map(Box::new),
            authority: fields.optional("authority", authority)?,
        })
    }

    /// Adds the edits that rewrite a request. `own` are the rule's own edits: what they say about
    /// the header that keeps the original path holds, and so does what an earlier filter said.
    pub(super) fn apply<'a>(&'a self, own: &HeaderEdits, draft: &mut Draft<'_, 'a>) {
        let request = draft.request;
        if let Some(target) = self.target(request) {
            let is_kept = sanitize::was_written(request.stripped(), ORIGINAL_PATH.as_bytes());
            if !is_kept && !own.displaces(ORIGINAL_PATH.as_bytes()) {
                draft.set(ORIGINAL_PATH, Cow::Borrowed(request.target()));
            }
            draft.write(":path", target);
        }
        if let Some(authority) = &self.authority {
            let written = authority.for_caller(request);
            if written != request.authority() {
                // Nothing here needs the header; but if the request has it, it must be true.
                let is_there = request.headers().iter().any(|(name, _)| forwarded_host(name));
                if is_there && destination::is_the_clients(draft) {
                    draft.disown(FORWARDED_HOST);
                }
                draft.write(":authority", written);
            }
        }
    }

    /// The new `:path`, query included; `None` if it does not change.
    fn target(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let path = self.path.as_ref().and_then(|path| path.path(request));
        let edited = self.query.as_ref().and_then(|edits| edits.query(request));
        // A CONNECT has no path, and must not get one.
        if (path.is_none() && edited.is_none()) || request.target().is_empty() {
            return None;
        }
        let mut target = path.unwrap_or_else(|| request.path().to_vec());
        let query = match &edited {
            Some(edited) => Some(&**edited).filter(|query| !query.is_empty()),
            None => request.query(),
        };
        if let Some(query) = query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        Some(target)
    }

    /// Whether rewriting a request discards the value that its sender gave this header.
    pub(super) fn displaces(&self, trust: Trust, name: &[u8]) -> bool {
        let is_rewritten = self.path.is_some() || self.query.is_some();
        (self.authority.is_some() && trust == Trust::Edge && forwarded_host(name))
            || (is_rewritten && names::covers(ORIGINAL_PATH.as_bytes(), name))
    }
}

fn forwarded_host(name: &[u8]) -> bool {
    names::covers(FORWARDED_HOST.as_bytes(), name)
}
