//! What a condition on values means, read from its documentation: the oracle of several fuzzers. It
//! shares no code with the product, and is as slow and obvious as it can be.

use narrows_core::router::Router;
use narrows_core::{Policy, PolicyValue, Request};
use narrows_oracle::{Expression, Test};
use serde_json::{Value, json};

/// A condition, made of a few bytes.
pub struct Condition {
    test: Test,
    ignore_case: bool,
    pub invert: bool,
}

/// Expressions, and what they mean in so many words.
static EXPRESSIONS: [Expression; 5] = [
    Expression { written: "a+", means: |text| !text.is_empty() && text.iter().all(|byte| *byte == b'a') },
    Expression { written: "a|ab", means: |text| text == b"a" || text == b"ab" },
    Expression { written: "(?s).*b", means: |text| text.last() == Some(&b'b') },
    Expression { written: "[^,]*", means: |text| !text.contains(&b',') },
    Expression { written: "", means: |text| text.is_empty() },
];

impl Condition {
    /// A digit chooses the kind, the bits of another what else is said.
    pub fn new(kind: u8, options: u8, text: &str) -> Self {
        let text = text.to_owned();
        let test = match kind % 8 {
            0 => Test::Exact(text),
            1 => Test::Prefix(text),
            2 => Test::Suffix(text),
            3 => Test::Contains(text),
            4 => Test::In(text.split('|').map(str::to_owned).collect()),
            5 => Test::Regex(&EXPRESSIONS[text.len() % EXPRESSIONS.len()]),
            6 => {
                let bound = |text: Option<&str>| text.and_then(|text| text.parse().ok());
                let mut bounds = text.split("..");
                Test::Range(bound(bounds.next()).unwrap_or(-1), bound(bounds.next()).unwrap_or(10))
            }
            _ => Test::Present(text.len().is_multiple_of(2)),
        };
        Self { ignore_case: test.has_case() && options & 1 != 0, invert: options & 2 != 0, test }
    }

    /// As a policy writes it.
    pub fn written(&self) -> Value {
        let mut value = self.test.written(self.ignore_case);
        if self.invert {
            value["invert"] = json!(true);
        }
        value
    }

    /// Whether it holds for the values under a name: plain, if one meets it; inverted, if one fails
    /// it or there is none.
    pub fn holds(&self, values: &[Vec<u8>]) -> bool {
        match (&self.test, self.invert) {
            (Test::Present(wanted), false) => values.is_empty() != *wanted,
            (Test::Present(wanted), true) => values.is_empty() == *wanted,
            (_, false) => values.iter().any(|value| self.meets(value)),
            (_, true) => values.is_empty() || values.iter().any(|value| !self.meets(value)),
        }
    }

    /// Whether it holds where the first of several values counts, but all of them if inverted.
    pub fn holds_of_first(&self, values: &[Vec<u8>]) -> bool {
        if self.invert { self.holds(values) } else { self.holds(values.get(..1).unwrap_or_default()) }
    }

    /// Whether it holds under `withoutHeaders`: no value meets it, and a missing header is one empty
    /// value, but for `present`.
    pub fn holds_without(&self, values: &[Vec<u8>]) -> bool {
        match &self.test {
            Test::Present(wanted) => values.is_empty() == *wanted,
            _ if values.is_empty() => !self.meets(b""),
            _ => !values.iter().any(|value| self.meets(value)),
        }
    }

    fn meets(&self, value: &[u8]) -> bool {
        self.test.meets(value, self.ignore_case)
    }
}

/// The parts of an input: a kind, options, a text, and what is behind its line.
pub fn parts(bytes: &[u8]) -> Option<(u8, u8, String, &[u8])> {
    let [kind, options, rest @ ..] = bytes else { return None };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let text = String::from_utf8(rest[..end].to_vec()).ok()?;
    Some((*kind, *options, text, rest.get(end + 1..).unwrap_or_default()))
}

/// Whether Envoy lets these bytes be the value of a header.
pub fn is_value(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f))
}

/// Whether the first rule of a policy with this match decides on these headers; none if the policy
/// is refused. Rules behind it fill the index, so that the first is found and not only tried.
pub fn is_met(one: Value, field: &str, name: &str, headers: &[(&[u8], &[u8])]) -> Option<bool> {
    let filling = (0..6).map(|n| json!({ "name": format!("f{n}"), "matches": [{ field: { name: { "exact": format!("f{n}") } } }] }));
    let rules: Vec<Value> =
        std::iter::once(json!({ "name": "one", "matches": [one] })).chain(filling).collect();
    let policy = json!({ "trust": "mesh", "rules": rules }).to_string();
    let router = Router::compile(&PolicyValue::parse(policy.as_bytes()).ok()?).ok()?;
    let request = || Request::new(headers.iter().copied());
    let (_, verdict) = router.decide(request());
    assert_eq!(verdict, router.by_trying(request()), "the index is wrong");
    Some(verdict.rule == Some(0))
}
