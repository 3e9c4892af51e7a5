//! Of paths, methods and ports.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{CALL, Call, compile, outcome};

#[test]
fn what_is_not_known_denies() {
    let policy = compile(
        r#"{"default": "allow", "rules": [
            {"name": "admin", "action": "deny", "to": {"paths": [{"pathPrefix": "/admin"}]}},
            {"name": "delete", "action": "deny", "to": {"methods": ["DELETE"]}},
            {"name": "odd-port", "action": "deny", "to": {"ports": [8443]}} ]}"#,
    )
    .unwrap();
    for (ask, expected) in [
        (CALL, "allow default"),
        (Call { target: "/admin", ..CALL }, "deny admin"),
        (Call { target: "/x/../admin/", ..CALL }, "deny admin"),
        (Call { target: "/%61dmin?x", ..CALL }, "deny admin"),
        (Call { target: "//admin", ..CALL }, "deny admin"),
        (Call { target: "/./admin", ..CALL }, "deny admin"),
        (Call { target: "/admin%2fx", ..CALL }, "deny admin"),
        (Call { target: "/x%5c..%5cadmin", ..CALL }, "deny admin"),
        (Call { target: "/admin;x=1", ..CALL }, "deny admin"),
        (Call { target: "/x;y/../admin%3bz/keys", ..CALL }, "deny admin"),
        (Call { target: "/admin//../x", ..CALL }, "deny admin"),
        (Call { target: "/x/../admin/%2e%2e/y", ..CALL }, "deny admin"),
        (Call { target: "/%c0%ae%c0%ae/admin", ..CALL }, "deny admin"),
        (Call { target: "/admins", ..CALL }, "allow default"),
        (Call { target: "/admins;/admin", ..CALL }, "allow default"),
        (Call { method: "delete", ..CALL }, "deny delete"),
        (Call { authority: "api.example.com:8443", ..CALL }, "deny odd-port"),
    ] {
        assert_eq!(outcome(&policy, &ask), expected, "{} {}", ask.method, ask.target);
    }
}

#[test]
fn a_literal_matches_its_own_spelling() {
    let rules = |action: &str, path: &str| {
        compile(&format!(
            r#"{{"default": "allow", "rules": [{{"name": "r", "action": "{action}", "to": {{"paths": [{path}]}}}}]}}"#
        ))
    };
    for (path, target) in [
        (r#"{"exact": "/caf%C3%A9"}"#, "/caf%c3%a9"),
        (r#"{"exact": "/café"}"#, "/caf%C3%A9"),
        (r#"{"pathPrefix": "/a%20b/"}"#, "/a%20b/c"),
        (r#"{"prefix": "/%61"}"#, "/abc"),
        (r#"{"in": ["/x", "/%7Euser"]}"#, "/~user"),
        (r#"{"suffix": "%20x"}"#, "/a%20x"),
        (r#"{"contains": "%c3%A9", "ignoreCase": true}"#, "/%C3%A9/x"),
        (r#"{"exact": "/%41", "ignoreCase": true}"#, "/a"),
        (r#"{"template": "/b%20c/{id}"}"#, "/b%20c/7"),
    ] {
        let policy = rules("deny", path).unwrap();
        assert_eq!(outcome(&policy, &Call { target, ..CALL }), "deny r", "{path}");
        let policy = rules("allow", path).unwrap();
        assert_eq!(outcome(&policy, &Call { target, ..CALL }), "allow r", "{path}");
    }
    for (path, place) in [
        (r#"{"exact": "/a/../b"}"#, "exact"),
        (r#"{"pathPrefix": "/a//b"}"#, "pathPrefix"),
        (r#"{"pathPrefix": "/a;v=1"}"#, "pathPrefix"),
        (r#"{"prefix": "/a%2fb"}"#, "prefix"),
        (r#"{"in": ["/a", "/%zz"]}"#, "in[1]"),
        (r#"{"suffix": "%c0%ae"}"#, "suffix"),
        (r#"{"contains": "%00"}"#, "contains"),
        (r#"{"template": "/%7Bid%7D"}"#, "template"),
        (r#"{"template": "/a/./{id}"}"#, "template"),
    ] {
        let fault = rules("deny", path).unwrap_err().to_string();
        assert!(fault.contains(&format!("NRW505]: rules[0].to.paths[0].{place}: ")), "{path}: {fault}");
    }
}

#[test]
fn a_rule_without_paths_minds_no_path() {
    let policy =
        compile(r#"{"rules": [{"name": "git", "action": "allow", "to": {"hosts": ["gitlab.com"]}}]}"#)
            .unwrap();
    let ask = Call { authority: "gitlab.com", target: "/api/v4/projects/group%2Fproject", ..CALL };
    assert_eq!(outcome(&policy, &ask), "allow git");
    assert_eq!(
        outcome(&policy, &Call { method: "CONNECT", authority: "gitlab.com:443", target: "", ..CALL }),
        "allow git"
    );
}

/// What is asked for in a tunnel nobody sees: however a rule writes paths, it does not open one, and one that denies
/// some closes it.
#[test]
fn a_tunnel_has_no_path() {
    let tunnel = Call { method: "CONNECT", authority: "api.example:443", target: "", ..CALL };
    for path in [
        r#"{"pathPrefix": "/"}"#,
        r#"{"pathPrefix": "/admin", "invert": true}"#,
        r#"{"regex": ".*"}"#,
        r#"{"exact": "/v1"}"#,
    ] {
        let rule = |action: &str| {
            format!(
                r#"{{"name": "api", "action": "{action}", "to": {{"hosts": ["api.example"], "paths": [{path}]}}}}"#
            )
        };
        let allows = compile(&format!(r#"{{"rules": [{}]}}"#, rule("allow"))).unwrap();
        let refused = outcome(&allows, &tunnel);
        assert!(["deny ambiguous-path", "deny default"].contains(&&*refused), "{path}: {refused}");
        let denies = compile(&format!(r#"{{"default": "allow", "rules": [{}]}}"#, rule("deny"))).unwrap();
        assert_eq!(outcome(&denies, &tunnel), "deny api", "{path}");
    }
}
