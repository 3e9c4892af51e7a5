//! At the edge: what a client says in the place of a filter.

use narrows_harness::bootstrap::cluster_route;
use narrows_harness::client::Protocol;
use narrows_harness::echo::Received;
use narrows_harness::message::{Headers, Request};
use narrows_tests::Bench;
use serde_json::json;

/// Filters before an application that takes trailers.
struct Site(Bench);

impl Site {
    fn of(chain: &[(&str, String)]) -> Self {
        let chain: Vec<_> = chain.iter().map(|(filter, policy)| (*filter, &**policy)).collect();
        let plan = Bench::of(&chain).hcm("http_protocol_options", json!({ "enable_trailers": true }));
        Self(plan.upstream_http2().start().unwrap())
    }

    fn seen(&self, protocol: Protocol, request: &Request) -> Received {
        let answer = self.0.client(protocol).unwrap().exchange(request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.0.echo.last().unwrap()
    }
}

/// What every spelling of a name says: `x_user` is `x-user` to many applications.
fn spellings(headers: &Headers, name: &str) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = headers.iter().map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)));
    all.filter(|(found, _)| found.replace('_', "-") == name).collect()
}

/// The same, if there is one and it is spelt so.
fn only(headers: &Headers, name: &str) -> Option<String> {
    match &spellings(headers, name)[..] {
        [] => None,
        [(found, value)] if found == name => Some(value.clone()),
        more => panic!("{more:?}"),
    }
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// A name as a client may write it, in headers and in trailers.
fn forged(request: Request, name: &str, protocol: Protocol) -> Request {
    let underscored = name.replace('-', "_");
    let capitals = name.to_ascii_uppercase();
    let mixed = name.replacen('-', "_", 1);
    let mut names = vec![name.to_owned(), underscored, mixed];
    if protocol == Protocol::Http1 {
        names.push(capitals);
    }
    names.iter().fold(request, |request, name| request.header(name, "forged").trailer(name, "forged"))
}

fn post() -> Request {
    Request::new("POST", "shop.example.com", "/").body("body")
}

/// What rewrites the host of every request.
fn rewriters(trust: &str) -> [(&'static str, String); 3] {
    [
        (
            "header-router",
            format!(
                r#"{{"trust": "{trust}", "rules": [{{"name": "r", "route": {{"authority": "canary.shop"}}}}]}}"#
            ),
        ),
        (
            "header-router",
            format!(
                r#"{{"trust": "{trust}", "rules": [{{"name": "r", "rewrite": {{"authority": "canary.shop"}}}}]}}"#
            ),
        ),
        (
            "canary-split",
            format!(
                r#"{{"trust": "{trust}", "splits": [{{"name": "s", "hosts": ["shop.example.com", "admin.example.com"],
                     "key": [{{"header": "x-u"}}], "onMissingKey": "c",
                     "backends": [{{"name": "b", "baseline": true}}, {{"name": "c", "authority": "canary.shop", "weight": 1}}]}}]}}"#
            ),
        ),
    ]
}

#[test]
fn the_forwarded_host_is_not_the_clients_where_the_host_is_rewritten() {
    const NAME: &str = "x-forwarded-host";
    for rewriter in rewriters("edge") {
        let site = Site::of(std::slice::from_ref(&rewriter));
        for protocol in PROTOCOLS {
            let seen = site.seen(protocol, &forged(post(), NAME, protocol));
            assert_eq!(seen.authority, "canary.shop", "{rewriter:?}");
            assert_eq!(only(&seen.headers, NAME).as_deref(), Some("shop.example.com"), "{rewriter:?}");
            assert_eq!(spellings(&seen.trailers, NAME), [], "{rewriter:?}");
            let alone = post().header("x_forwarded_host", "forged");
            let seen = site.seen(protocol, &alone);
            assert_eq!(only(&seen.headers, NAME).as_deref(), Some("shop.example.com"), "{rewriter:?}");
        }
    }
    // Of the mesh it is kept, for a chain of splits restores the first.
    for rewriter in rewriters("mesh") {
        let site = Site::of(std::slice::from_ref(&rewriter));
        let seen = site.seen(Protocol::Http1, &post().header(NAME, "first.example.com"));
        assert_eq!(seen.authority, "canary.shop", "{rewriter:?}");
        assert_eq!(only(&seen.headers, NAME).as_deref(), Some("first.example.com"), "{rewriter:?}");
    }
    // Two filters of the edge in one proxy: the second keeps what the first wrote.
    let [first, ..] = rewriters("edge");
    let second = r#"{"splits": [{"name": "s", "hosts": ["canary.shop"], "key": [{"header": "x-u"}], "onMissingKey": "c",
        "backends": [{"name": "b", "baseline": true}, {"name": "c", "authority": "second.shop", "weight": 1}]}]}"#;
    let site = Site::of(&[first, ("canary-split", second.to_owned())]);
    let seen = site.seen(Protocol::Http1, &forged(post(), NAME, Protocol::Http1));
    assert_eq!(seen.authority, "second.shop");
    assert_eq!(only(&seen.headers, NAME).as_deref(), Some("shop.example.com"));
}

