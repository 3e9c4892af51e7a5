//! In Envoy's own files the order is that of the list.

use super::codes;

#[test]
fn a_chain_of_envoys_is_judged_by_its_order() {
    let own = |filter: &str, policy: &str| {
        format!(
            "{{ name: {filter}, typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, \
             config: {{ name: narrows.{filter}, vm_config: {{ code: {{ local: {{ filename: dist/{filter}.wasm }} }} }}, \
             configuration: {{ \"@type\": type.googleapis.com/google.protobuf.StringValue, value: '{policy}' }} }} }} }}"
        )
    };
    let rbac = |rules: &str, by: &str| {
        format!(
            "{{ name: rbac, typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, \
             {rules}: {{ action: DENY, policies: {{ p: {{ permissions: [{{ and_rules: {{ rules: [{by}] }} }}], \
             principals: [{{ any: true }}] }} }} }} }} }}"
        )
    };
    let path = rbac("rules", "{ url_path: { path: { prefix: /api } } }");
    let host = rbac("rules", "{ header: { name: \":authority\", string_match: { exact: a } } }");
    let user = rbac("rules", "{ header: { name: X-User, string_match: { exact: root } } }");
    let port = rbac("rules", "{ destination_port: 80 }");
    let shadow = rbac("shadow_rules", "{ url_path: { path: { prefix: /api } } }");
    let router = |policy: &str| own("header-router", policy);
    let rewrites = router(
        r#"{"strip": ["x-user"], "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#,
    );
    let reports =
        router(r#"{"mode": "report", "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#);
    let moves = router(r#"{"rules": [{"name": "r", "route": {"authority": "b"}}]}"#);
    let strips = router(r#"{"strip": ["x-user"], "rules": []}"#);
    let restores = own(
        "canary-split",
        r#"{"trust": "mesh", "restoreHost": true, "splits": [{"name": "s", "service": "a.b", "key": [{"header": "u"}],
            "backends": [{"name": "a", "baseline": true}, {"name": "b", "authority": "b", "weight": 5}]}]}"#,
    );
    for (chain, expected) in [
        (vec![&rewrites, &path], &["NRW621"][..]),
        (vec![&path, &rewrites], &[]),
        (vec![&rewrites, &host], &[]),
        (vec![&rewrites, &port, &shadow], &[]),
        (vec![&reports, &path], &[]),
        (vec![&moves, &host], &["NRW621"]),
        (vec![&moves, &path], &[]),
        (vec![&user, &rewrites], &["NRW622"]),
        (vec![&strips, &user, &path, &rewrites], &[]),
        (vec![&user, &strips, &rewrites], &["NRW622", "NRW622"]),
        (vec![&rewrites, &user], &[]),
        (vec![&host, &restores], &["NRW622"]),
        (vec![&restores, &host], &[]),
        (vec![&path, &restores], &[]),
    ] {
        let filters: String = chain.iter().map(|filter| format!("  - {filter}\n")).collect();
        let found = codes(&format!("http_filters:\n{filters}"));
        assert_eq!(found, expected, "{filters}");
    }
}
