//! What does a request cost in host calls? Each is counted, none may be added unseen.
//!
//! A call that returns data is the dear kind, and a write or a count is cheap: `docs/costs.md` has what
//! each was measured to cost. So these lists are much of the cost of a filter.

use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};

/// The host calls of one request, in order, without the `proxy_` before each.
fn calls(filter: &str, policy: &str, exchange: Exchange) -> Vec<String> {
    let module = Module::load(module(filter)).unwrap();
    let mut vm = Vm::new(&module, VmOptions { trace: true, ..VmOptions::default() }).unwrap();
    let configured = vm.configure(Plugin::new("p", policy));
    assert!(configured.accepted, "{policy}");
    let outcome = vm.request(configured.root, exchange, |_| {
        Response::ok().cluster("outbound|80||stock-canary.books.svc.cluster.local")
    });
    assert_eq!(outcome.hazards, Vec::<String>::new());
    outcome.work.calls.iter().map(|call| call.name.trim_start_matches("proxy_").to_owned()).collect()
}

const SPLIT: &str = r#"{ "trust": "mesh", "splits": [ { "name": "stock", "service": "stock.books", "key": [ { "header": "x-user" } ],
    "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "authority": "stock-canary", "weight": 100 } ] } ] }"#;

const ROUTER: &str = r#"{ "rules": [ { "name": "beta", "matches": [ { "headers": { "x-group": { "exact": "beta" } } } ],
    "route": { "to": "v2" } } ] }"#;

#[test]
fn a_call_that_concerns_no_split_costs_one_look() {
    assert_eq!(calls("canary-split", SPLIT, Exchange::get("other.books", "/")), ["get_header_map_value"]);
}

#[test]
fn a_split_call_reads_the_map_once() {
    let call = Exchange::get("stock.books:80", "/books").header("x-user", "u");
    assert_eq!(
        calls("canary-split", SPLIT, call),
        [
            // The request: is it ours, what does it say; what was decided; where it goes.
            "get_header_map_value",
            "get_header_map_pairs",
            // When; the guard: whether Envoy had a route before anything was written.
            "get_current_time_nanoseconds",
            "get_property",
            "set_property",
            "set_property",
            "replace_header_map_value",
            "replace_header_map_value",
            // The log: which cluster and code, and when; what is counted. An error asks for the flags too.
            "get_property",
            "get_property",
            "get_current_time_nanoseconds",
            // Once for each cluster of a canary: was it served at an address of its own?
            "get_property",
            "get_property",
            "increment_metric",
            "record_metric",
        ]
    );
}

#[test]
fn a_routed_request_reads_the_map_once_and_nothing_afterwards() {
    let beta = Exchange::get("shop", "/").header("x-group", "beta");
    let at_the_edge = ["get_header_map_pairs", "get_property"];
    let decided = ["increment_metric", "set_property", "set_property", "replace_header_map_value"];
    assert_eq!(calls("header-router", ROUTER, beta), [&at_the_edge[..], &decided[..]].concat());
    // Nothing matched: what was stripped is said, and that is all.
    assert_eq!(
        calls("header-router", ROUTER, Exchange::get("shop", "/")),
        [&at_the_edge[..], &["set_property"]].concat()
    );
}

#[test]
fn without_filter_state_little_is_read_and_written() {
    let silent = ROUTER.replacen('{', r#"{ "filterState": false, "#, 1);
    assert_eq!(calls("header-router", &silent, Exchange::get("shop", "/")), ["get_header_map_pairs"]);
    // What was written must not be taken for the client's, and what earlier filters wrote neither.
    let beta = Exchange::get("shop", "/").header("x-group", "beta");
    let marked = ["get_property", "increment_metric", "set_property", "replace_header_map_value"];
    assert_eq!(calls("header-router", &silent, beta), [&["get_header_map_pairs"], &marked[..]].concat());
}

#[test]
fn the_cluster_of_a_baseline_is_read_where_a_canary_is_compared_with_it() {
    let baseline = || Exchange::get("stock.books:80", "/books");
    let count = |policy: &str| calls("canary-split", policy, baseline()).len();
    let named = SPLIT.replace(r#""weight": 100"#, r#""weight": 100, "cluster": "outbound|80||stock-canary""#);
    assert_eq!(count(SPLIT), count(&named) + 1);
}

#[test]
fn an_empty_policy_costs_nothing() {
    for filter in ["header-router", "canary-split", "metric-tags", "egress-policy"] {
        assert_eq!(calls(filter, "{}", Exchange::get("a", "/")), Vec::<String>::new(), "{filter}");
    }
}

const EGRESS: &str = r#"{ "default": "deny", "rules": [
    { "name": "api", "action": "allow", "to": { "hosts": ["api.example"], "ports": [443] } } ] }"#;

/// A request beside a workload, on a listener of calls that come in (1) or go out (2).
fn beside(exchange: Exchange, direction: i64, cluster: &str) -> Exchange {
    exchange
        .property(&["xds", "node", "id"], "sidecar~10.0.0.2~web-0.shop~shop.svc.cluster.local")
        .property(&["xds", "listener_direction"], direction)
        .property(&["xds", "cluster_name"], cluster)
}

#[test]
fn what_comes_in_to_a_workload_costs_one_look() {
    let inbound = beside(Exchange::get("stock:8080", "/"), 1, "inbound|8080||");
    // What the proxy is, once in its life; which way this request goes.
    let once = ["get_property"; 3];
    assert_eq!(calls("egress-policy", EGRESS, inbound), [&once[..], &["get_property"]].concat());
}

#[test]
fn more_of_the_route_is_read_only_where_it_matters() {
    let count = |exchange: Exchange| {
        let calls = calls("egress-policy", EGRESS, exchange);
        calls.iter().filter(|call| *call == "get_property").count() - 3
    };
    let stock = "outbound|8080||stock.shop.svc.cluster.local";
    // Direction, filter state, cluster, server name.
    assert_eq!(count(beside(Exchange::get("stock:8080", "/"), 2, stock)), 4);
    assert_eq!(count(beside(Exchange::get("api.example", "/"), 2, "outbound|443||api.example")), 4);
    // Whose name it is, if not the Service's own.
    assert_eq!(count(beside(Exchange::get("10.96.0.7:8080", "/"), 2, stock)), 5);
    // Whether the route can be another one without what is taken off.
    let said = Exchange::get("api.example", "/").header("x-internal-user", "1");
    assert_eq!(count(beside(said, 2, "outbound|443||api.example")), 5);
}

#[test]
fn the_caller_is_read_where_a_rule_or_an_explanation_names_it() {
    let count = |policy: &str| {
        let calls = calls("egress-policy", policy, beside(Exchange::get("api.example", "/"), 2, ""));
        calls.iter().filter(|call| *call == "get_property").count()
    };
    let asks = EGRESS.replace(r#""to":"#, r#""from": { "namespaces": ["shop"] }, "to":"#);
    assert_eq!(count(&asks), count(EGRESS) + 1);
    let verified = EGRESS.replacen('{', r#"{ "callers": "verified", "#, 1);
    assert_eq!(count(&verified), count(EGRESS));
}
