//! An oracle: every value over a small alphabet that a proxy lets through, given to the filter itself. A
//! text is called impossible if and only if no such value meets the condition.

use narrows_core::router::Router;
use narrows_core::{Policy, PolicyValue, Request};

use super::{Carrier, Part};

/// The characters that make a difference, and some that make none.
const ALPHABET: [char; 8] = ['a', '/', ' ', '\t', '\n', ';', '?', '#'];

/// Every text of these characters, up to that length.
fn texts(longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|text| ALPHABET.map(|c| format!("{text}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// What goes over the wire, as RFC 9112 and RFC 6265 have it, and Envoy enforces it: apart from the code
/// under test, and the other way round.
fn sent(carrier: Carrier, longest: usize) -> Vec<String> {
    let mut all = texts(longest);
    all.retain(|text| match carrier {
        Carrier::Header | Carrier::Cookie => !text.contains('\n'),
        Carrier::Path => text.starts_with('/') && !text.contains(['\n', '\t', ' ', '#']),
        Carrier::Method => !text.is_empty() && !text.contains(['\n', '\t', ' ', '/', ';', '?']),
        Carrier::Query => true,
    });
    all
}

#[test]
fn a_text_is_impossible_if_no_value_meets_it() {
    let mut impossible = 0;
    for carrier in [Carrier::Header, Carrier::Cookie, Carrier::Path, Carrier::Method] {
        let values = sent(carrier, 4);
        for (part, word) in [
            (Part::Whole, "exact"),
            (Part::Start, "prefix"),
            (Part::End, "suffix"),
            (Part::Inside, "contains"),
        ] {
            for text in texts(2) {
                let Some(policy) = policy(carrier, word, &text) else { continue };
                let is_met = values.iter().any(|value| meets(&policy, carrier, value));
                let lacks = carrier.lacks(part, &text);
                assert_eq!(lacks.is_none(), is_met, "{carrier:?} {word} {text:?}: {lacks:?}");
                impossible += usize::from(!is_met);
            }
        }
    }
    assert!(impossible >= 300, "{impossible} texts are impossible");
}

/// What an expression is made of.
const PARTS: [&str; 18] = [
    "a",
    "/",
    " ",
    "\\n",
    ";",
    "\\?",
    "#",
    ".",
    "[^/]",
    "[^;]",
    "\\s",
    "\\S",
    "a*",
    "[ \\n]+",
    "\\b",
    "^",
    "$",
    "[^\\x00-\\xff]",
];

#[test]
fn an_expression_is_impossible_if_no_value_meets_it() {
    let mut expressions: Vec<String> = PARTS.map(str::to_owned).to_vec();
    expressions.extend(PARTS.iter().flat_map(|one| PARTS.map(|two| format!("{one}{two}"))));
    expressions.extend(PARTS.iter().flat_map(|one| PARTS.map(|two| format!("{one}a?{two}"))));
    let mut impossible = 0;
    for carrier in [Carrier::Header, Carrier::Cookie, Carrier::Path, Carrier::Method, Carrier::Query] {
        let mut values = sent(carrier, 3);
        if carrier == Carrier::Path {
            // `CONNECT` has none.
            values.push(String::new());
        }
        for text in &expressions {
            let policy = policy(carrier, "regex", text).unwrap();
            let is_met = values.iter().any(|value| meets(&policy, carrier, value));
            let lacks = carrier.lacks_match(text, false);
            assert_eq!(lacks.is_none(), is_met, "{carrier:?} {text:?}: {lacks:?}");
            impossible += usize::from(!is_met);
        }
    }
    assert!(impossible >= 500, "{impossible} expressions are impossible");
}

/// A rule for the requests with such a value; `None` if the filter refuses it.
fn policy(carrier: Carrier, word: &str, text: &str) -> Option<Router> {
    let test = format!("{{ {word:?}: {} }}", serde_json::Value::from(text));
    let condition = match carrier {
        Carrier::Header => format!("\"headers\": {{ \"x\": {test} }}"),
        Carrier::Cookie => format!("\"cookies\": {{ \"x\": {test} }}"),
        Carrier::Path => format!("\"path\": {test}"),
        Carrier::Method => format!("\"method\": {test}"),
        Carrier::Query => format!("\"queryParams\": {{ \"x\": {test} }}"),
    };
    let policy = format!("{{ \"rules\": [{{ \"name\": \"r\", \"matches\": [{{ {condition} }}] }}] }}");
    Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).ok()
}

fn meets(policy: &Router, carrier: Carrier, value: &str) -> bool {
    let (mut method, mut path, mut header) = ("GET", "/", None);
    let cookie = format!("x=\"{value}\"");
    let query = format!("/?x={}", value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>());
    match carrier {
        // A proxy takes the blanks off.
        Carrier::Header => header = Some(("x", value.trim_matches([' ', '\t']))),
        Carrier::Cookie => header = Some(("cookie", &*cookie)),
        Carrier::Path => path = value,
        Carrier::Method => method = value,
        Carrier::Query => path = &query,
    }
    let lines = [(":method", method), (":path", path), (":authority", "a.example"), (":scheme", "http")];
    let lines = lines.into_iter().chain(header);
    let request = Request::new(lines.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    policy.decide(request).1.rule.is_some()
}
