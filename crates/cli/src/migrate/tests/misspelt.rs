//! What is misspelt is refused, whatever language it is in: nothing is left out silently.

use super::{run, service};
use crate::migrate::difference::Kind;

/// What is refused of a text, each with its help.
fn refused(text: &str) -> Vec<(String, String)> {
    let migration = run(text);
    assert!(migration.made.is_none(), "{text}");
    let refused = migration.differences.into_iter().filter(|one| one.kind == Kind::Refused);
    refused.map(|one| (one.what, one.help)).collect()
}

fn assert_refused(text: &str, what: &str, help: &str) {
    let said = refused(text);
    assert!(
        said.iter().any(|(w, h)| w.contains(what) && h.contains(help)),
        "{what}, {help}: {said:#?}\n{text}"
    );
}

#[test]
fn of_a_virtual_service() {
    for (destination, what, help) in [
        ("{ host: a, subest: v2 }", "\"subest\" of a destination", "did you mean \"subset\"?"),
        ("{ hosst: a }", "\"hosst\" of a destination", "did you mean \"host\"?"),
        ("{ subset: v1 }", "a destination without a host", "\"host\""),
        ("{ host: 5 }", "\"host\" is not a text", "quotes"),
        ("{ host: a, prot: { number: 80 } }", "\"prot\" of a destination", "did you mean \"port\"?"),
        ("{ host: a, port: { number: 80800 } }", "80800 is no port", "1 to 65535"),
        ("{ host: a, port: { number: eighty } }", "\"number\" is not a whole number", "a number"),
        ("{ host: a, port: { numbr: 80 } }", "\"numbr\" of a port", "did you mean \"number\"?"),
    ] {
        assert_refused(&service(&format!("[{{ route: [{{ destination: {destination} }}] }}]")), what, help);
    }
    let right = service("[{ match: [{ uri: { exact: /a } }], route: [{ destination: { host: a } }] }]");
    for (old, new, what, help) in [
        ("exact", "exat", "\"exat\" of a StringMatch", "did you mean \"exact\"?"),
        ("uri:", "urri:", "\"urri\" of a match", "did you mean \"uri\"?"),
        ("gateways: [g]", "gateways: [5]", "\"gateways\" has something that is no text", "quote it"),
        ("gateways: [g]", "gateways: [g]\n  exportTo: [5]", "\"exportTo\" has something", "quote it"),
        ("  hosts", "  hots", "\"hots\" of a VirtualService", "did you mean \"hosts\"?"),
        ("spec:", "spce:", "\"spce\" of a VirtualService", "did you mean \"spec\"?"),
        ("{ uri: { exact: /a } }", "{ headers: [x] }", "\"headers\" is not a table", "write its fields"),
        (
            "{ uri: { exact: /a } }",
            "{ queryParams: x }",
            "\"queryParams\" is not a table",
            "write its fields",
        ),
    ] {
        assert!(right.contains(old), "{old}");
        assert_refused(&right.replace(old, new), what, help);
    }
}

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: r, namespace: shop }\n\
    spec:\n  parentRefs: [{ name: edge }]\n  rules: [{ matches: [{ path: { value: /a } }], \
    filters: [{ type: RequestMirror, requestMirror: {} }], backendRefs: [{ name: a, port: 80 }] }]\n";

#[test]
fn of_an_http_route() {
    for (old, new, what, help) in [
        ("{ name: edge }", "{ name: edge, kidn: Service }", "\"kidn\" of a parent", "did you mean \"kind\"?"),
        ("port: 80", "port: 80800", "80800 is no port", "1 to 65535"),
        ("port: 80", "prot: 80", "\"prot\" of a backend", "did you mean \"port\"?"),
        ("value: /a", "vlaue: /a", "\"vlaue\" of a path", "did you mean \"value\"?"),
        (
            "type: RequestMirror",
            "type: RequestMiror",
            "the filter \"RequestMiror\"",
            "did you mean \"RequestMirror\"?",
        ),
        ("  rules", "  ruls", "\"ruls\" of an HTTPRoute", "did you mean \"rules\"?"),
    ] {
        assert!(ROUTE.contains(old), "{old}");
        assert_refused(&ROUTE.replace(old, new), what, help);
    }
}

const INGRESSES: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: main }\n\
    spec: { rules: [{ host: a, http: { paths: [{ path: /, pathType: Prefix, \
    backend: { service: { name: main, port: { number: 80 } } } }] } }] }\n---\n\
    apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: canary, annotations: { \
    nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '10' } }\n\
    spec: { rules: [{ host: a, http: { paths: [{ path: /, pathType: Prefix, \
    backend: { service: { name: canary, port: { number: 80 } } } }] } }] }\n";

#[test]
fn of_an_ingress() {
    for (old, new, what, help) in [
        ("'true'", "true", "\"canary\" is not a text", "in quotes"),
        ("'true'", "'ture'", "\"canary\" is neither", "\"true\""),
        (
            "canary-weight",
            "canary-wieght",
            "no annotation \"canary-wieght\"",
            "did you mean \"canary-weight\"?",
        ),
        ("host: a", "hosst: a", "\"hosst\" of a rule", "did you mean \"host\"?"),
        ("pathType", "pathTyp", "\"pathTyp\" of a path", "did you mean \"pathType\"?"),
        ("service:", "servce:", "\"servce\" of a backend", "did you mean \"service\"?"),
        ("number: 80", "nmber: 80", "\"nmber\" of a port", "did you mean \"number\"?"),
    ] {
        assert!(INGRESSES.contains(old), "{old}");
        assert_refused(&INGRESSES.replace(old, new), what, help);
    }
}

const HOSTS: &str = "virtual_hosts:\n- name: h\n  domains: ['*']\n  routes:\n  - match: { prefix: /, case_sensitive: true, \
    headers: [{ name: x, string_match: { exact: y } }] }\n    route: { cluster: a }\n\
    \x20 - match: { prefix: /old }\n    redirect: { path_redirect: /new, response_code: FOUND }\n";

#[test]
fn of_virtual_hosts() {
    for (old, new, what, help) in [
        ("domains", "domians", "a virtual host without \"domains\"", "\"*\" is every host"),
        ("case_sensitive: true", "case_sensitive: 'false'", "neither true nor false", "write true or false"),
        ("exact: y", "exat: y", "\"exat\" of a text condition", "did you mean \"exact\"?"),
        ("exact: y", "exat: y, safe_regex: { regex: z }", "\"exat\" of a text condition", "did you mean"),
        ("FOUND", "FUOND", "the response_code \"FUOND\"", "\"FOUND\""),
        (
            "path_redirect",
            "path_redirct",
            "\"path_redirct\" of a redirect",
            "did you mean \"path_redirect\"?",
        ),
    ] {
        assert!(HOSTS.contains(old), "{old}");
        assert_refused(&HOSTS.replace(old, new), what, help);
    }
}

#[test]
fn of_plugins() {
    let tag = "conditionGroups:\n- { headerName: x-tag, headerValue: gray, logic: and, conditions: \
               [{ conditionType: header, key: role, operator: equal, value: [qa] }] }\n";
    assert_refused(
        &tag.replace("operator", "operater"),
        "\"operater\" of a condition",
        "did you mean \"operator\"?",
    );
    let gray = "grayKey: uid\nrules: [{ name: r, grayKeyValue: [a] }]\nbaseDeployment: { version: b }\n\
                grayDeployments: [{ name: r, version: g, enabled: true }]\n";
    assert_refused(
        &gray.replace("version: g", "versoin: g"),
        "\"versoin\" of a deployment",
        "did you mean \"version\"?",
    );
}
