//! What a test of one value means.

use serde_json::{Value, json};

/// A regular expression, and what it means in so many words.
#[derive(Debug)]
pub struct Expression {
    /// As a policy writes it.
    pub written: &'static str,
    /// Whether a whole value matches it.
    pub means: fn(&[u8]) -> bool,
}

/// A test of a value, as the README lists them.
#[derive(Clone, Debug)]
pub enum Test {
    /// The value is this text.
    Exact(String),
    /// It starts with it.
    Prefix(String),
    /// It ends with it.
    Suffix(String),
    /// It contains it.
    Contains(String),
    /// It is one of these.
    In(Vec<String>),
    /// An expression matches the whole of it.
    Regex(&'static Expression),
    /// It is an integer from the first number on, below the second.
    Range(i64, i64),
    /// There is a value, or there is none.
    Present(bool),
}

impl Test {
    /// Whether a policy may write `ignoreCase` beside it.
    pub fn has_case(&self) -> bool {
        !matches!(self, Self::Regex(_) | Self::Range(..) | Self::Present(_))
    }

    /// As a policy writes it.
    pub fn written(&self, ignore_case: bool) -> Value {
        let mut value = match self {
            Self::Exact(text) => json!({ "exact": text }),
            Self::Prefix(text) => json!({ "prefix": text }),
            Self::Suffix(text) => json!({ "suffix": text }),
            Self::Contains(text) => json!({ "contains": text }),
            Self::In(texts) => json!({ "in": texts }),
            Self::Regex(expression) => json!({ "regex": expression.written }),
            Self::Range(from, to) => json!({ "range": { "from": from, "to": to } }),
            Self::Present(wanted) => json!({ "present": wanted }),
        };
        if ignore_case {
            value["ignoreCase"] = json!(true);
        }
        value
    }

    /// Whether one value meets it.
    pub fn meets(&self, value: &[u8], ignore_case: bool) -> bool {
        let fold = |text: &[u8]| if ignore_case { text.to_ascii_lowercase() } else { text.to_vec() };
        let value = fold(value);
        let wanted = |text: &str| fold(text.as_bytes());
        match self {
            Self::Exact(text) => value == wanted(text),
            Self::Prefix(text) => value.starts_with(&wanted(text)),
            Self::Suffix(text) => value.ends_with(&wanted(text)),
            Self::Contains(text) => (0..=value.len()).any(|at| value[at..].starts_with(&wanted(text))),
            Self::In(texts) => texts.iter().any(|text| value == wanted(text)),
            Self::Regex(expression) => (expression.means)(&value),
            Self::Range(from, to) => {
                let text = String::from_utf8(value).unwrap_or_default();
                let number = text.trim_matches([' ', '\t']).parse::<i64>();
                number.is_ok_and(|number| number >= *from && number < *to)
            }
            Self::Present(wanted) => *wanted,
        }
    }
}