#[test]
fn a_header_that_only_conditions_read_is_left_alone() {
    let policy = r#"{"rules": [{"name": "r", "matches": [{"headers": {"x-forwarded-host": {"present": true}}}],
                     "requestHeaders": {"set": {"x-seen": "1"}}}]}"#;
    let site = Site::of(&[("header-router", policy.to_owned())]);
    let seen =
        site.seen(Protocol::Http1, &post().header("x-forwarded-host", "a").trailer("x-forwarded-host", "b"));
    assert_eq!(only(&seen.headers, "x-seen").as_deref(), Some("1"));
    assert_eq!(only(&seen.headers, "x-forwarded-host").as_deref(), Some("a"));
    assert_eq!(only(&seen.trailers, "x-forwarded-host").as_deref(), Some("b"));
}

#[test]
fn what_is_set_replaces_every_spelling() {
    let edits = r#""requestHeaders": {"set": {"x-user-name": "verified"}}"#;
    let split = |trust: &str| {
        format!(
            r#"{{"trust": "{trust}", "splits": [{{"name": "s", "key": [{{"header": "x-u"}}], "onMissingKey": "c",
                 "backends": [{{"name": "b", "baseline": true}}, {{"name": "c", "to": "v2", "weight": 1, {edits}}}]}}]}}"#
        )
    };
    let router = |trust: &str| {
        format!(r#"{{"trust": "{trust}", "rules": [{{"name": "r", "route": {{"to": "v2"}}, {edits}}}]}}"#)
    };
    for trust in ["edge", "mesh"] {
        for (filter, policy) in [("header-router", router(trust)), ("canary-split", split(trust))] {
            let site = Site::of(&[(filter, policy)]);
            for protocol in PROTOCOLS {
                let request = forged(post(), "x-user-name", protocol);
                let seen = site.seen(protocol, &forged(request, "x-narrows-route", protocol));
                for (name, value) in [("x-user-name", "verified"), ("x-narrows-route", "v2")] {
                    assert_eq!(only(&seen.headers, name).as_deref(), Some(value), "{filter} {trust} {name}");
                    assert_eq!(spellings(&seen.trailers, name), [], "{filter} {trust} {name}");
                }
                // Also where the caller says the same already, and where nothing is there.
                let same = post().header("x-user-name", "verified").header("x_user_name", "root");
                for request in [same, post()] {
                    let seen = site.seen(protocol, &request);
                    assert_eq!(only(&seen.headers, "x-user-name").as_deref(), Some("verified"));
                }
            }
        }
    }
}

#[test]
fn trailers_lose_what_headers_lose() {
    let internal = [
        "x-internal-user",
        "x-envoy-foo",
        "x-forwarded-client-cert",
        "x-original-url",
        "x-rewrite-url",
        "x-secret",
    ];
    let edits = r#""requestHeaders": {"remove": ["x-secret", "x-internal-*"]}"#;
    let policies = |trust: &str| {
        [
            (
                "egress-policy",
                format!(
                    r#"{{"trust": "{trust}", "default": "allow", "requestHeaders": {{"remove": ["x-secret"], "keep": ["x-envoy-kept"]}}}}"#
                ),
                internal.to_vec(),
            ),
            (
                "header-router",
                format!(
                    r#"{{"trust": "{trust}", "rules": [{{"name": "r", "matches": [{{"headers": {{"x-go": {{"present": true}}}}}}], {edits}}}]}}"#
                ),
                vec!["x-secret", "x-internal-user"],
            ),
            (
                "canary-split",
                format!(
                    r#"{{"trust": "{trust}", "splits": [{{"name": "s", "matches": [{{"headers": {{"x-go": {{"present": true}}}}}}],
                         "key": [{{"header": "x-u"}}], "onMissingKey": "c",
                         "backends": [{{"name": "b", "baseline": true}}, {{"name": "c", "to": "v2", "weight": 1, {edits}}}]}}]}}"#
                ),
                vec!["x-secret", "x-internal-user"],
            ),
            ("header-router", format!(r#"{{"trust": "{trust}", "strip": ["x-secret"]}}"#), vec!["x-secret"]),
        ]
    };
    for trust in ["edge", "mesh"] {
        for (filter, policy, lost) in policies(trust) {
            let site = Site::of(&[(filter, policy.clone())]);
            for protocol in PROTOCOLS {
                let all = internal.iter().chain(&["x-narrows-lane", "x-checksum", "x-envoy-kept"]);
                let request = all.fold(post(), |request, name| {
                    let other = name.replace('-', "_");
                    request.trailer(name, "1").trailer(&other, "1")
                });
                let seen = site.seen(protocol, &request.clone().header("x-go", "1"));
                let arrived = |name: &str| !spellings(&seen.trailers, name).is_empty();
                for name in internal {
                    assert_eq!(arrived(name), !lost.contains(&name), "{filter} {trust} {policy}: {name}");
                }
                let own = filter != "egress-policy" && trust == "mesh";
                assert_eq!(arrived("x-narrows-lane"), own, "{filter} {trust}");
                assert!(arrived("x-checksum") && arrived("x-envoy-kept"), "{filter} {trust}");
                // A rule that does not match takes nothing.
                if policy.contains("x-go") {
                    let seen = site.seen(protocol, &request);
                    assert!(!spellings(&seen.trailers, "x-secret").is_empty(), "{filter} {trust}");
                }
            }
        }
    }
}

