//! What a test says of an exchange: the request, and what came back.

use std::time::Duration;

use super::abi::{NO_CLUSTER_FOUND, NO_HEALTHY_UPSTREAM, NO_ROUTE_FOUND};
use super::headers::Headers;
use super::properties::{Properties, Value};
use super::state::FilterState;

/// A request as it reaches the filter.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The headers, pseudo headers included.
    pub headers: Headers,
    /// The body; without one the headers end the stream.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Headers,
    /// What the filter can read from the start.
    pub properties: Properties,
    /// Filter state that an earlier filter left, by its full name (`wasm.narrows_rule`).
    pub filter_state: FilterState,
    /// `request.protocol`.
    pub protocol: &'static str,
    /// `request.duration`, which can be read in the log phase.
    pub duration: Duration,
}

/// What came back from behind the filter: from the upstream, or from Envoy in its place.
#[derive(Clone, Default, Debug)]
pub struct Response {
    /// The headers, `:status` included.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Headers,
    /// What the filter can read from the response on, `xds.cluster_name` above all.
    pub properties: Properties,
    /// `response.flags`.
    pub flags: u64,
    /// `response.code_details`.
    pub details: String,
}

impl Exchange {
    /// A request with these headers.
    pub fn new(headers: Headers) -> Self {
        Self {
            headers,
            body: Vec::new(),
            trailers: Headers::new(),
            properties: Properties::new(),
            filter_state: FilterState::default(),
            protocol: "HTTP/1.1",
            duration: Duration::from_millis(5),
        }
    }

    /// A plain GET.
    pub fn get(authority: &str, path: &str) -> Self {
        Self::to("GET", authority, path)
    }

    /// A plain POST.
    pub fn post(authority: &str, path: &str, body: impl AsRef<[u8]>) -> Self {
        Self::to("POST", authority, path).body(body)
    }

    fn to(method: &str, authority: &str, path: &str) -> Self {
        let pseudo = [(":authority", authority), (":path", path), (":method", method), (":scheme", "http")];
        Self::new(pseudo.into_iter().collect())
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name.as_ref(), value.as_ref());
        self
    }

    /// The same request with a property.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.properties.set(path, value);
        self
    }

    /// The same request with filter state that an earlier filter left.
    #[must_use]
    pub fn state(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.filter_state.set(key, value);
        self
    }

    /// The same request with a body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// The same request, over after this long.
    #[must_use]
    pub fn took(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }
}

impl Response {
    /// An empty 200 from the upstream.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// An empty response from the upstream.
    pub fn status(status: u16) -> Self {
        let headers = Headers::new().with(":status", status.to_string());
        Self { headers, details: "via_upstream".to_owned(), ..Self::default() }
    }

    /// A reply of Envoy's own, when there was no route, no cluster or no host.
    pub fn from_envoy(status: u16, flags: u64, details: &str) -> Self {
        Self { flags, details: details.to_owned(), ..Self::status(status) }
    }

    /// Envoy's 404 when no route matches.
    pub fn no_route() -> Self {
        Self::from_envoy(404, NO_ROUTE_FOUND, "route_not_found").without_cluster()
    }

    /// Envoy's 503 when the route names a cluster that is not there.
    pub fn no_cluster() -> Self {
        Self::from_envoy(503, NO_CLUSTER_FOUND, "cluster_not_found").without_cluster()
    }

    /// Envoy's 503 when the cluster has no host to send to.
    pub fn no_healthy_host() -> Self {
        Self::from_envoy(503, NO_HEALTHY_UPSTREAM, "no_healthy_upstream")
    }

    /// The same response, served by this cluster.
    #[must_use]
    pub fn cluster(self, name: &str) -> Self {
        self.property(&["xds", "cluster_name"], name)
    }

    /// Whatever the route was before the filter wrote, it leads to no cluster now.
    fn without_cluster(self) -> Self {
        self.property(&["xds", "cluster_name"], Value::Missing)
    }

    /// The same response with one more header.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name.as_ref(), value.as_ref());
        self
    }

    /// The same response with a property.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.properties.set(path, value);
        self
    }

    /// The same response with a body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }
}
