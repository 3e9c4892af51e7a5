//! Configurations of Istio's attribute-gen, as its documentation has them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Exchange, Proxy, refusal};

const BOOKS: &str = r#"{"trust": "mesh", "debug": false, "attributes": [
  {"output_attribute": "istio_operationId", "match": [
    {"value": "ListReviews", "condition": "request.url_path == '/reviews' && request.method == 'GET'"},
    {"value": "GetReview", "condition": "request.url_path.matches('^/reviews/[[:alnum:]]*$') && request.method == 'GET'"},
    {"value": "CreateReview", "condition": "request.url_path == '/reviews/' && request.method == 'POST'"},
    {"value": "Static", "condition": "(request.url_path.startsWith('/img/') || request.url_path.startsWith('/css/')) && request.url_path.endsWith('.png')"}]},
  {"output_attribute": "istio_responseClass", "phase": "ON_LOG", "match": [
    {"value": "slowdown", "condition": "response.code == 429"},
    {"value": "2xx", "condition": "response.code >= 200 && response.code <= 299"},
    {"value": "probe", "condition": "request.headers['x-probe'] == 'yes'"},
    {"value": "failed", "condition": "response.code != 0 && response.code > 499"}]}],
  "metrics": [{"name": "requests_total", "tags": ["istio_operationId", "istio_responseClass"]}]}"#;

