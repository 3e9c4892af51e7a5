//! The policies of COMING-FROM.md do what is written beside them.

use std::collections::BTreeSet;

use narrows_core::router::Router;
use narrows_core::{Edit, Policy, PolicyValue, Request};
use narrows_core::{Known, Peer};

/// Every policy that a document of the router shows, a rule alone as the whole of one.
fn policies(document: &str) -> anyhow::Result<Vec<String>> {
    let path = narrows_harness::workspace().join("filters/header-router").join(document);
    let text = std::fs::read_to_string(&path)?;
    let blocks = text.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    let whole = |policy: &str| {
        let is_rule = policy.trim_start().starts_with("{ \"name\"");
        if is_rule { format!("{{\"rules\":[{policy}]}}") } else { policy.to_owned() }
    };
    let policies: Vec<String> = blocks.map(whole).collect();
    anyhow::ensure!(!policies.is_empty(), "{} shows no policy", path.display());
    Ok(policies)
}

/// A rule of COMING-FROM.md, a request (`METHOD target`, its lines), and what becomes of it: as the
/// manifest above the rule has it.
const BESIDE: &[(&str, &str, &[(&str, &str)], &str)] = &[
    (
        "beta-users",
        "GET /api/x?a=1",
        &[("x-user-group", "beta")],
        "beta-users x-lane=beta x-envoy-original-path=/api/x?a=1 :path=/v2/api/x?a=1 x-narrows-route=reviews-v2",
    ),
    (
        "beta-users",
        "GET /apix",
        &[("cookie", "a=1; beta=1; b=2")],
        "beta-users x-lane=beta x-envoy-original-path=/apix :path=/v2/apix x-narrows-route=reviews-v2",
    ),
    ("beta-users", "GET /other", &[("x-user-group", "beta")], "-"),
    ("beta-users", "GET /api", &[("cookie", "alphabeta=1")], "-"),
    (
        "german-cart",
        "GET /cart/items?lang=de",
        &[],
        "german-cart x-envoy-original-path=/cart/items?lang=de :path=/warenkorb/items?lang=de x-narrows-route=cart-de",
    ),
    ("german-cart", "GET /cartwheel?lang=de", &[], "-"),
    ("german-cart", "POST /cart?lang=de", &[], "-"),
    ("german-cart", "GET /cart?lang=fr&lang=de", &[], "-"),
    (
        "https",
        "GET /a?b",
        &[(":authority", "www.example.com")],
        "https 301 location=https://www.example.com/a?b",
    ),
    ("https", "GET /a?b", &[], "-"),
    ("never", "GET /", &[("x-canary", "always")], "always x-narrows-route=shop-canary"),
    ("never", "GET /", &[("cookie", "canary=always")], "always x-narrows-route=shop-canary"),
    ("never", "GET /", &[("x-canary", "never"), ("cookie", "canary=always")], "never"),
    ("something", "GET /something/a/b", &[], "something x-envoy-original-path=/something/a/b :path=/a/b"),
    ("something", "GET /something", &[], "something x-envoy-original-path=/something :path=/"),
    ("something", "GET /somethingelse", &[], "-"),
    ("inside", "GET /", &[("address", "10.1.2.3:4711")], "inside"),
    ("inside", "GET /", &[("address", "11.1.2.3:4711")], "outside 403"),
];

#[test]
fn policies_do_what_is_written_beside_them() -> anyhow::Result<()> {
    let mut unproved: BTreeSet<String> = policies("COMING-FROM.md")?.into_iter().collect();
    for (rule, line, lines, becomes) in BESIDE {
        let named = |policy: &&String| policy.contains(&format!("\"name\": \"{rule}\""));
        let policy = policies("COMING-FROM.md")?.iter().find(named).expect("the document shows it").clone();
        let router = Router::compile(&PolicyValue::parse(policy.as_bytes())?)?;
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let address = lines.iter().find(|(name, _)| *name == "address").map(|(_, value)| value.as_bytes());
        let mut headers = vec![(":method", method), (":path", target), (":scheme", "http")];
        if !lines.iter().any(|(name, _)| *name == ":authority") {
            headers.push((":authority", "shop.example.com"));
        }
        headers.extend(lines.iter().filter(|(name, _)| *name != "address"));
        let request = Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
            .knowing(Known { source: Peer { address, principal: None }, ..Known::default() });
        assert_eq!(told(&router, request), *becomes, "{rule}: {line} {lines:?}");
        unproved.remove(&policy);
    }
    assert!(unproved.is_empty(), "no request is beside {unproved:?}");
    Ok(())
}

/// The rule, its edits and its answer, in one line.
fn told(router: &Router, request: Request<'_>) -> String {
    let (decision, verdict) = router.decide(request);
    let mut told = verdict.rule.and_then(|rule| router.rule(rule)).unwrap_or("-").to_owned();
    for edit in &decision.request {
        if let Edit::Set(name, value) = edit {
            told.push_str(&format!(" {name}={}", value.escape_ascii()));
        }
    }
    if let Some(reply) = decision.reply {
        told.push_str(&format!(" {}", reply.status));
        for (name, value) in &reply.headers {
            told.push_str(&format!(" {name}={}", value.escape_ascii()));
        }
    }
    told
}
