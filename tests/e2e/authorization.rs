//! Does Istio's authorization judge what the client sent, and does it see what clients must
//! not say? The chains are those that the phases of `narrows render` give.

mod istio;
mod restore;
mod route;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, native_filter, route_config, static_cluster,
};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_harness::root;
use serde_json::{Value, json};

use istio::{Action, By, Chain, render};

/// Strips a header, and rewrites path and host of what is below `/api`.
const ROUTER: &str = r#"{ "strip": ["x-user"], "rules": [ { "name": "api", "matches": [ { "path": {"pathPrefix": "/api"} } ],
    "rewrite": { "path": {"replacePrefix": {"from": "/api", "to": "/"}} }, "route": { "authority": "inner.example.com" } } ] }"#;
/// The same host by a split that everybody is on; its override header is stripped.
const SPLIT: &str = r#"{ "strip": ["x-user"], "splits": [ { "name": "shop", "hosts": ["shop.example.com"], "onMissingKey": "canary",
    "override": { "header": "x-canary" }, "guard": { "passive": false },
    "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "authority": "inner.example.com", "weight": 100 } ] } ] }"#;

/// Where the plugin stands.
const PLACES: [&str; 3] = ["before", "behind", "rendered"];

/// What becomes of `GET /api/admin` for `shop.example.com` with a forged `x-user: root` under a
/// policy that names the public path, the public host, or that header. First is a plugin in
/// front of authorization, then one behind it, then what `render` makes of the policy.
fn expected(action: Action, by: By) -> [u16; 3] {
    match (action, by) {
        // The rewritten request is not the one that is allowed.
        (Action::Allow, By::Path | By::Host) => [403, 200, 200],
        // Whoever forges the header is let in behind it alone.
        (Action::Allow, By::Header) => [403, 200, 403],
        // The rewritten request is not the one that is denied.
        (Action::Deny, By::Path | By::Host) => [200, 403, 403],
        (Action::Deny, By::Header) => [200, 403, 200],
        // It runs before every phase.
        (Action::Custom, _) => [403, 403, 403],
    }
}

/// The chain of a policy in each place.
fn chain(filter: &str, policy: &str, place: &str) -> Chain {
    Chain::of(&match place {
        "before" => render(filter, policy, None, Some("AUTHZ")),
        "behind" => render(filter, policy, None, Some("STATS")),
        _ => render(filter, policy, None, None),
    })
}

#[test]
fn each_cell_of_the_table_with_header_router() {
    each_cell("header-router", ROUTER);
}

#[test]
fn each_cell_of_the_table_with_canary_split() {
    each_cell("canary-split", SPLIT);
}

fn each_cell(filter: &str, policy: &str) {
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let authorizer = Echo::start("authorizer", EchoOptions::default()).unwrap();
    authorizer.force_status(Some(403));
    let routes = route_config(&[cluster_route("echo")]);
    let mut listeners = Vec::new();
    let mut cells = Vec::new();
    for (column, place) in PLACES.into_iter().enumerate() {
        let chain = chain(filter, policy, place);
        assert_eq!(chain.plugins(), if place == "rendered" { 2 } else { 1 }, "{filter}");
        for action in Action::ALL {
            for by in By::ALL {
                let name = format!("{place}.{action:?}.{by:?}");
                listeners.push(listener(&name, &chain.around(action, by), &routes));
                // A split does not touch the path: wherever it stands, it is the client's.
                let column = if filter == "canary-split" && by == By::Path { 2 } else { column };
                cells.push((name, action, expected(action, by)[column]));
            }
        }
    }
    let clusters =
        [static_cluster("echo", echo.addr(), false), static_cluster("authorizer", authorizer.addr(), false)];
    let envoy = Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("authorization")).unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (name, action, expected) in &cells {
            let mut client = Client::connect(protocol, envoy.listener(name).unwrap()).unwrap();
            let asked = authorizer.requests();
            let request = Request::get("shop.example.com", "/api/admin").header("x-user", "root");
            let answer = client.exchange(&request).unwrap();
            assert_eq!(answer.status, *expected, "{filter} {name} over {protocol:?}");
            if *expected == 200 {
                // Whatever authorization saw, the application gets the rewritten request.
                let seen = echo.last().unwrap();
                let path = if filter == "header-router" { "/admin" } else { "/api/admin" };
                assert_eq!((&*seen.target, &*seen.authority), (path, "inner.example.com"), "{name}");
                assert_eq!(seen.headers.text("x-user"), None, "{name}");
            }
            // And a CUSTOM authorizer is asked about the request that the client sent.
            assert_eq!(authorizer.requests() - asked, u64::from(*action == Action::Custom), "{name}");
            if *action == Action::Custom {
                let seen = authorizer.last().unwrap();
                assert_eq!((&*seen.target, &*seen.authority), ("/api/admin", "shop.example.com"), "{name}");
                assert_eq!(seen.headers.text("x-user").as_deref(), Some("root"), "{name}");
            }
            // What the policy does not name, by none of the three, is as the action has it.
            let asked = authorizer.requests();
            let other = client.exchange(&Request::get("other.example.com", "/")).unwrap();
            assert_eq!(other.status, if *action == Action::Allow { 403 } else { 200 }, "{name}");
            assert_eq!(authorizer.requests(), asked, "{name}");
        }
    }
}

