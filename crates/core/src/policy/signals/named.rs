//! Filter state and headers, in words.

use super::{EGRESS, LANES, ROUTER, SPLIT, TAGS};
use crate::action::sanitize::PROVENANCE;
use crate::language::names::{FORWARDED_HOST, ORIGINAL_PATH, ROUTE_HEADER};
use crate::policy::{head, state};

/// A name that others read, or that is read.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// The filter; `*` for all of them.
    pub filter: &'static str,
    /// Where it is: on requests or on responses, read or written.
    pub place: &'static str,
    /// What it says.
    pub text: &'static str,
}

const fn named(name: &'static str, filter: &'static str, place: &'static str, text: &'static str) -> Named {
    Named { name, filter, place, text }
}

/// Filter state, as a policy names it. Envoy puts `wasm.` before these names.
pub const STATES: &[Named] = &[
    named(state::RULE, ROUTER, "written", "the name of the rule that acted"),
    named(state::LANE, LANES, "written", "the lane that was remembered or restored"),
    named(state::SPLIT, SPLIT, "written", "the name of the split"),
    named(state::BACKEND, SPLIT, "written", "the name of the backend"),
    named(
        state::ROLLBACK,
        SPLIT,
        "written",
        "the backend from which the rollback has turned the request back; nothing otherwise",
    ),
    named(
        state::EGRESS,
        EGRESS,
        "written",
        "`allowed; rule=NAME`, `denied; rule=NAME` or `would-deny; rule=NAME`",
    ),
    named("narrows_<tag>", TAGS, "written", "the value of a tag that `publish` names"),
    named(
        PROVENANCE,
        "*",
        "written and read",
        "what the first filter of a proxy stripped and wrote, so that a later one keeps it; no client can set it",
    ),
];

/// Headers with a meaning of their own. Those that a policy names are not among them.
pub const HEADERS: &[Named] = &[
    named(
        ROUTE_HEADER,
        "*",
        "written on requests",
        "where the request goes: the value of `to`, for a route that matches it; `routeHeader` names another header",
    ),
    named(
        head::EXPLAIN_HEADER,
        "*",
        "written on responses",
        "why the filter decided as it did, where `explain` asks for it; `explain.header` names another header",
    ),
    named(
        "x-narrows-egress",
        EGRESS,
        "written on responses",
        "`denied; rule=NAME`, on the answer to a call that may not leave",
    ),
    named(
        FORWARDED_HOST,
        "*",
        "written on requests",
        "the host that the client asked for, where a filter rewrites it; under `trust: edge` never the client's",
    ),
    named(
        ORIGINAL_PATH,
        ROUTER,
        "written on requests",
        "the path that the client asked for, where a rule rewrites it",
    ),
    named(
        "x-forwarded-proto",
        ROUTER,
        "read on requests",
        "whether the request came by https, where Envoy trusts it: for `scheme` and redirects",
    ),
    named("traceparent", SPLIT, "read on requests", "the trace id, for the key `traceId`"),
    named("b3", SPLIT, "read on requests", "the trace id, for the key `traceId`"),
    named("x-b3-traceid", SPLIT, "read on requests", "the trace id, for the key `traceId`"),
    named(
        "sec-fetch-dest",
        SPLIT,
        "read on requests",
        "whether a browser asks for a page, for `anonymousId`",
    ),
    named("accept", SPLIT, "read on requests", "the same, where a browser does not send `sec-fetch-dest`"),
    named("x-request-id", SPLIT, "read on requests", "goes into a new id of `anonymousId`"),
    named("set-cookie", SPLIT, "written on responses", "the id that `anonymousId` gives"),
    named("traceparent", LANES, "read on requests", "an id by which a call finds its lane"),
    named("b3", LANES, "read on requests", "the same"),
    named("x-b3-traceid", LANES, "read on requests", "the same"),
    named("x-request-id", LANES, "read on requests", "the same, without the digit that Envoy changes"),
    named("x-request-id", TAGS, "read on requests", "`request.id` in the conditions of `attributes`"),
];
