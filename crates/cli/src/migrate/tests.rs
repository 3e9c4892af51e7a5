//! Every configuration of `tests/data/migrate`: its policy loads, its cases hold, and what cannot be said is
//! refused.

mod misspelt;

use std::path::Path;

use narrows_core::PolicyValue;

use super::difference::Kind;
use super::{Made, Migration, migrate};
use crate::source::SourceFile;
use crate::write::{json, yaml};

fn run(text: &str) -> Migration {
    let source = SourceFile { path: "old.yaml".to_owned(), text: text.to_owned() };
    let Ok(migration) = migrate(&[source], &[]) else { panic!("nothing is converted of {text}") };
    migration
}

fn made(text: &str) -> Made {
    let migration = run(text);
    let said = format!("{:#?}", migration.differences);
    migration.made.unwrap_or_else(|| panic!("{said}"))
}

fn policy(text: &str) -> serde_json::Value {
    serde_json::from_str(&json::lines(&made(text).policy)).unwrap()
}

/// What is refused, in the order of the text.
fn refused(text: &str) -> Vec<String> {
    let migration = run(text);
    assert!(migration.made.is_none(), "{text}");
    migration.differences.into_iter().filter(|one| one.kind == Kind::Refused).map(|one| one.what).collect()
}

#[test]
fn cases_hold_what_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/migrate");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let made = made(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(made.without_case, Vec::<String>::new(), "{}", path.display());
        count += made.cases.len();
        let text = [
            ("policy".to_owned(), made.policy.clone()),
            ("cases".to_owned(), PolicyValue::List(made.cases.clone())),
        ];
        let text = yaml::document(&PolicyValue::Table(text.to_vec()));
        let written = narrows_cases::Written::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let filter = narrows_model::Filter::named(made.filter.name()).unwrap();
        let policy = filter.compile(&made.policy).unwrap();
        for case in &written.cases {
            let wrong = narrows_model::disagreements(&case.expect, &policy.run(case));
            assert!(wrong.is_empty(), "{}: {}: {wrong:?}\n{text}", path.display(), case.name);
        }
    }
    assert!(count > 100, "{count}");
}

/// A `VirtualService` with these routes.
fn service(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: v, namespace: n }}\n\
         spec:\n  hosts: [a.example.com]\n  gateways: [g]\n  http: {http}\n"
    )
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    for (http, what) in [
        ("[{ match: [{ port: 80 }], route: [{ destination: { host: a } }] }]", "\"port\" is not converted"),
        ("[{ delegate: { name: b } }]", "\"delegate\" is not converted"),
        ("[{ route: [{ destination: { host: a } }], new: 1 }]", "\"new\" of a route is not converted"),
        (
            "[{ match: [{ authority: { prefix: a } }], route: [{ destination: { host: a } }] }]",
            "an authority that is not \"exact\" is not converted",
        ),
        (
            "[{ headers: { request: { set: { x: '%DURATION%' } } }, route: [{ destination: { host: a } }] }]",
            "the value \"%DURATION%\" quotes what a policy cannot quote",
        ),
        (
            "[{ match: [{ uri: { regex: '(?=x)' } }], route: [{ destination: { host: a } }] }]",
            "no policy can say this",
        ),
        (
            "[{ redirect: { derivePort: FROM_REQUEST_PORT } }]",
            "\"derivePort: FROM_REQUEST_PORT\" is not converted",
        ),
    ] {
        let said = refused(&service(http));
        assert!(said.iter().any(|said| said.starts_with(what)), "{http}: {said:?}");
    }
    let canary = |annotation: &str| {
        let ingress = |name: &str, annotations: &str| {
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{ name: {name}, annotations: {{ {annotations} }} }}\n\
                 spec: {{ rules: [{{ host: a, http: {{ paths: [{{ path: /, pathType: Prefix, \
                 backend: {{ service: {{ name: {name} }} }} }}] }} }}] }}\n"
            )
        };
        let prefix = "nginx.ingress.kubernetes.io/";
        let own = format!("{prefix}canary: 'true', {prefix}{annotation}");
        format!("{}---\n{}", ingress("main", ""), ingress("canary", &own))
    };
    assert!(refused(&canary("affinity: cookie"))[0].starts_with("cookie affinity"));
    assert!(refused(&canary("canary-weight: '1x'"))[0].contains("not a whole number"));
    assert!(refused(&canary("rewrite-target: /$1"))[0].contains("rewrite-target"));
}

#[test]
fn a_policy_is_the_simplest_that_says_it() {
    let one = "[{ match: [{ uri: { prefix: /a } }], route: [{ destination: { host: b } }] }, \
                { route: [{ destination: { host: c } }] }]";
    let router = policy(&service(one));
    assert_eq!(router["filter"], "header-router");
    assert_eq!(router["rules"].as_array().unwrap().len(), 1, "the last route needs no rule: {router}");
    let split = "[{ match: [{ headers: { x: { exact: gold } } }], route: [{ destination: { host: b } }] }, \
                 { route: [{ destination: { host: a }, weight: 90 }, { destination: { host: b }, weight: 10 }] }]";
    let folded = policy(&service(split));
    assert_eq!(folded["filter"], "canary-split");
    assert_eq!(folded["splits"][0]["include"][0]["backend"], "b");
    let both = split.replace("[{ destination: { host: b } }] }", "[{ destination: { host: z } }] }");
    assert_eq!(policy(&service(&both))["filter"], "narrows");
}