/// SECURITY.md says what each cell does in the words of its table.
#[test]
fn the_table_says_what_happens() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| ["| ALLOW ", "| DENY ", "| CUSTOM "].iter().any(|start| line.starts_with(start)))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut cells = 0;
    for action in Action::ALL {
        for by in By::ALL {
            let (verb, noun) = (format!("{action:?}").to_uppercase(), format!("{by:?}").to_lowercase());
            let row = rows.iter().find(|row| row[0] == format!("{verb} by {noun}")).unwrap();
            let lets = |code: u16| if code == 200 { "passes" } else { "refused" };
            for (cell, code) in row[1..].iter().zip(expected(action, by)) {
                assert!(cell.contains(lets(code)), "{verb} by {noun}: {cell:?}, and {code}");
                cells += 1;
            }
        }
    }
    assert_eq!((cells, rows.len()), (27, 9));
}

/// What authentication writes of a verified token is not the client's, though the policy
/// strips it: the first plugin says in filter state that it has, and the second leaves it.
#[test]
fn what_is_written_between_the_two_plugins_stays() {
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let policy = r#"{ "strip": ["x-user"], "rules": [ { "name": "root", "matches": [ { "headers": {"x-user": {"exact": "verified"}} } ],
        "rewrite": { "path": {"replaceFull": "/root"} } } ] }"#;
    let token = native_filter(
        "authentication",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        json!({ "mutations": { "request_mutations": [ { "append": {
            "header": { "key": "x-user", "value": "verified" }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" } } ] } }),
    );
    let chain = Chain::of(&render("header-router", policy, None, None));
    let both = chain.filters(Some(&token), &[]);
    let first: Vec<Value> = both.iter().take(1).cloned().collect();
    // One that strips behind authentication takes the token's away too.
    let single = Chain::of(&render("header-router", policy, None, Some("AUTHZ"))).filters(Some(&token), &[]);
    let routes = route_config(&[cluster_route("echo")]);
    let start = bootstrap(
        &[
            listener("both", &both, &routes),
            listener("first", &first, &routes),
            listener("single", &single, &routes),
        ],
        &[static_cluster("echo", echo.addr(), false)],
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("between")).unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let sent = Request::get("shop", "/a").header("x-user", "verified").header("X_User", "verified");
        let mut client = Client::connect(protocol, envoy.listener("both").unwrap()).unwrap();
        assert_eq!(client.exchange(&sent).unwrap().status, 200);
        let seen = echo.last().unwrap();
        assert_eq!((seen.headers.all("x-user").len(), &*seen.target), (1, "/root"));
        assert!(!seen.headers.contains("x_user"));
        let mut client = Client::connect(protocol, envoy.listener("single").unwrap()).unwrap();
        assert_eq!(client.exchange(&sent).unwrap().status, 200);
        let seen = echo.last().unwrap();
        assert_eq!((seen.headers.contains("x-user"), &*seen.target), (false, "/a"));
        // Alone, the first takes away what the client says, in every spelling, and no more.
        let mut client = Client::connect(protocol, envoy.listener("first").unwrap()).unwrap();
        assert_eq!(client.exchange(&sent.header("x-other", "1")).unwrap().status, 200);
        let seen = echo.last().unwrap();
        let names = ["x-user", "x_user", "x-other"].map(|name| seen.headers.contains(name));
        assert_eq!((names, &*seen.target), ([false, false, true], "/a"));
    }
}

/// A header that a rule sets is there for authorization if the rule comes before it: a policy
/// that rewrites nothing does, one that rewrites does not. What a rule answers there is answered.
#[test]
fn authorization_sees_what_a_rule_sets_before_it() {
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let routes = route_config(&[cluster_route("echo")]);
    let rule = |rest: &str| {
        let policy = format!(
            r#"{{ "rules": [ {{ "name": "r", "requestHeaders": {{ "set": {{"x-user": "root"}} }}{rest} }} ] }}"#
        );
        Chain::of(&render("header-router", &policy, None, None)).around(Action::Allow, By::Header)
    };
    let answering = r#"{ "rules": [ { "name": "gone", "respond": { "status": 410 } } ] }"#;
    let answering =
        Chain::of(&render("header-router", answering, None, None)).around(Action::Allow, By::Header);
    let rewriting = rule(r#", "rewrite": { "path": {"replaceFull": "/x"} }"#);
    let start = bootstrap(
        &[
            listener("plain", &rule(""), &routes),
            listener("rewriting", &rewriting, &routes),
            listener("answering", &answering, &routes),
        ],
        &[static_cluster("echo", echo.addr(), false)],
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("sets")).unwrap();
    for (name, expected) in [("plain", 200), ("rewriting", 403), ("answering", 410)] {
        let mut client = Client::connect(Protocol::Http1, envoy.listener(name).unwrap()).unwrap();
        assert_eq!(client.exchange(&Request::get("shop", "/")).unwrap().status, expected, "{name}");
    }
}
