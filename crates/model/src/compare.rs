//! Where an observation disagrees with what a case expects.

use std::collections::{BTreeMap, BTreeSet};

use narrows_cases::bytes::{escape, unescape};
use narrows_cases::expect::{Answered, Expect, Upstream, Values};

use crate::headers::Headers;
use crate::observed::{Observed, Reply, Seen};

/// Everything in which `observed` is not what was expected.
pub fn disagreements(expected: &Expect, observed: &Observed) -> Vec<String> {
    let mut wrong = Wrong(Vec::new());
    match (&expected.upstream, &observed.upstream) {
        (Some(upstream), Some(seen)) => compare_upstream(upstream, seen, &mut wrong),
        (Some(_), None) => wrong.0.push(format!("the upstream got no request: {}", told(&observed.answer))),
        (None, _) => {}
    }
    if let Some(reply) = &expected.reply {
        match &observed.upstream {
            Some(seen) => wrong.0.push(format!(
                "the filter did not answer: the upstream got {} {}{}",
                seen.method, seen.authority, seen.target
            )),
            None => compare_answer("reply", reply, &observed.answer, &mut wrong),
        }
    }
    if let Some(response) = &expected.response {
        compare_answer("response", response, &observed.answer, &mut wrong);
    }
    for (key, value) in &expected.state {
        let found = observed.state.get(key).map(|value| escape(value));
        if key == "narrows_stripped" {
            // A set of words: the forms of a filter write them in another order, and not as often.
            let words = |text: &Option<String>| {
                text.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect::<BTreeSet<_>>()
            };
            wrong.unless_equal(&format!("state {key}"), &words(value), &words(&found));
        } else if *value != found {
            let told =
                |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
            wrong.0.push(format!("state {key}: expected {}, found {}", told(value), told(&found)));
        }
    }
    for (series, count) in &expected.counts {
        wrong.unless_equal(
            &format!("count {series}"),
            count,
            &observed.counts.get(series).copied().unwrap_or(0),
        );
    }
    wrong.0
}

/// Whether the counters that are expected have moved as far as they should: Envoy counts some
/// after the client has its answer.
pub fn counts_agree(expected: &Expect, counts: &BTreeMap<String, i64>) -> bool {
    expected.counts.iter().all(|(series, count)| counts.get(series).copied().unwrap_or(0) == *count)
}

fn compare_upstream(expected: &Upstream, seen: &Seen, wrong: &mut Wrong) {
    let fields = [
        ("method", &expected.method, &seen.method),
        ("target", &expected.target, &seen.target),
        ("authority", &expected.authority, &seen.authority),
    ];
    for (name, value, found) in fields {
        if let Some(value) = value {
            wrong.unless_equal(&format!("upstream {name}"), value, found);
        }
    }
    wrong.headers("upstream", &expected.headers, &expected.absent, &seen.headers);
}

fn compare_answer(who: &str, expected: &Answered, found: &Reply, wrong: &mut Wrong) {
    if let Some(status) = expected.status {
        wrong.unless_equal(&format!("{who} status"), &status, &found.status);
    }
    if let Some(body) = &expected.body {
        wrong.unless_equal(&format!("{who} body"), body, &escape(&found.body));
    }
    if let Some(status) = expected.grpc_status {
        wrong.unless_equal(&format!("{who} gRPC status"), &Some(status), &found.grpc_status());
    }
    wrong.headers(who, &expected.headers, &expected.absent, &found.headers);
}

/// An answer in a few words.
fn told(answer: &Reply) -> String {
    format!("it was answered with {} and {:?}", answer.status, escape(&answer.body))
}

struct Wrong(Vec<String>);

impl Wrong {
    fn unless_equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.0.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    fn headers(&mut self, who: &str, present: &BTreeMap<String, Values>, absent: &[String], found: &Headers) {
        for (name, values) in present {
            let lines = found.all(name);
            let (agrees, expected) = match values {
                Values::Joined(text) => {
                    (!lines.is_empty() && lines.join(&b","[..]) == unescape(text), format!("{text:?}"))
                }
                Values::Each(texts) => {
                    let wanted: Vec<Vec<u8>> = texts.iter().map(|text| unescape(text)).collect();
                    (lines == wanted, format!("{texts:?}"))
                }
            };
            if !agrees {
                let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
                self.0.push(format!("{who} header {name}: expected {expected}, found {lines:?}"));
            }
        }
        for name in absent {
            if let Some(value) = found.get(name) {
                self.0.push(format!("{who} header {name}: expected none, found {:?}", escape(value)));
            }
        }
    }
}
