//! Conditions: as a policy writes them, as Envoy's routes do, and what they mean.

use serde_json::{Value, json};

use narrows_oracle::{Expression, Random, Test};

/// Where a condition stands in a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Plain,
    Without,
    Invert,
}

/// A condition on one header.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) place: Place,
    pub(super) name: &'static str,
    pub(super) test: Test,
    ignore_case: bool,
}

/// Headers that may come on several lines, and some that Envoy holds once.
const NAMES: [&str; 10] =
    ["x-a", "x-b", "x-a", "x_c", "x-a", "x-b", "user-agent", "x-forwarded-host", "authorization", "cookie"];

pub(super) const TEXTS: [&str; 16] = [
    "a",
    "A",
    "b",
    "ab",
    "aB",
    "a,b",
    "b,a",
    ",",
    "a b",
    "a; b",
    "ä",
    "5",
    "admin",
    "Admin,user",
    "=",
    "a=1",
];

/// Expressions, and what they mean of bytes, in so many words.
static EXPRESSIONS: [Expression; 7] = [
    Expression { written: "a+", means: |text| !text.is_empty() && text.iter().all(|byte| *byte == b'a') },
    Expression { written: "a|ab", means: |text| text == b"a" || text == b"ab" },
    Expression { written: "[0-9]*", means: |text| text.iter().all(u8::is_ascii_digit) },
    Expression { written: ".*b", means: |text| text.last() == Some(&b'b') },
    Expression { written: ".*", means: |_| true },
    Expression { written: ".", means: |text| text.len() == 1 },
    Expression { written: "[^,]*", means: |text| !text.contains(&b',') },
];

impl Condition {
    pub(super) fn exact(name: &'static str, text: &str) -> Self {
        Self { place: Place::Plain, name, test: Test::Exact(text.to_owned()), ignore_case: false }
    }

    /// Every place and every test in turn, whatever else is drawn.
    pub(super) fn generate(random: &mut Random, number: usize) -> Self {
        let text = |random: &mut Random| random.pick(&TEXTS).to_owned();
        let test = match number / 3 % 10 {
            0 if random.once_in(3) => Test::Exact(String::new()),
            0 | 1 => Test::Exact(text(random)),
            2 => Test::Prefix(text(random)),
            3 => Test::Suffix(text(random)),
            4 => Test::Contains(text(random)),
            5 if random.once_in(3) => Test::In(vec![String::new(), text(random)]),
            5 => Test::In(vec![text(random), text(random), text(random)]),
            6 | 7 => Test::Regex(&EXPRESSIONS[random.below(EXPRESSIONS.len())]),
            8 => {
                let from = i64::try_from(random.below(12)).unwrap() - 4;
                Test::Range(from, from + 6)
            }
            _ => Test::Present(random.once_in(2)),
        };
        Self {
            place: [Place::Plain, Place::Without, Place::Invert][number % 3],
            name: random.pick(&NAMES),
            ignore_case: test.has_case() && random.once_in(3),
            test,
        }
    }

    pub(super) fn is_expression(&self) -> bool {
        matches!(self.test, Test::Regex(_))
    }

    /// As a policy writes it: the fields of a match.
    pub(super) fn written(&self) -> Value {
        let mut value = self.test.written(self.ignore_case);
        if self.place == Place::Invert {
            value["invert"] = json!(true);
        }
        let field = if self.place == Place::Without { "withoutHeaders" } else { "headers" };
        json!({ field: { self.name: value } })
    }

    /// As a route of Envoy's has it, and as Istio writes `withoutHeaders`.
    pub(super) fn native(&self) -> Value {
        let text = |kind: &str, text: &str| json!({ "string_match": { kind: text, "ignore_case": self.ignore_case } });
        let mut matcher = match &self.test {
            Test::Exact(wanted) => text("exact", wanted),
            Test::Prefix(wanted) => text("prefix", wanted),
            Test::Suffix(wanted) => text("suffix", wanted),
            Test::Contains(wanted) => text("contains", wanted),
            Test::In(texts) => {
                let flags = if self.ignore_case { "(?i)" } else { "" };
                json!({ "string_match": { "safe_regex": { "regex": format!("{flags}{}", texts.join("|")) } } })
            }
            Test::Regex(expression) => {
                json!({ "string_match": { "safe_regex": { "regex": expression.written } } })
            }
            Test::Range(from, to) => json!({ "range_match": { "start": from, "end": to } }),
            Test::Present(wanted) => json!({ "present_match": wanted }),
        };
        matcher["name"] = json!(self.name);
        if self.place != Place::Plain {
            matcher["invert_match"] = json!(true);
        }
        // Under it Envoy would take a missing header for a present one: Istio leaves it out there.
        if self.place == Place::Without && !matches!(self.test, Test::Present(_)) {
            matcher["treat_missing_header_as_empty"] = json!(true);
        }
        matcher
    }

    /// What the README says of the values of a header.
    pub(super) fn holds(&self, values: &[Vec<u8>]) -> bool {
        if self.place != Place::Invert {
            return self.holds_natively(values);
        }
        match self.test {
            Test::Present(wanted) => values.is_empty() == wanted,
            _ => values.is_empty() || values.iter().any(|value| !self.meets(value)),
        }
    }

    /// What Envoy's documentation says of them: under `invert_match` every value must fail, and
    /// there must be one, unless a missing one is treated as empty.
    pub(super) fn holds_natively(&self, values: &[Vec<u8>]) -> bool {
        let is_met = values.iter().any(|value| self.meets(value));
        match (self.place, &self.test) {
            (Place::Plain, Test::Present(wanted)) => values.is_empty() != *wanted,
            (_, Test::Present(wanted)) => values.is_empty() == *wanted,
            (Place::Plain, _) => is_met,
            (Place::Without, _) if values.is_empty() => !self.meets(b""),
            (Place::Invert, _) if values.is_empty() => false,
            _ => !is_met,
        }
    }

    fn meets(&self, value: &[u8]) -> bool {
        self.test.meets(value, self.ignore_case)
    }
}
