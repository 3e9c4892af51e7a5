//! What became of an exchange.

use super::abi::MapType;
use super::headers::Headers;
use super::local_reply::LocalReply;
use super::state::FilterState;
use super::stream::{Course, Stream};
use super::trace::Work;

/// The end of an exchange, as the upstream, the client and the operator saw it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The request's headers as the filter left them: what the upstream got, if it got any.
    pub request: Headers,
    /// The request's body likewise.
    pub request_body: Vec<u8>,
    /// Whether the request went upstream: no local reply, no hang, nothing Envoy would refuse.
    pub reached_upstream: bool,
    /// The response's headers as the client got them; none if the stream hung or was reset.
    pub response: Option<Headers>,
    /// The response's body likewise.
    pub response_body: Vec<u8>,
    /// What the filter answered in the upstream's place.
    pub local_reply: Option<LocalReply>,
    /// Filter state at the end, by full name; what the filter set starts with `wasm.`.
    pub filter_state: FilterState,
    /// How often the filter made Envoy match the route again.
    pub route_clears: u32,
    /// Whether the filter stopped the stream and never let it go on.
    pub hung: bool,
    /// Whether the stream was cut.
    pub reset: bool,
    /// What the filter wrote that Envoy refuses, or, worse, puts on the wire: empty in a good filter.
    pub hazards: Vec<String>,
    /// What the filter did, from the stream's first callback to its last.
    pub work: Work,
}

impl Outcome {
    pub(super) fn new(mut stream: Stream, work: Work) -> Self {
        let response = stream.take(MapType::ResponseHeaders);
        Self {
            request: stream.take(MapType::RequestHeaders).unwrap_or_default(),
            request_body: stream.request_body,
            reached_upstream: stream.reached_upstream,
            response: response.filter(|_| stream.course == Course::Flows),
            response_body: stream.response_body,
            local_reply: stream.reply,
            filter_state: stream.filter_state,
            route_clears: stream.route_clears,
            hung: stream.course == Course::Waits,
            reset: stream.course == Course::Cut,
            hazards: stream.hazards,
            work,
        }
    }

    /// The status that the client got.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref()?.text(":status")?.parse().ok()
    }

    /// A property that the filter set, by the name it set: `narrows_rule`.
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        self.filter_state.get(format!("wasm.{name}"))
    }

    /// Such a property as text.
    pub fn property_text(&self, name: &str) -> Option<String> {
        self.property(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}
