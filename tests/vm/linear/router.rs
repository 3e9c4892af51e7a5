//! header-router.

use narrows_vm::Exchange;
use serde_json::{Value, json};

use super::{Costly, are_linear, get, text};

fn rules(rules: impl Iterator<Item = Value>) -> Value {
    let named =
        rules.enumerate().map(|(n, matches)| json!({ "name": format!("r{n}"), "matches": [matches] }));
    json!({ "rules": named.collect::<Vec<_>>() })
}

fn router(name: &'static str, policy: Value, requests: fn(usize) -> Vec<Exchange>) -> Costly {
    Costly { name, filter: "header-router", policy, requests }
}

/// As many expressions as a policy may have of that kind: see `limits::REGEX_WORK`.
fn expressions(most: usize, of: impl Fn(usize) -> String) -> Value {
    rules((0..most).map(|n| json!({ "headers": { "x-a": { "regex": of(n) } } })))
}

/// Values that keep each of them busy to the last byte.
fn values(bytes: usize) -> Vec<Exchange> {
    ["a", "ab", "foo", "foobar", "1", "a1", "foo-", "foo-7-aaaa"]
        .map(|unit| get("/").header("x-a", text("", unit, "!", bytes)))
        .into()
}

#[test]
fn expressions_on_values() {
    are_linear(&[
        router("one that has no table", expressions(1, |_| ".*foo.{0,500}bar.*".into()), values),
        router("one with as many states", expressions(1, |_| "(a|b)*a(a|b){900}".into()), values),
        router("all that look for a text", expressions(40, |n| format!(".*a.*x{n}")), values),
        router("all that start alike", expressions(40, |n| format!("[a-z]+-{n}-.*")), values),
        router("256 that start with a text", expressions(256, |n| format!("foo-{n}-.*")), values),
        router("256 that differ at their start", expressions(256, |n| format!("u{n}-[a-z0-9]+x")), values),
    ]);
}

fn rewritten(bytes: usize) -> Vec<Exchange> {
    [("/", "/v1", "!"), ("/", "a", ""), ("/", "a/", "z"), ("/v1", "/v1", "/legacy"), ("/", "/", "")]
        .map(|(start, unit, end)| get(&text(start, unit, end, bytes)))
        .into()
}

#[test]
fn rewriting_by_an_expression() {
    let by = |regex: &str, replace: &str| json!({ "rules": [{ "name": "r", "rewrite": { "path": { "regex": { "match": regex, "replace": replace } } } }] });
    let redirect = |regex: &str| json!({ "rules": [{ "name": "r", "redirect": { "path": { "regex": { "match": regex, "replace": "/x" } } } }] });
    are_linear(&[
        router("rewrite: an end that may come", by("/v[0-9]+(/.*/legacy)?", "/x"), rewritten),
        router("rewrite: two ways", by("a.*z|a", "b"), rewritten),
        router("rewrite: five groups", by(r"(a|b)*?((/)(.)|(v)\d*)", r"\1\2\3"), rewritten),
        router("rewrite: a long repetition", by("/a.{0,100}z|a", "b"), rewritten),
        router("rewrite: nothing, everywhere", by("x*", "-"), rewritten),
        router("redirect: an end that may come", redirect("/v[0-9]+(/.*/legacy)?"), rewritten),
        router("redirect: two ways", redirect("a.*z|a"), rewritten),
    ]);
}

/// Eight groups of one expression, whose search is paid once.
#[test]
fn groups_of_an_expression() {
    let quoted: Value = (0..8).map(|n| (format!("x-{n}"), json!(format!("%PATH({})%", n % 3)))).collect();
    let by = |regex: &str| {
        json!({ "rules": [{ "name": "r", "matches": [{ "path": { "regex": regex } }],
                            "requestHeaders": { "set": quoted } }] })
    };
    are_linear(&[
        router("groups: two ways", by("/(.*)a(.*)"), rewritten),
        router("groups: short ones", by("/(?:(v)[0-9]+|(.))*"), rewritten),
    ]);
}

