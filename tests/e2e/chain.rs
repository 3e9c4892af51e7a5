//! Do the filters work together in one proxy, in the order that the manifests give them?

use std::collections::BTreeSet;
use std::time::Duration;

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_harness::prometheus::Sample;
use narrows_harness::wait;
use narrows_tests::Bench;
use serde_json::json;

/// Routed, divided, counted, and judged as it leaves.
const CHAIN: [(&str, &str); 4] = [
    (
        "header-router",
        r#"{ "trust": "edge", "rules": [ { "name": "beta", "matches": [ { "headers": { "x-user-group": { "exact": "beta" } } } ],
             "route": { "to": "beta" }, "requestHeaders": { "set": { "x-canary": "always" } } },
           { "name": "gone", "matches": [ { "path": { "exact": "/gone" } } ], "respond": { "status": 410 } } ] }"#,
    ),
    (
        "canary-split",
        r#"{ "trust": "edge", "routeHeader": "x-lane", "splits": [ { "name": "s", "key": [ { "header": "x-user" } ],
             "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 0 } ],
             "override": { "header": "x-canary" } } ] }"#,
    ),
    (
        "metric-tags",
        r#"{ "tags": { "backend": { "property": "narrows_backend", "missing": "none" }, "rule": { "property": "narrows_rule", "missing": "none" },
                       "host": { "host": true }, "code": { "statusCode": true } },
             "metrics": [ { "name": "requests_total", "type": "counter", "tags": ["backend", "rule", "host", "code"] } ] }"#,
    ),
    (
        "egress-policy",
        r#"{ "default": "allow", "rules": [ { "name": "never", "action": "deny", "to": { "hosts": ["evil.example"] } } ] }"#,
    ),
];

#[test]
fn a_later_filter_believes_an_earlier_one_and_no_client() {
    let tag = |name: &str| json!({ "tag_name": name, "regex": format!("({name}=\\.=(.*?);\\.;)") });
    let labels = ["backend", "rule", "host", "code"];
    let plan = Bench::of(&CHAIN).named("chain");
    let bench = plan.bootstrap("stats_config", json!({ "stats_tags": labels.map(tag) })).start().unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut client = bench.client(protocol).unwrap();
        let mut seen = |request: Request| {
            let answer = client.exchange(&request).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            let last = bench.echo.last().unwrap();
            ["x-narrows-route", "x-canary", "x-lane"].map(|name| last.headers.text(name))
        };
        let says = |value: &str| Some(value.to_owned());
        // The router writes the route header and chooses the canary; the split, which is at
        // the edge too, believes it.
        let beta = Request::get("shop", "/").header("x-user-group", "beta");
        assert_eq!(seen(beta.clone()), [says("beta"), says("always"), says("canary")]);
        // A client that writes the same is not believed by either.
        let forged = Request::get("shop", "/")
            .header("x-narrows-route", "beta")
            .header("x-canary", "always")
            .header("x-lane", "canary");
        assert_eq!(seen(forged), [None, None, None]);
        // Nor where the router has written for it.
        assert_eq!(seen(beta.header("x-lane", "elsewhere")), [says("beta"), says("always"), says("canary")]);
        let denied = client.exchange(&Request::get("evil.example", "/")).unwrap();
        assert_eq!(denied.status, 403);
        let answered = client.exchange(&Request::get("shop", "/gone")).unwrap();
        assert_eq!(answered.status, 410);
    }
    // Each of them is counted by the last filter, those too that never came to it: then in
    // the log phase, with all that is known of them.
    let expected: BTreeSet<String> = [
        "canary beta shop 200 4",
        "stable none shop 200 2",
        "stable none evil.example 403 2",
        "none gone shop 410 2",
    ]
    .map(str::to_owned)
    .into();
    let counted = || {
        let samples = bench.envoy.prometheus()?;
        let own = samples.iter().filter(|sample| sample.name == "requests_total" && sample.value > 0.0);
        let shown = |sample: &Sample| {
            let values = labels.map(|label| sample.labels.get(label).map_or("-", String::as_str));
            format!("{} {}", values.join(" "), sample.value)
        };
        anyhow::Ok(own.map(shown).collect::<BTreeSet<_>>())
    };
    let settled =
        wait::until("the counters", Duration::from_secs(5), || Ok((counted()? == expected).then_some(())));
    assert!(settled.is_ok(), "{:#?}", counted());
    let completed = bench.envoy.stat("http.main.downstream_rq_completed").unwrap();
    assert_eq!(completed, 10, "and no more requests than these");
}