fn state(method: &str, path: &str, code: u64) -> Vec<String> {
    let mut proxy = Proxy::new(BOOKS, 1);
    let headers: [(&[u8], &[u8]); 3] =
        [(b":method", method.as_bytes()), (b":path", path.as_bytes()), (b"x-probe", b"yes")];
    proxy.serve(0, Exchange { headers: &headers, properties: &[("response.code", &code.to_le_bytes())] });
    proxy.state.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn the_first_condition_that_holds_gives_the_value() {
    assert_eq!(
        state("GET", "/reviews?x=1", 200),
        ["istio_operationId=ListReviews", "istio_responseClass=2xx"]
    );
    assert_eq!(
        state("GET", "/reviews/7a", 429),
        ["istio_operationId=GetReview", "istio_responseClass=slowdown"]
    );
    assert_eq!(
        state("POST", "/reviews/", 503),
        ["istio_operationId=CreateReview", "istio_responseClass=probe"]
    );
    assert_eq!(state("GET", "/css/a.png", 0), ["istio_operationId=Static", "istio_responseClass=probe"]);
    assert_eq!(
        state("GET", "/css/a.css", 200),
        ["istio_responseClass=2xx"],
        "what no rule gives is not published"
    );
    assert_eq!(state("GET", "/x/reviews", 200), ["istio_responseClass=2xx"]);
}

#[test]
fn an_attribute_is_a_tag_too() {
    let mut proxy = Proxy::new(BOOKS, 1);
    proxy.get("/reviews", b"");
    proxy.get("/none", b"");
    assert_eq!(
        proxy.count("istio_operationId=.=ListReviews;.;istio_responseClass=.=2xx;.;requests_total"),
        1
    );
    assert_eq!(proxy.count("istio_operationId=.=;.;istio_responseClass=.=2xx;.;requests_total"), 1);
}

#[test]
fn without_an_answer_no_comparison_of_its_code_holds() {
    for condition in ["response.code < 500", "response.code != 200", "response.code >= 0"] {
        let policy = format!(
            r#"{{"trust": "mesh", "attributes": [{{"output_attribute": "op", "match": [{{"value": "yes", "condition": "{condition}"}}]}}]}}"#
        );
        for properties in [&[][..], &[("response.code", &[0; 8][..])]] {
            let mut proxy = Proxy::new(&policy, 1);
            proxy.serve(0, Exchange { headers: &[], properties });
            assert!(proxy.state.is_empty(), "{condition}: {:?}", proxy.state);
        }
    }
}

#[test]
fn a_part_of_the_path_is_enough_for_matches() {
    let policy = |condition: &str| {
        format!(
            r#"{{"trust": "mesh", "attributes": [{{"output_attribute": "op", "match": [{{"value": "yes", "condition": "{condition}"}}]}}]}}"#
        )
    };
    let holds = |condition: &str, path: &str| {
        let mut proxy = Proxy::new(&policy(condition), 1);
        proxy.get(path, b"acme");
        proxy.state.iter().any(|(name, value)| name == "op" && value == "yes")
    };
    assert!(holds("request.url_path.matches('b+')", "/abba"));
    assert!(!holds("request.url_path.matches('^b')", "/abba"));
    assert!(holds("request.url_path.matches(r'\\\\d$')", "/a1"));
    assert!(holds("request.method != 'POST' && request.url_path != '/b' && request.url_path != '/c'", "/a"));
    assert!(!holds("request.method != 'POST' && request.url_path != '/b' && request.url_path != '/a'", "/a"));
    assert!(holds("request.headers['x-tenant'] != 'b'", "/"));
    assert!(!holds("request.headers['x-none'] != 'b'", "/"));
    assert!(holds("response.code < 500", "/"));
    assert!(holds("request.host == 'shop' || response.code < 100", "/"));
    assert!(holds("true", "/"));
    assert!(!holds("false", "/"));
    assert!(!holds("request.host == '*'", "/"), "a text, not a wildcard");
    assert!(holds("request.host != 'a.example' && request.host.endsWith('op')", "/"));
    assert!(holds("request.path == '/a?b=c' && request.url_path == '/a'", "/a?b=c"));
    assert!(holds("request.method in ['GET', 'HEAD'] && in(request.url_path, ['/a', '/b'])", "/b"));
    assert!(!holds("request.url_path in ['/a']", "/b"));
    assert!(holds("response.code in [200, 404] && !(response.code in [500])", "/"));
    assert!(!holds("response.code in [500, 404]", "/"));
    assert!(holds("'x-tenant' in request.headers && !('x-none' in request.headers)", "/"));
    assert!(!holds("'x-none' in request.headers", "/"));
}

#[test]
fn a_negation_is_of_what_is_known() {
    let holds = |condition: &str| {
        let mut proxy = Proxy::new(
            &format!(
                r#"{{"trust": "mesh", "attributes": [{{"output_attribute": "op", "match": [{{"value": "yes", "condition": "{condition}"}}]}}]}}"#
            ),
            1,
        );
        proxy.get("/a", b"acme");
        !proxy.state.is_empty()
    };
    for (condition, is_met) in [
        ("!(request.method == 'POST')", true),
        ("!request.url_path.startsWith('/a')", false),
        ("!!request.url_path.startsWith('/a')", true),
        ("!(request.method == 'GET' && request.url_path == '/b')", true),
        ("!(request.method == 'GET' || request.url_path == '/b')", false),
        ("!(request.method != 'GET' || request.url_path in ['/b', '/c'])", true),
        ("!(response.code == 200)", false),
        ("!(response.code in [404, 503] || response.code < 200)", true),
        ("!true || !false", true),
        // A comparison with a missing value is neither true nor false.
        ("!(request.headers['x-none'] == 'a')", false),
        ("!(request.headers['x-none'] == 'a' && false)", true),
        ("!(response.grpc_status == 0)", false),
        ("request.headers['x-none'] == 'a' || true", true),
    ] {
        assert_eq!(holds(condition), is_met, "{condition}");
    }
}

#[test]
fn a_match_without_a_condition_is_the_default() {
    for default in [r#"{"value": "x-normal"}"#, r#"{"value": "x-normal", "condition": ""}"#] {
        let policy = format!(
            r#"{{"trust": "mesh", "attributes": [{{"output_attribute": "op", "match": [
                {{"value": "x-gray", "condition": "request.headers['x-tenant'] == 'ann'"}}, {default}]}}]}}"#
        );
        let mut proxy = Proxy::new(&policy, 1);
        proxy.get("/", b"ann");
        assert_eq!(proxy.state, [("op".to_owned(), "x-gray".to_owned())]);
        proxy.get("/", b"bob");
        assert_eq!(proxy.state, [("op".to_owned(), "x-normal".to_owned())]);
    }
}