/// Queries of many parameters, of about that many bytes.
fn many_parameters(bytes: usize) -> Vec<Exchange> {
    ["a&", "n15=1&", "%6e15=%20&", "&", "x=abcdefgh&"]
        .map(|piece| get(&format!("/?{}", piece.repeat(bytes / piece.len()))))
        .into()
}

#[test]
fn query_parameters_are_edited() {
    let named =
        |what: &str| (0..16).map(|n| (format!("{what}{n}"), json!("%REQ(:method)%"))).collect::<Value>();
    let removed: Vec<String> = (0..16).map(|n| format!("r{n}")).collect();
    let edits = json!({ "set": named("n"), "add": named("m"), "remove": removed });
    let policy = json!({ "rules": [{ "name": "r", "rewrite": { "query": edits } }] });
    are_linear(&[router("rewrite: 48 edits, many parameters", policy, many_parameters)]);
}

/// Headers of many names, of about that many bytes together.
fn many_headers(bytes: usize) -> Vec<Exchange> {
    let with = |prefix: &str, value: &str| {
        (0..bytes / (prefix.len() + 5 + value.len()))
            .fold(get("/"), |exchange, n| exchange.header(format!("{prefix}{n:05}"), value))
    };
    let same =
        |name: &str| (0..bytes / (name.len() + 1)).fold(get("/"), |exchange, _| exchange.header(name, "1"));
    vec![with("x-internal-", "1"), with("z", ""), with("x_internal-a", "abcdefgh"), same("x-internal-user")]
}

#[test]
fn many_headers_are_removed() {
    let patterns = |most: usize| {
        let mut patterns: Vec<String> = (1..most).map(|n| format!("x-internal-{n}-a*")).collect();
        patterns.push("x-internal-*".into());
        patterns
    };
    let remove =
        json!({ "rules": [{ "name": "r", "requestHeaders": { "remove": ["z*", "x-internal-*", "a*"] } }] });
    let strip = json!({ "strip": patterns(64), "rules": [] });
    are_linear(&[
        router("strip: 64 patterns, many headers", strip, many_headers),
        router("remove: many headers", remove, many_headers),
    ]);
}

/// One of the many spellings of a name.
fn spelling(number: usize) -> String {
    let ends = (0..16).map(|bit| if number >> bit & 1 == 1 { "_a" } else { "-a" });
    ["x"].into_iter().chain(ends).collect()
}

#[test]
fn a_header_that_comes_in_many_spellings_is_set() {
    let spelt = |bytes: usize| {
        let fold = |exchange: Exchange, n| exchange.header(spelling(n), "1");
        vec![(1..bytes / 34).fold(get("/"), fold)]
    };
    let set = json!({ "rules": [{ "name": "r", "requestHeaders": { "set": { spelling(0): "1" } } }] });
    are_linear(&[router("set: many spellings", set, spelt)]);
}

#[test]
fn rules_by_many_headers() {
    let read =
        rules((0..1_000).map(|n| json!({ "headers": { format!("x-internal-{n:05}"): { "exact": "2" } } })));
    are_linear(&[router("1,000 rules by header, many headers", read, many_headers)]);
}

#[test]
fn hosts() {
    let hosts = rules(
        (0..1_000).map(|n| json!({ "hosts": [format!("*.h{n}.example.com"), format!("h{n}.example.com")] })),
    );
    let requests: fn(usize) -> Vec<Exchange> = |bytes| {
        [("", "a.", "h1.example.com"), ("", ".", ""), ("", "a:", ""), ("", "A", ""), ("[", "a:", "]")]
            .map(|(start, unit, end)| Exchange::get(&text(start, unit, end, bytes), "/"))
            .into()
    };
    are_linear(&[router("1,000 hosts, long hosts", hosts, requests)]);
}

#[test]
fn templates() {
    let templates =
        rules((0..1_000).map(|n| json!({ "path": { "template": format!("/a/{{x}}/{{y}}/{{z}}/b{n}") } })));
    let requests: fn(usize) -> Vec<Exchange> =
        |bytes| ["a/", "a/a/a/a/b1", "/", "%61"].map(|unit| get(&text("/a/", unit, "/b", bytes))).into();
    are_linear(&[router("1,000 templates", templates, requests)]);
}

