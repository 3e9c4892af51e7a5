//! A chain: a listener with filters and routes, a request, and where that must end.

use narrows_harness::bootstrap::listener;
use narrows_harness::message::Request;
use serde_json::{Value, json};

/// A chain that is measured.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// What tables call it.
    pub(super) name: String,
    /// Chains of one group have their turns next to each other: what is to be compared meets the same noise.
    pub(super) group: String,
    /// What it does less than ours, if it is not ours.
    pub(super) note: &'static str,
    pub(super) filters: Vec<Value>,
    pub(super) routes: Routes,
    pub(super) request: Request,
    pub(super) end: End,
    /// It is so dear that it gets only one request of so many.
    pub(super) scarcity: u32,
}

/// Which routes a listener has.
#[derive(Clone, Debug)]
pub(super) enum Routes {
    /// By the route header and by the authority, as our filters write them.
    Written,
    /// These; in them `canary()` and `stable()` are where to go.
    Own(fn(Behind) -> Value),
    /// So many rules as Envoy's routes.
    Rules(usize, fn(Behind, usize) -> Value),
}

/// Where a request must end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// At the route that nobody chose.
    Stable,
    /// At the route that the filter chose.
    Canary,
    /// Nowhere: it was refused.
    Refused,
}

/// What is behind the routes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Behind {
    /// Envoy answers by itself.
    Nothing,
    /// An application.
    Application,
}

// === impl Chain ===

impl Chain {
    pub(super) fn new(name: impl Into<String>, filters: Vec<Value>, request: Request, end: End) -> Self {
        let name = name.into();
        let group = name.clone();
        Self { name, group, note: "", filters, routes: Routes::Written, request, end, scarcity: 1 }
    }

    pub(super) fn grouped(self, group: &str) -> Self {
        Self { group: group.to_owned(), ..self }
    }

    pub(super) fn noted(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    pub(super) fn routed(self, routes: Routes) -> Self {
        Self { routes, ..self }
    }

    pub(super) fn scarce(self, scarcity: u32) -> Self {
        Self { scarcity, ..self }
    }

    /// The listener, under a name that is no sentence.
    pub(super) fn listener(&self, name: &str, behind: Behind) -> Value {
        let routes = match self.routes {
            Routes::Written => written(behind),
            Routes::Own(routes) => routes(behind),
            Routes::Rules(count, routes) => routes(behind, count),
        };
        let mut listener = listener(name, &self.filters, &routes);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        // A connection is used all the time, and for longer than an hour of nothing.
        manager["common_http_protocol_options"] = json!({ "idle_timeout": "3600s" });
        listener
    }
}

// === impl Behind ===

impl Behind {
    /// The route to where the filter sends a request; `matched` is the route's match.
    pub(super) fn canary(self, matched: &Value) -> Value {
        self.route(matched, "canary", 204)
    }

    /// The route of everything else.
    pub(super) fn stable(self) -> Value {
        self.route(&json!({ "prefix": "/" }), "stable", 200)
    }

    fn route(self, matched: &Value, cluster: &str, status: u16) -> Value {
        match self {
            Self::Nothing => json!({ "match": matched, "direct_response": { "status": status } }),
            Self::Application => json!({ "match": matched, "route": { "cluster": cluster } }),
        }
    }
}

/// Routes that obey what our filters write.
fn written(behind: Behind) -> Value {
    let header = json!([{ "name": "x-narrows-route", "string_match": { "exact": "v2" } }]);
    let by_header = behind.canary(&json!({ "prefix": "/", "headers": header }));
    json!({ "name": "local", "virtual_hosts": [
        { "name": "canary", "domains": ["canary.example.com"], "routes": [behind.canary(&json!({ "prefix": "/" }))] },
        { "name": "rest", "domains": ["*"], "routes": [by_header, behind.stable()] },
    ] })
}
