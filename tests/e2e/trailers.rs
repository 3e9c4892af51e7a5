//! Trailers are headers that come late: what a client must not say does not pass there either.

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_tests::{Bench, filters};
use serde_json::json;

#[test]
fn what_is_stripped_is_stripped_from_trailers() {
    for (filter, policy) in filters() {
        // Envoy drops the trailers of HTTP/1.1 unless it is asked not to.
        let plan =
            Bench::of(&[(filter, &policy)]).hcm("http_protocol_options", json!({ "enable_trailers": true }));
        let bench = plan.upstream_http2().start().unwrap();
        // These policies believe the mesh: they strip nothing, and show that they arrive.
        let believes = ["canary-split", "traffic-lanes"].contains(&filter);
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut client = bench.client(protocol).unwrap();
            let mut request = Request::new("POST", "shop", "/").body("body");
            for name in ["x-narrows-route", "x_narrows_route", "x-internal-user", "x-checksum"] {
                request = request.trailer(name, "1");
            }
            let answer = client.exchange(&request).unwrap();
            assert_eq!(answer.status, 200, "{filter}: {}", answer.text());
            let last = bench.echo.last().unwrap();
            let arrived = |name: &str| last.trailers.contains(name);
            assert!(arrived("x-checksum"), "{filter}: {protocol:?}: {:?}", last.trailers);
            assert_eq!(arrived("x-narrows-route"), believes, "{filter}: {protocol:?}");
            assert_eq!(arrived("x_narrows_route"), believes, "{filter}: {protocol:?}");
            // header-router strips it, egress-policy lets nothing internal out, and narrows does both.
            let loses = ["header-router", "egress-policy", "narrows"].contains(&filter);
            assert_eq!(arrived("x-internal-user"), !loses, "{filter}: {protocol:?}");
            // The next request has none, and is served.
            assert_eq!(client.exchange(&Request::get("shop", "/")).unwrap().status, 200);
        }
    }
}
