//! Does the local mesh do what its policies say?

use std::collections::BTreeSet;

use narrows_harness::certificates::Certificates;
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_harness::root;
use narrows_mesh::{Applications, BOOKS, HELLO};

const USERS: &str = include_str!("../data/users.json");

#[test]
fn exactly_the_users_below_the_weight_reach_the_canary() {
    let vectors: serde_json::Value = serde_json::from_str(USERS).unwrap();
    let buckets = vectors["buckets"].as_object().unwrap();
    // Weight 10 of 100: the buckets below 100,000, by an implementation that is not ours.
    let promised: BTreeSet<&str> = buckets
        .iter()
        .filter(|(_, b)| b.as_u64().unwrap() < 100_000)
        .map(|(user, _)| user.as_str())
        .collect();
    assert!(promised.len() > 50, "vectors that prove nothing");

    let mesh = applications();
    let mut client = Connection::connect(mesh.ingress()).unwrap();
    let mut reached = BTreeSet::new();
    for user in buckets.keys() {
        let request = Request::get(BOOKS, "/bobbys-front-end/books").header("x-user-id", user);
        let answer = client.exchange(&request).unwrap();
        match answer.json().unwrap()["called"]["body"]["version"].as_str() {
            Some("canary") => _ = reached.insert(user.as_str()),
            Some("stable") => {}
            _ => panic!("{user}: {}", answer.text()),
        }
    }
    assert_eq!(reached, promised);
}

#[test]
fn a_canary_call_keeps_port_and_tells_the_callers_host() {
    let mesh = applications();
    let mut client = Connection::connect(mesh.outbound()).unwrap();
    let call = |authority: &str| Request::get(authority, "/books").header("x-canary", "always");
    for (caller, canary) in [
        ("bobbys-helidon-stock-application:8080", "bobbys-helidon-stock-application-canary:8080"),
        (
            "bobbys-helidon-stock-application.bobs-books.svc.cluster.local",
            "bobbys-helidon-stock-application-canary.bobs-books.svc.cluster.local",
        ),
    ] {
        let seen = client.exchange(&call(caller)).unwrap().json().unwrap();
        assert_eq!(seen["version"], "canary", "{seen}");
        assert_eq!(seen["authority"], canary);
        let headers = seen["headers"].to_string();
        assert!(headers.contains(&format!("[\"x-forwarded-host\",\"{caller}\"]")), "{headers}");
    }
    let never = Request::get("bobbys-helidon-stock-application:8080", "/").header("x-canary", "never");
    assert_eq!(client.exchange(&never).unwrap().json().unwrap()["version"], "stable");
}

#[test]
fn a_client_cannot_choose_its_version() {
    let mesh = applications();
    let mut client = Connection::connect(mesh.ingress()).unwrap();
    for forged in ["x-narrows-route", "X-Narrows-Route", "x-narrows-anything", "x-internal-user"] {
        let request = Request::get(HELLO, "/greet").header(forged, "hello-v2");
        let seen = client.exchange(&request).unwrap().json().unwrap();
        assert_eq!(seen["version"], "v1", "{forged}");
        assert!(!seen["headers"].to_string().contains("hello-v2"), "{seen}");
    }
}

fn applications() -> Applications {
    Applications::start(&root(), &Certificates::make(&root()).unwrap()).unwrap()
}
