//! What a runner saw, in one form for all of them.

use std::collections::BTreeMap;

use narrows_core::{Kind, Measurement, Series};

use crate::headers::Headers;

/// What became of a request.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The request as it reached the upstream; none if it did not.
    pub upstream: Option<Seen>,
    /// The answer that the client got.
    pub answer: Reply,
    /// Filter state that the filter set, without `wasm.`.
    pub state: BTreeMap<String, Vec<u8>>,
    /// How far each counter moved.
    pub counts: BTreeMap<String, i64>,
    /// What was decided, as tools show it: the rule, the split, the backend and the reason. Only the
    /// core knows.
    pub decided: Vec<(String, Vec<u8>)>,
}

impl Observed {
    /// Adds what was measured to the counters.
    pub(crate) fn count(&mut self, series: &[Series], measured: impl IntoIterator<Item = Measurement>) {
        for Measurement { series: index, value } in measured {
            if let Some(series) = series.get(index).filter(|series| series.kind == Kind::Counter) {
                *self.counts.entry(series.name.to_string()).or_default() += i64::try_from(value).unwrap_or(0);
            }
        }
    }
}

/// A request as the upstream saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// The authority.
    pub authority: String,
    /// The headers, lower case.
    pub headers: Headers,
}

/// An answer as the client saw it.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The HTTP status; 0 if a runner does not know.
    pub status: u16,
    /// The headers, lower case.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The gRPC status, if there is one.
    pub fn grpc_status(&self) -> Option<u8> {
        self.headers.text("grpc-status")?.parse().ok()
    }
}