#[test]
fn a_policy_that_lost_its_last_rule_still_strips() {
    for (filter, policy, strips) in [
        ("header-router", r#"{"rules": []}"#, true),
        ("header-router", r#"{"trust": "edge", "rules": []}"#, true),
        ("header-router", r#"{"filter": "header-router"}"#, true),
        ("header-router", r#"{"trust": "mesh", "rules": []}"#, false),
        ("header-router", "{}", false),
        ("canary-split", r#"{"splits": []}"#, true),
        ("canary-split", "{}", false),
        ("metric-tags", r#"{"metrics": []}"#, true),
        ("metric-tags", r#"{"tags": {"m": {"method": true}}}"#, true),
        ("metric-tags", "{}", false),
        ("egress-policy", r#"{"default": "allow", "rules": []}"#, true),
        ("egress-policy", r#"{"labels": "stock"}"#, true),
        ("egress-policy", "{}", false),
    ] {
        let site = Site::of(&[(filter, policy.to_owned())]);
        let request = post().header("x-narrows-route", "v9").trailer("x_narrows_route", "v9");
        let seen = site.seen(Protocol::Http1, &request);
        assert_eq!(spellings(&seen.headers, "x-narrows-route").is_empty(), strips, "{filter} {policy}");
        assert_eq!(spellings(&seen.trailers, "x-narrows-route").is_empty(), strips, "{filter} {policy}");
    }
}

/// Envoy follows a redirect itself: the second pass has what the first one wrote.
#[test]
fn what_an_internal_redirect_brings_back() {
    for trust in ["edge", "mesh"] {
        let policy = format!(
            r#"{{"trust": "{trust}", "rules": [{{"name": "a", "matches": [{{"path": {{"exact": "/a"}}}}],
                 "route": {{"to": "v2"}}, "requestHeaders": {{"set": {{"x-user-name": "verified"}}}}}}]}}"#
        );
        let mut route = cluster_route("echo");
        route["route"]["internal_redirect_policy"] = json!({ "max_internal_redirects": 1 });
        let plan = Bench::of(&[("header-router", &policy)]).named("redirect").routes(&[route]);
        let bench = plan.start().unwrap();
        let mut client = bench.client(Protocol::Http1).unwrap();
        let request = Request::get("shop.example.com", "/a")
            .header("x-echo-status", "302")
            .header("x-echo-header", "location=http://shop.example.com/b");
        client.exchange(&request).unwrap();
        assert_eq!(bench.echo.requests(), 2, "{trust}");
        let seen = bench.echo.last().unwrap();
        assert_eq!(seen.target, "/b", "{trust}");
        assert_eq!(only(&seen.headers, "x-user-name").as_deref(), Some("verified"), "{trust}");
        let route = only(&seen.headers, "x-narrows-route");
        assert_eq!(route.as_deref(), (trust == "mesh").then_some("v2"), "{trust}");
    }
}

/// An internal header that the proxy's own filter wrote may choose the route: it stays. What the policy names goes.
#[test]
fn what_is_to_be_removed_leaves_with_nobody_whoever_wrote_it() {
    let router = r#"{"rules": [{"name": "r", "requestHeaders": {"set": {"x-lane": "gray", "x-internal-a": "ours"}}}]}"#;
    for part in ["", r#", "requestHeaders": {"remove": ["x-lane"]}"#] {
        let egress = format!(r#"{{"default": "allow"{part}}}"#);
        let site = Site::of(&[("header-router", router.to_owned()), ("egress-policy", egress)]);
        let seen = site.seen(Protocol::Http1, &post().header("x-internal-b", "theirs"));
        assert_eq!(only(&seen.headers, "x-lane").as_deref(), part.is_empty().then_some("gray"));
        assert_eq!(only(&seen.headers, "x-internal-a").as_deref(), Some("ours"));
        assert_eq!(only(&seen.headers, "x-internal-b"), None);
    }
}