/// What differs is said, with its place: a word of each message, and the line.
#[test]
fn differences_are_listed_with_their_places() {
    let said = |text: &str| -> Vec<(usize, String)> {
        let source = SourceFile { path: "old.yaml".to_owned(), text: text.to_owned() };
        let all = run(text).differences;
        all.into_iter().map(|one| (source.position(one.at.start).0, one.what)).collect()
    };
    let has = |all: &[(usize, String)], line: usize, word: &str| {
        assert!(all.iter().any(|(at, what)| *at == line && what.contains(word)), "{line} {word}: {all:?}");
    };
    let http = "\n  - match: [{ queryParams: { q: { exact: a } } }]\n    rewrite: { uri: /a/ }\n    \
                timeout: 1s\n    route: [{ destination: { host: b } }]\n  - redirect: { scheme: https }\n  \
                - match: [{ scheme: { exact: https } }]\n    headers: { request: { set: { x: z } } }\n    \
                route: [{ destination: { host: b }, weight: 1 }, { destination: { host: c }, weight: 1 }]\n";
    let all = said(&service(http));
    for (line, word) in [
        (8, "percent-decoded"),
        (9, "x-envoy-original-path"),
        (10, "\"timeout\" stays"),
        (12, "the request itself"),
        (12, "a port that the caller wrote"),
        (12, "lower case"),
        (13, "x-forwarded-proto"),
        (14, "under every spelling"),
        (13, "the baseline serves"),
    ] {
        has(&all, line, word);
    }
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: a, annotations: \
                   { nginx.ingress.kubernetes.io/limit-rps: '1' } }\nspec: { rules: [{ host: a, http: \
                   { paths: [{ path: /x, backend: { service: { name: a } } }] } }] }\n";
    let canary =
        ingress.replace("limit-rps: '1'", "canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '1'");
    let all = said(&format!("{ingress}---\n{canary}"));
    has(&all, 3, "\"limit-rps\" is about no canary");
    has(&all, 4, "compares the characters");
}

/// What `istioctl proxy-config routes -o json` prints has other spellings.
#[test]
fn envoys_fields_may_be_spelt_as_istioctl_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/migrate/envoy.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut camel = String::new();
    let mut words = text.split('_');
    camel.push_str(words.next().unwrap());
    for word in words {
        // Enumerations keep their underscores.
        let is_field = word.starts_with(|c: char| c.is_ascii_lowercase());
        let head = word.chars().next().unwrap();
        if !is_field {
            camel.push('_');
        }
        camel.push(head.to_ascii_uppercase());
        camel.push_str(&word[head.len_utf8()..]);
    }
    assert!(camel.contains("virtualHosts") && camel.contains("OVERWRITE_IF_EXISTS_OR_ADD"), "{camel}");
    assert_eq!(policy(&camel), policy(&text));
}

#[test]
fn the_same_text_gives_the_same_policy() {
    let text = service("[{ match: [{ headers: { b: {}, a: {} } }], route: [{ destination: { host: b } }] }]");
    assert_eq!(policy(&text), policy(&text));
}

/// A `VirtualService` of the mesh for these hosts.
fn of_mesh(hosts: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: v, namespace: shop }}\n\
         spec:\n  hosts: {hosts}\n  http: [{{ route: [{{ destination: {{ host: orders }}, weight: 9 }}, \
         {{ destination: {{ host: orders-canary }}, weight: 1 }}] }}]\n"
    )
}

#[test]
fn a_service_has_several_names() {
    for hosts in [
        "[orders]",
        "[orders.shop.svc.cluster.local]",
        "[orders, orders.shop, orders.shop.svc, orders.shop.svc.cluster.local]",
        "[orders.shop, orders]",
    ] {
        let split = &policy(&of_mesh(hosts))["splits"][0];
        assert_eq!(split["service"], "orders.shop", "{hosts}: {split}");
        assert_eq!(split["hosts"], serde_json::Value::Null, "{hosts}: {split}");
    }
    // These are another service, or none.
    for hosts in ["[orders, carts]", "[orders, orders.other]", "[orders, shop.example.com]"] {
        let said = refused(&of_mesh(hosts));
        assert!(said[0].contains("\"orders\" is a service, and other hosts are beside it"), "{said:?}");
    }
    let split = &policy(&of_mesh("[shop.example.com, '*.shop.example.com']"))["splits"][0];
    assert_eq!(split["hosts"].as_array().map(Vec::len), Some(2), "{split}");
}

#[test]
fn a_policy_is_attached_where_its_configuration_decided() {
    let places = |text: &str| -> Vec<String> {
        made(text).attach.iter().map(|place| place.options.join(" ")).collect()
    };
    let callers = "--as wasm-plugin --mode CLIENT --namespace shop";
    assert_eq!(places(&of_mesh("[orders]")), [callers]);
    let edge = "--as wasm-plugin --namespace istio-system --selector istio=ingressgateway";
    assert_eq!(places(&service("[{ route: [{ destination: { host: a } }] }]")), [edge]);
    let both = of_mesh("[orders]").replace("  http:", "  gateways: [mesh, edge/g]\n  http:");
    assert_eq!(places(&both), [callers, edge]);
    let route = |parent: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: r, namespace: shop }}\n\
             spec: {{ parentRefs: [{parent}], rules: [{{ backendRefs: [{{ name: a, port: 80 }}] }}] }}\n"
        )
    };
    assert_eq!(
        places(&route("{ name: edge, namespace: infra }")),
        ["--as wasm-plugin --target Gateway/edge --namespace infra"]
    );
    assert_eq!(places(&route("{ group: '', kind: Service, name: a, port: 80 }")), [callers]);
}