#[test]
fn what_quotes_the_request() {
    let values = |quotation: &str, each: usize, most: usize| -> Value {
        (0..most).map(|n| (format!("x-{n}"), json!(quotation.repeat(each)))).collect()
    };
    let edits = |quotation: &str, each: usize, most: usize| json!({ "set": values(quotation, each, most), "add": values(quotation, each, if each == 1 { 0 } else { most }) });
    let policy = |quotation: &str, each, most| {
        let edits = edits(quotation, each, most);
        json!({ "rules": [{ "name": "r", "requestHeaders": edits, "responseHeaders": edits }] })
    };
    let requests: fn(usize) -> Vec<Exchange> = |bytes| {
        vec![
            get(&text("/?", "a=%61&", "q=1", bytes)),
            get(&text("/?q=", "%41", "", bytes)),
            get("/").header("cookie", text("", "a=1; ", "q=1", bytes)),
            get("/").header("x-q", text("", "v", "", bytes)),
            get(&text("/", "p", "", bytes)),
            Exchange::get(&text("", "h", "", bytes), "/"),
        ]
    };
    are_linear(&[
        router("quotes: query", policy("%QUERY_PARAM(q)%", 1, 8), requests),
        router("quotes: cookies", policy("%COOKIE(q)%", 1, 8), requests),
        router("quotes: a header", policy("%REQ(x-q)%", 8, 16), requests),
        router("quotes: path", policy("%PATH%", 8, 16), requests),
        router("quotes: host", policy("%HOST%", 8, 16), requests),
    ]);
}

#[test]
fn rules_by_query_cookie_and_text() {
    let hex = |n: usize| format!("{n:04x}");
    let query = |any: bool| {
        // As many conditions as may look at every value.
        rules((0..if any { 1_000 } else { 5_000 }).map(|n| {
            let test =
                if any { json!({ "exact": hex(n), "repeated": "any" }) } else { json!({ "exact": hex(n) }) };
            if any {
                json!({ "queryParams": { "b": test, "missing": { "exact": "1" } } })
            } else {
                json!({ "queryParams": { "b": test } })
            }
        }))
    };
    let queries: fn(usize) -> Vec<Exchange> = |bytes| {
        let half: String = "a&".repeat(bytes / 4);
        let all: String = (0..bytes / 14).map(|n| format!("&b={n:04x}")).collect();
        vec![get(&format!("/?{half}b=zz{all}")), get(&format!("/?{half}{all}"))]
    };
    let cookies: fn(usize) -> Vec<Exchange> = |bytes| {
        let half: String = "a;".repeat(bytes / 4);
        let all: String = (0..bytes / 16).map(|n| format!("; b={n:04x}")).collect();
        vec![get("/").header("cookie", format!("{half}b=zz{all}"))]
    };
    let texts: fn(usize) -> Vec<Exchange> = |bytes| {
        let half = "a".repeat(bytes / 2);
        let all: String = (0..bytes / 12).map(|n| format!("-{n:04x}-")).collect();
        vec![get("/").header("x-a", format!("{half}{all}")), get(&format!("/{half}{all}"))]
    };
    let contains = |field: &str| {
        rules((0..5_000).map(|n| {
            let test = json!({ "contains": format!("-{}-", hex(n)) });
            let other = json!({ "x-b": { "exact": "1" } });
            if field == "path" {
                json!({ "path": test, "headers": other })
            } else {
                json!({ "headers": { "x-a": test, "x-b": { "exact": "1" } } })
            }
        }))
    };
    let cookie = rules((0..5_000).map(|n| json!({ "cookies": { "b": { "exact": hex(n) } } })));
    are_linear(&[
        router("5,000 rules by query", query(false), queries),
        router("1,000 rules by any query", query(true), queries),
        router("5,000 rules by cookie", cookie, cookies),
        router("5,000 texts in the path", contains("path"), texts),
        router("5,000 texts in a header", contains("header"), texts),
    ]);
}

#[test]
fn explaining() {
    let explain = json!({ "explain": { "header": "x-e", "when": { "headers": { "x-a": { "regex": ".*a.*b" } } } },
        "rules": [{ "name": "r", "route": { "to": "v2" } }] });
    are_linear(&[router("explain, by an expression", explain, values)]);
}
