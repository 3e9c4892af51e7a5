//! A policy that has as much of something as the documents allow loads; one more is refused at its place.

mod others;
mod routing;

use narrows::filter::Filter;
use narrows_core::{PolicyValue, limits};
use serde_json::{Map, Value, json};

/// A limit: where it is, what it is, the code of what exceeds it, and a policy that has so many.
type Limit = (&'static str, usize, &'static str, fn(usize) -> Value);

fn list(count: usize, element: impl Fn(usize) -> Value) -> Value {
    (0..count).map(element).collect()
}

fn table(count: usize, value: impl Fn(usize) -> Value) -> Value {
    (0..count).map(|n| (format!("k{n}"), value(n))).collect::<Map<_, _>>().into()
}

fn text(count: usize) -> Value {
    "a".repeat(count).into()
}

/// A policy of traffic-lanes with these values of its lane.
fn lane(values: &Value, length: usize) -> Value {
    json!({ "trust": "mesh", "lane": { "header": "x-lane", "values": values, "maxLength": length } })
}

const LANES: [Limit; 4] = [
    ("lane.values", limits::LANE_VALUES, "NRW106", |most| lane(&list(most, |n| json!(format!("v{n}"))), 64)),
    ("lane.maxLength", limits::LANE_LENGTH.0, "NRW107", |most| lane(&json!(["v"]), most)),
    ("trace", limits::TRACE_HEADERS, "NRW106", |most| {
        let mut policy = lane(&json!(["v"]), 64);
        policy["trace"] = list(most, |n| json!(format!("x-{n}")));
        policy
    }),
    ("maxTraces", limits::TRACES.0, "NRW107", |most| {
        let mut policy = lane(&json!(["v"]), 64);
        policy["maxTraces"] = json!(most);
        policy
    }),
];

fn check(filter: Filter, all: &[Limit]) {
    for (place, most, code, policy) in all {
        let compile = |count: usize| {
            let tree = PolicyValue::parse(policy(count).to_string().as_bytes()).unwrap();
            filter.compile(&tree).map(drop)
        };
        if let Err(refused) = compile(*most) {
            panic!("{} {place}: {most} are refused: {refused}", filter.name());
        }
        let refused = compile(most + 1).expect_err(place);
        let said: Vec<_> =
            refused.faults().iter().map(|fault| format!("{} {}", fault.code, fault.place)).collect();
        assert_eq!(said, [format!("{code} {place}")], "{}: {refused}", filter.name());
    }
}

#[test]
fn of_header_router() {
    check(Filter::HeaderRouter, &routing::RULES);
    check(Filter::HeaderRouter, &routing::MATCHES);
}

#[test]
fn of_canary_split() {
    check(Filter::CanarySplit, &routing::SPLITS);
}

#[test]
fn of_metric_tags() {
    check(Filter::MetricTags, &others::TAGS);
}

#[test]
fn of_egress_policy() {
    check(Filter::EgressPolicy, &others::EGRESS);
}

#[test]
fn of_traffic_lanes() {
    check(Filter::TrafficLanes, &LANES);
}
