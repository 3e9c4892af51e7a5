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
        ("!(request.method == 'GET')", "\"!(request.method\" is not supported"),
        ("request.url_path = '/a'", "\"=\" is not a comparison of request.url_path"),
        ("request.method == GET", "\"GET\" is not a text in quotes"),
        ("response.code == '200'", "response.code is compared with a number"),
        ("response.code in [200]", "\"in\" is not a comparison of response.code"),
        ("request.method == 'GET' request", "\"request\" is not understood here"),
        ("(request.method == 'GET'", "\")\" is missing before \"the end\""),
        ("request.url_path == '/a", "a quote is not closed"),
        ("request.host.startsWith('a')", "a host can only be compared with =="),
        ("", "\"the end\" is not supported"),
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
