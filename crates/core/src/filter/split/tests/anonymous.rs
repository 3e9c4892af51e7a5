//! The cookie with the id of a browser, as the response has it.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::compile;
use crate::{Edit, Policy, Request};

/// The line of `set-cookie` that a page gets without its id, by `anonymousId` as a policy has it; none if
/// the page gets no cookie.
fn line(ids: &str, headers: &[(&str, &str)]) -> Option<String> {
    let splitter = compile(&format!(
        r#"{{"trust": "edge", "splits": [{{"name": "shop", "hosts": ["shop"], "anonymousId": {ids},
            "backends": [{{"name": "v1", "baseline": true}}, {{"name": "v2", "to": "v2", "weight": 50}}]}}]}}"#
    ))
    .unwrap();
    let page = [(":method", "GET"), (":path", "/"), (":authority", "shop"), ("sec-fetch-dest", "document")];
    let lines = page.iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let (decision, _) = splitter.decide(Request::new(lines));
    let mut given = decision.response.iter().filter_map(|edit| match edit {
        Edit::SetCookie(cookie) => Some(String::from_utf8(cookie.line.to_vec()).unwrap()),
        _ => None,
    });
    let line = given.next()?;
    assert_eq!(given.next(), None);
    let (name, rest) = line.split_once('=').unwrap();
    let (id, attributes) = rest.split_once(';').unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{line}");
    Some(format!("{name}={attributes}"))
}

const HTTPS: [(&str, &str); 1] = [("x-forwarded-proto", "https")];

#[test]
fn the_cookie_has_what_the_policy_says() {
    for (ids, written) in [
        ("{}", "__Host-nrw-id= Path=/; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"cookie": "v"}"#, "v= Path=/; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"maxAge": "session"}"#, "__Host-nrw-id= Path=/; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"maxAge": "30d"}"#, "__Host-nrw-id= Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"maxAge": "90m"}"#, "__Host-nrw-id= Path=/; Max-Age=5400; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"maxAge": "400d"}"#, "__Host-nrw-id= Path=/; Max-Age=34560000; Secure; HttpOnly; SameSite=Lax"),
        (r#"{"sameSite": "Strict"}"#, "__Host-nrw-id= Path=/; Secure; HttpOnly; SameSite=Strict"),
        (r#"{"sameSite": "None"}"#, "__Host-nrw-id= Path=/; Secure; HttpOnly; SameSite=None"),
        (r#"{"partitioned": true}"#, "__Host-nrw-id= Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned"),
        (r#"{"cookie": "v", "secure": false}"#, "v= Path=/; HttpOnly; SameSite=Lax"),
        (
            r#"{"cookie": "v", "domain": "example.com"}"#,
            "v= Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax",
        ),
        (r#"{"cookie": "v", "path": "/shop"}"#, "v= Path=/shop; Secure; HttpOnly; SameSite=Lax"),
        (
            r#"{"cookie": "v", "domain": "a.example", "path": "/a", "maxAge": "1h", "sameSite": "None", "partitioned": true}"#,
            "v= Path=/a; Domain=a.example; Max-Age=3600; Secure; HttpOnly; SameSite=None; Partitioned",
        ),
    ] {
        assert_eq!(line(ids, &HTTPS).as_deref(), Some(written), "{ids}");
    }
}

#[test]
fn without_https_only_a_cookie_that_is_not_secure_is_given() {
    assert_eq!(line("{}", &[]), None);
    let written = line(r#"{"cookie": "v", "secure": false}"#, &[]);
    assert_eq!(written.as_deref(), Some("v= Path=/; HttpOnly; SameSite=Lax"));
}
