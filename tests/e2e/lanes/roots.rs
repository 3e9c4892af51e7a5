//! Where a trace begins: a sidecar whose tracer begins one writes it behind all filters.

use narrows_harness::http1;
use narrows_harness::message::Request;
use serde_json::{Value, json};

use super::shop::{Shop, asked, way};

fn tracing() -> Value {
    json!({
        "random_sampling": { "value": 100 },
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": { "envoy_grpc": { "cluster_name": "collector" } },
                "service_name": "shop",
            },
        },
    })
}

/// A caller of the mesh without trace headers, such as a cron job.
fn untraced() -> Request {
    Request::get("front", "/").header("x-lane", "dev-1")
}

#[test]
fn a_request_without_a_trace_is_found_by_its_request_id() -> anyhow::Result<()> {
    for tracing in [None, Some(tracing())] {
        let shop = Shop::traced(&["x-request-id"], tracing)?;
        for _ in 0..10 {
            let answer = http1::exchange(shop.front, &untraced())?;
            assert_eq!(way(&answer)?, "front dev-1, orders dev-1, stock dev-1");
        }
    }
    Ok(())
}

/// The README says that this cannot work: the filter never sees the trace that its own proxy begins.
#[test]
fn a_trace_that_the_sidecar_begins_is_not_seen() -> anyhow::Result<()> {
    let shop = Shop::traced(&["traceparent"], Some(tracing()))?;
    let answer = http1::exchange(shop.front, &untraced())?;
    assert_eq!(way(&answer)?, "front dev-1, orders -, stock -");
    assert_eq!(shop.sidecars[2].stat("wasmcustom.narrows_lanes_missing_total")?, 1);
    Ok(())
}

/// The tracer of each sidecar puts a span of its own into a trace that began before.
#[test]
fn a_trace_that_began_before_is_found() -> anyhow::Result<()> {
    let shop = Shop::traced(&["traceparent"], Some(tracing()))?;
    for number in 1..=10 {
        let answer = http1::exchange(shop.front, &asked(number, Some("dev-1")))?;
        assert_eq!(way(&answer)?, "front dev-1, orders dev-1, stock dev-1");
        // What is not sampled is in a lane all the same.
        let unsampled = Request::get("front", "/")
            .header("traceparent", format!("00-4bf92f3577b34da6{:016x}-00f067aa0ba902b7-00", 100 + number))
            .header("x-lane", "dev-2");
        assert_eq!(way(&http1::exchange(shop.front, &unsampled)?)?, "front dev-2, orders dev-2, stock dev-2");
    }
    Ok(())
}