#[test]
fn the_status_of_grpc_is_a_number() {
    let policy = r#"{"trust": "mesh", "attributes": [{"output_attribute": "op", "match": [
        {"value": "OK", "condition": "response.grpc_status == 0"},
        {"value": "retry", "condition": "response.grpc_status in [8, 14]"}]}]}"#;
    let state = |status: Option<u64>| {
        let mut proxy = Proxy::new(policy, 1);
        let status = status.map(u64::to_le_bytes);
        let properties = status.iter().map(|status| ("response.grpc_status", status.as_slice()));
        proxy.serve(0, Exchange { headers: &[], properties: &properties.collect::<Vec<_>>() });
        proxy.state.into_iter().map(|(_, value)| value).collect::<String>()
    };
    assert_eq!([state(Some(0)), state(Some(14)), state(Some(5)), state(None)], ["OK", "retry", "", ""]);
}

#[test]
fn no_value_has_a_word_in_metrics_only() {
    let policy = BOOKS.replace(
        r#""output_attribute": "istio_operationId","#,
        r#""output_attribute": "istio_operationId", "missing": "none","#,
    );
    let mut proxy = Proxy::new(&policy, 1);
    proxy.get("/none", b"");
    assert_eq!(proxy.count("istio_operationId=.=none;.;istio_responseClass=.=2xx;.;requests_total"), 1);
    assert_eq!(proxy.state, [("istio_responseClass".to_owned(), "2xx".to_owned())]);
    let taken = refusal(&policy.replace("none", "ListReviews"));
    assert!(taken.contains("NRW110") && taken.contains("attributes[0].match[0].value"), "{taken}");
}

#[test]
fn what_is_not_supported_is_named() {
    let refused = |condition: &str| {
        refusal(&format!(
            r#"{{"attributes": [{{"output_attribute": "op", "match": [{{"value": "v", "condition": "{condition}"}}]}}]}}"#
        ))
    };
    for (condition, named) in [
        ("request.size > 10", "\"request.size\" is not supported"),
        ("destination.port == 80", "\"destination.port\" is not supported"),
        ("request.url_path.lowerAscii() == 'a'", "the function \"lowerAscii\" is not supported"),
        ("!request.size", "\"request.size\" is not supported"),
        ("has(request.useragent)", "\"has\" is not supported"),
        ("request.method in []", "\"]\" is not a text in quotes"),
        ("request.method in ['GET'", "\"]\" is missing before \"the end\""),
        ("'a' == request.method", "\"in\" is missing before \"==\""),
        ("request.url_path = '/a'", "\"=\" is not a comparison of request.url_path"),
        ("request.method == GET", "\"GET\" is not a text in quotes"),
        ("response.code == '200'", "response.code is compared with a number"),
        ("response.grpc_status in ['OK']", "response.grpc_status is compared with a number"),
        ("request.method == 'GET' request", "\"request\" is not understood here"),
        ("(request.method == 'GET'", "\")\" is missing before \"the end\""),
        ("request.url_path == '/a", "a quote is not closed"),
        (" ", "\"the end\" is not supported"),
    ] {
        let message = refused(condition);
        assert!(message.contains("NRW304") && message.contains(named), "{condition}: {message}");
        assert!(message.contains("attributes[0].match[0].condition"), "{message}");
    }
    assert!(refused("request.url_path.matches('(')").contains("NRW501"));
    let unbalanced = refused("request.url_path.matches('a)|(b')");
    assert!(unbalanced.contains("NRW501") && unbalanced.contains("\"a)|(b\""), "{unbalanced}");
    assert!(refused("request.url_path == 'a'").contains("NRW505"));
}

#[test]
fn a_phase_without_an_answer_refuses_to_ask_for_it() {
    let policy = |phase: &str, condition: &str| {
        format!(
            r#"{{"attributes": [{{"output_attribute": "op", "phase": "{phase}", "match": [{{"value": "v", "condition": "{condition}"}}]}}]}}"#
        )
    };
    for phase in ["AFTER_RESPONSE", "PHASE_UNSPECIFIED", "ON_LOG"] {
        Proxy::new(&policy(phase, "response.code == 200"), 1);
    }
    Proxy::new(&policy("ON_REQUEST", "request.method == 'GET'"), 1);
    let refused = refusal(&policy("ON_REQUEST", "request.method == 'GET' || response.code == 200"));
    assert!(refused.contains("NRW304") && refused.contains("there is no answer yet"), "{refused}");
}
