//! Requests that meet a match, or all of it but one condition.

use narrows_core::PolicyValue;

use crate::migrate::old::meaning::{Meaning, Request};
use crate::migrate::old::{Condition, Hosts, Match, On, PathKind, PathTest, Sense, Test};
use crate::migrate::sample;
use crate::migrate::value::{Table, text};

/// A path that no configuration is about.
const ELSEWHERE: &str = "/elsewhere-1";

/// A request that meets a match, if one is found.
pub(super) fn example(hosts: &Hosts, one: &Match, meaning: &Meaning) -> Option<Request> {
    let mut request = Request {
        host: one.host.clone().unwrap_or_else(|| host(hosts)),
        method: "GET".to_owned(),
        path: one.path.as_ref().map_or_else(|| ELSEWHERE.to_owned(), path),
        ..Request::default()
    };
    for condition in &one.conditions {
        meet(&mut request, condition);
    }
    meaning.holds(one, &request).then_some(request)
}

/// Requests that meet all of a match but one condition, each with what is missing.
pub(super) fn others(hosts: &Hosts, one: &Match, meaning: &Meaning) -> Vec<(String, Request)> {
    let mut all = Vec::new();
    if let Some(path) = &one.path {
        let without = Match { path: None, ..one.clone() };
        let beside = (path.how == PathKind::Segments && path.text != "/").then(|| format!("{}x", path.text));
        for other in beside.into_iter().chain([ELSEWHERE.to_owned()]) {
            let found = example(hosts, &without, meaning).map(|request| Request { path: other, ..request });
            all.extend(found.map(|request| (format!("but the path {}", request.path), request)));
        }
    }
    for (number, condition) in one.conditions.iter().enumerate() {
        let mut rest = one.clone();
        rest.conditions.remove(number);
        let Some(mut request) = example(hosts, &rest, meaning) else { continue };
        match condition.sense {
            Sense::Holds | Sense::Differs => {
                if matches!(condition.on, On::Method) {
                    "PUT".clone_into(&mut request.method);
                }
                all.push((format!("but no {}", told(&condition.on)), request));
            }
            Sense::Fails => {
                meet(&mut request, &Condition { sense: Sense::Holds, ..condition.clone() });
                all.push((format!("but a {}", told(&condition.on)), request));
            }
        }
    }
    all.retain(|(_, request)| !meaning.holds(one, request));
    all
}

fn told(on: &On) -> String {
    match on {
        On::Header(name) => format!("header {name}"),
        On::Cookie(name) => format!("cookie {name}"),
        On::Query(name) => format!("parameter {name}"),
        On::Method => "such method".to_owned(),
        On::Scheme => "such scheme".to_owned(),
        On::Metadata(path) => format!("claim {}", path.join(".")),
    }
}

fn host(hosts: &Hosts) -> String {
    match hosts {
        Hosts::Any => "shop.example.com".to_owned(),
        Hosts::Service(service) => service.clone(),
        Hosts::Names(names) => {
            let first = names.first().map(String::as_str).unwrap_or_default();
            first.strip_prefix('*').map_or_else(|| first.to_owned(), |end| format!("any{end}"))
        }
    }
}

fn path(test: &PathTest) -> String {
    match test.how {
        PathKind::Exact => test.text.clone(),
        PathKind::Prefix => format!("{}x-1", test.text),
        PathKind::Segments => format!("{}/x-1", test.text.trim_end_matches('/')),
        PathKind::Regex => sample::of(&test.text),
    }
}

/// Gives a request what a condition asks for.
fn meet(request: &mut Request, condition: &Condition) {
    let value = match (condition.sense, &condition.test) {
        (Sense::Fails, _) => return,
        (Sense::Differs, test) => format!("{}-other", example_of(test)),
        (Sense::Holds, test) => example_of(test),
    };
    match &condition.on {
        On::Header(name) => request.headers.push((name.clone(), value)),
        On::Cookie(name) => request.cookies.push((name.clone(), value)),
        On::Query(name) => request.query.push((name.clone(), value)),
        On::Method => request.method = value,
        On::Scheme => request.is_https = value == "https",
        On::Metadata(path) => request.metadata.push((path.clone(), value)),
    }
}

fn example_of(test: &Test) -> String {
    match test {
        Test::Exact(text) => text.clone(),
        Test::Prefix(text) => format!("{text}-1"),
        Test::Suffix(text) => format!("1-{text}"),
        Test::Contains(text) => format!("1-{text}-1"),
        Test::In(all) => all.first().cloned().unwrap_or_default(),
        Test::Regex(text) => sample::of(text),
        Test::Range(from, _) => from.to_string(),
        Test::Present => "1".to_owned(),
    }
}

/// The request as a case sends it.
pub(super) fn sent(request: &Request) -> PolicyValue {
    let encode = |text: &String| -> String {
        let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let pairs = request.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let target = if query.is_empty() { request.path.clone() } else { format!("{}?{query}", request.path) };
    let mut lines: Vec<String> = Vec::new();
    let plain = request.headers.iter().filter(|(name, _)| name != "cookie");
    lines.extend(plain.map(|(name, value)| format!("{name}: {value}")));
    let cookies = request.cookie_line();
    if !cookies.is_empty() {
        lines.push(format!("cookie: {cookies}"));
    }
    if request.is_https {
        lines.push("x-forwarded-proto: https".to_owned());
    }
    Table::default()
        .maybe("method", (request.method != "GET").then(|| text(&request.method)))
        .with("authority", text(&request.host))
        .with("target", text(target))
        .some("headers", lines.into_iter().map(text).collect())
        .maybe("metadata", metadata(request))
        .into()
}

fn metadata(request: &Request) -> Option<PolicyValue> {
    let nested = request.metadata.iter().fold(serde_json::Map::new(), |mut all, (path, value)| {
        let mut at = &mut all;
        if let Some((last, before)) = path.split_last() {
            for name in before {
                let inner = at.entry(name.clone()).or_insert_with(|| serde_json::json!({}));
                let Some(inner) = inner.as_object_mut() else { return all };
                at = inner;
            }
            at.insert(last.clone(), value.as_str().into());
        }
        all
    });
    let text = serde_json::Value::Object(nested).to_string();
    (!request.metadata.is_empty()).then(|| PolicyValue::parse(text.as_bytes()).ok()).flatten()
}
