//! What a decision counts and explains.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::language::limits;

#[test]
fn counts_by_rule_and_destination() {
    let policy = compile(DESIGN).unwrap();
    let names = |ask: &Call<'_>| -> Vec<String> {
        decide(&policy, ask)
            .0
            .count
            .iter()
            .map(|series| policy.common().series[*series].name.to_string())
            .collect()
    };
    assert_eq!(
        names(&Call { authority: "x.adyen.com", ..CHECKOUT }),
        [
            "rule=.=payments;.;action=.=allow;.;narrows_egress_requests_total",
            "destination=.=*.adyen.com;.;action=.=allow;.;narrows_egress_destinations_total"
        ]
    );
    assert_eq!(
        names(&Call { authority: "a.vendor.example", ..CHECKOUT }),
        [
            "rule=.=default;.;action=.=deny;.;narrows_egress_requests_total",
            "destination=.=unlisted;.;action=.=deny;.;narrows_egress_destinations_total",
            "rule=.=new-vendor;.;action=.=would-allow;.;narrows_egress_requests_total"
        ]
    );
}

/// As many destinations as are counted apart, and 48 more: the first have a series each, the others one.
#[test]
fn destinations_beyond_the_most_are_counted_as_other() {
    let rule = |first: usize| {
        let hosts: Vec<_> =
            (first..first + limits::HOSTS).map(|host| format!("\"h{host}.example\"")).collect();
        let hosts = hosts.join(",");
        format!(r#"{{"name": "r{first}", "action": "allow", "to": {{"hosts": [{hosts}]}}}}"#)
    };
    let all = limits::DESTINATIONS + 48;
    let rules: Vec<_> = (0..all).step_by(limits::HOSTS).map(rule).collect();
    let policy = compile(&format!(r#"{{"rules": [{}]}}"#, rules.join(","))).unwrap();
    let counted = |host: usize| {
        let authority = format!("h{host}.example");
        let (decision, verdict) = decide(&policy, &Call { authority: &authority, ..CALL });
        assert_eq!(verdict.action, Action::Allow, "{host}");
        let names = decision.count.iter().map(|series| &*policy.common().series[*series].name);
        let of_destinations = names.filter_map(|name| name.strip_suffix("narrows_egress_destinations_total"));
        of_destinations.collect::<Vec<_>>().join(" ")
    };
    for host in [0, 1, limits::DESTINATIONS - 1] {
        assert_eq!(counted(host), format!("destination=.=h{host}.example;.;action=.=allow;.;"));
    }
    for host in [limits::DESTINATIONS, limits::DESTINATIONS + 1, all - 1] {
        assert_eq!(counted(host), "destination=.=other;.;action=.=allow;.;", "{host}");
    }
    let is_of_hosts = |name: &str| name.contains(".example;.;") || name.contains("destination=.=other;.;");
    let series = policy.common().series.iter().filter(|series| is_of_hosts(&series.name));
    assert_eq!(series.count(), limits::DESTINATIONS + 1);
}

#[test]
fn the_decision_is_explained() {
    let policy = compile(r#"{"explain": {"when": {}}, "rules": [{"name": "v1", "action": "allow", "to": {"paths": [{"pathPrefix": "/v1"}]}}]}"#).unwrap();
    let record = |ask: &Call<'_>| match &decide(&policy, ask).0.response[..] {
        [Edit::Add(name, value)] if name == "x-narrows-explain" => String::from_utf8(value.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        record(&Call { authority: "A.example:443", target: "/v1%2f", ..CALL }),
        "filter=egress-policy; denied; rule=ambiguous-path; destination=a.example:443; reason=path-separator"
    );
    assert_eq!(
        record(&Call { authority: "a@b", ..CALL }),
        "filter=egress-policy; denied; rule=ambiguous-host; reason=userinfo"
    );
}

#[test]
fn bad_policies_are_refused_with_their_place() {
    let fault = |policy: &str| compile(policy).unwrap_err().to_string();
    let to = |to: &str| fault(&format!(r#"{{"rules": [{{"name": "r", "action": "allow", "to": {to}}}]}}"#));
    assert!(to(r#"{"hosts": ["https://a.example/"]}"#).contains("NRW502]: rules[0].to.hosts[0]: "));
    assert!(to(r#"{"hosts": ["a.example:443"]}"#).contains("\"ports\""));
    for host in ["*.10.0.0.1", "a.b*c*.example", "10.0.0.*", "**.example", "exämple", "010.0.0.1", "*.", ""]
    {
        assert!(to(&format!(r#"{{"hosts": ["{host}"]}}"#)).contains("NRW502"), "{host}");
    }
    for bad in [
        r#"{"hosts": []}"#,
        r#"{"ports": [0]}"#,
        r#"{"ports": []}"#,
        r#"{"methods": ["get"]}"#,
        r#"{"paths": [{"pathPrefix": "v1"}]}"#,
        r#"{"host": ["a"]}"#,
    ] {
        assert!(to(bad).contains("rules[0].to"), "{bad}");
    }
    for bad in [
        r#"{"rules": [{"name": "default", "action": "deny"}]}"#,
        r#"{"rules": [{"name": "r"}]}"#,
        r#"{"rules": [{"name": "r", "action": "deny", "from": {}}]}"#,
        r#"{"rules": [{"name": "r", "action": "deny", "from": {"namespaces": ["A"]}}]}"#,
        r#"{"rules": [{"name": "r", "action": "deny"}, {"name": "r", "action": "deny"}]}"#,
        r#"{"default": "open"}"#,
        r#"{"response": {"status": 200}}"#,
        r#"{"learn": {"maxHosts": 0}}"#,
        r#"{"learn": {"logEvery": "1s"}}"#,
        r#"{"requestHeaders": {"remove": ["*"]}}"#,
        r#"{"filter": "header-router"}"#,
    ] {
        assert!(compile(bad).is_err(), "{bad}");
    }
    // Addresses in a policy have one form too.
    let policy =
        compile(r#"{"rules": [{"name": "r", "action": "allow", "to": {"hosts": ["0x8080808"]}}]}"#).unwrap();
    assert_eq!(outcome(&policy, &Call { authority: "8.8.8.8", ..CALL }), "allow r");
}
