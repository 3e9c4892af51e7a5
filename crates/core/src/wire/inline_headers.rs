//! The headers of which Envoy keeps only one line.
//!
//! Envoy keeps a slot for each of them ("inline" in `HeaderMapImpl`). A second line is joined to the
//! first with a comma, before any filter or route sees it. Which headers these are depends on the
//! message and on the extensions that are linked in. Here are those of the released binary; a test asks
//! the binary.

/// Whether a request holds a header once, by its lower-case name.
pub fn once_in_request(name: &[u8]) -> bool {
    is_in(BOTH, name) || is_in(REQUEST, name)
}

/// Whether a response holds a header once, by its lower-case name.
pub fn once_in_response(name: &[u8]) -> bool {
    is_in(BOTH, name) || is_in(RESPONSE, name)
}

fn is_in(table: &[&[u8]], name: &[u8]) -> bool {
    table.binary_search(&name).is_ok()
}

/// In both messages, in order.
const BOTH: &[&[u8]] = &[
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"keep-alive",
    b"proxy-connection",
    b"proxy-status",
    b"transfer-encoding",
    b"upgrade",
    b"via",
    b"x-envoy-attempt-count",
    b"x-envoy-decorator-operation",
    b"x-request-id",
];

/// In requests, in order.
const REQUEST: &[&[u8]] = &[
    b"accept",
    b"accept-encoding",
    b"access-control-request-headers",
    b"access-control-request-method",
    b"access-control-request-private-network",
    b"authorization",
    b"cdn-loop",
    b"expect",
    b"grpc-accept-encoding",
    b"grpc-timeout",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"origin",
    b"pragma",
    b"referer",
    b"te",
    b"user-agent",
    b"x-client-trace-id",
    b"x-envoy-downstream-service-cluster",
    b"x-envoy-downstream-service-node",
    b"x-envoy-expected-rq-timeout-ms",
    b"x-envoy-external-address",
    b"x-envoy-force-trace",
    b"x-envoy-hedge-on-per-try-timeout",
    b"x-envoy-internal",
    b"x-envoy-ip-tags",
    b"x-envoy-is-timeout-retry",
    b"x-envoy-max-retries",
    b"x-envoy-original-host",
    b"x-envoy-original-path",
    b"x-envoy-original-url",
    b"x-envoy-retriable-header-names",
    b"x-envoy-retriable-status-codes",
    b"x-envoy-retry-grpc-on",
    b"x-envoy-retry-on",
    b"x-envoy-upstream-alt-stat-name",
    b"x-envoy-upstream-rq-per-try-timeout-ms",
    b"x-envoy-upstream-rq-timeout-alt-response",
    b"x-envoy-upstream-rq-timeout-ms",
    b"x-envoy-upstream-stream-duration-ms",
    b"x-forwarded-client-cert",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
];

/// In responses, in order.
const RESPONSE: &[&[u8]] = &[
    b"access-control-allow-credentials",
    b"access-control-allow-headers",
    b"access-control-allow-methods",
    b"access-control-allow-origin",
    b"access-control-allow-private-network",
    b"access-control-expose-headers",
    b"access-control-max-age",
    b"age",
    b"date",
    b"etag",
    b"expires",
    b"grpc-message",
    b"grpc-status",
    b"last-modified",
    b"location",
    b"server",
    b"vary",
    b"x-envoy-degraded",
    b"x-envoy-immediate-health-check-fail",
    b"x-envoy-ratelimited",
    b"x-envoy-upstream-canary",
    b"x-envoy-upstream-healthchecked-cluster",
    b"x-envoy-upstream-service-time",
];
