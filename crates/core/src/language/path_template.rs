//! Path templates such as `/users/{id}/orders`.
//!
//! A template is matched segment by segment. `{name}` takes one segment that is not empty; `{name}:verb`
//! and `{name}.json` take one that ends so. A `*` at the end takes the rest, which may hold slashes but
//! must not be empty.

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;

/// A path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
    /// Whether it ended in `*`.
    rest: bool,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(Box<[u8]>),
    Variable,
    /// A variable before an ending, which begins with the last `.` or `:` of the segment. So a segment
    /// has one ending, and it can be looked up.
    Ending(Box<[u8]>),
}

impl PathTemplate {
    /// Reads a template.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let refuse = |message: String, help: &str| Err(Invalid::new(Code::BadPath, message, help));
        let Some(body) = text.strip_prefix('/').filter(|_| text.len() <= limits::VALUE_BYTES) else {
            return refuse(format!("{text:?} does not start with \"/\""), "write \"/users/{id}\"");
        };
        let (body, rest) = match body.strip_suffix('*') {
            Some("") => ("", true),
            Some(before) => match before.strip_suffix('/') {
                Some(before) => (before, true),
                None => {
                    return refuse(
                        format!("the \"*\" of {text:?} is not a whole segment"),
                        "write \"/*\" at the end",
                    );
                }
            },
            None => (body, false),
        };
        let mut segments = Vec::new();
        for segment in body.split('/').filter(|_| !(rest && body.is_empty())) {
            let Some(segment) = Segment::new(segment) else {
                return refuse(
                    format!("{segment:?} is neither a plain segment nor a variable"),
                    "write \"{id}\" for one segment, \"{id}:verb\" or \"{id}.json\" for one that ends so, \"*\" at the \
                     end for the rest",
                );
            };
            segments.push(segment);
        }
        Ok(Self { segments, rest })
    }

    /// The same as [`Self::matches`], for a path whose slashes have been found.
    pub(crate) fn matches_at(&self, path: &[u8], slashes: &[u32], ignore_case: bool) -> bool {
        if slashes.first() != Some(&0) {
            return false;
        }
        // A segment begins after each slash.
        let is_long_enough = self.segments.len().saturating_add(usize::from(self.rest)) <= slashes.len();
        if !is_long_enough || (!self.rest && self.segments.len() != slashes.len()) {
            return false;
        }
        let at = |index: usize| slashes.get(index).map_or(path.len(), |slash| *slash as usize);
        let segment = |index: usize| {
            path.get(at(index).saturating_add(1)..at(index.saturating_add(1))).unwrap_or_default()
        };
        let fits = |(index, wanted): (usize, &Segment)| wanted.fits(segment(index), ignore_case);
        let is_left = || at(self.segments.len()).saturating_add(1) < path.len();
        self.segments.iter().enumerate().all(fits) && (!self.rest || is_left())
    }

    /// Whether a path without query fits this template.
    pub fn matches(&self, path: &[u8]) -> bool {
        let Some(mut left) = path.strip_prefix(b"/") else { return false };
        let mut more = true;
        for segment in &self.segments {
            if !more {
                return false;
            }
            let end = left.iter().position(|b| *b == b'/');
            let (this, tail) = left.split_at(end.unwrap_or(left.len()));
            more = end.is_some();
            left = tail.get(1..).unwrap_or_default();
            if !segment.fits(this, false) {
                return false;
            }
        }
        if self.rest { more && !left.is_empty() } else { !more }
    }

    /// Its segments, and whether a `*` takes the rest.
    pub(crate) fn segments(&self) -> (&[Segment], bool) {
        (&self.segments, self.rest)
    }

    /// The text before the first variable: every path that fits starts with it.
    pub(crate) fn literal_prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::new();
        for segment in &self.segments {
            prefix.push(b'/');
            match segment {
                Segment::Literal(text) => prefix.extend_from_slice(text),
                Segment::Variable | Segment::Ending(_) => break,
            }
        }
        prefix
    }

    /// The same template, for comparison with paths in lower case.
    pub(crate) fn to_lowercase(&self) -> Self {
        let lower = |segment: &Segment| match segment {
            Segment::Literal(text) => Segment::Literal(text.to_ascii_lowercase().into()),
            Segment::Ending(text) => Segment::Ending(text.to_ascii_lowercase().into()),
            Segment::Variable => Segment::Variable,
        };
        Self { segments: self.segments.iter().map(lower).collect(), rest: self.rest }
    }
}

impl Segment {
    /// Reads a segment.
    fn new(written: &str) -> Option<Self> {
        let is_plain = |text: &str| !text.contains(['{', '}', '*', '?', '#']);
        let Some((name, ending)) = written.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return is_plain(written).then(|| Self::Literal(written.as_bytes().into()));
        };
        let is_ending = || self::ending(ending.as_bytes()) == Some(ending.as_bytes()) && is_plain(ending);
        match ending {
            _ if !is_variable(name) => None,
            "" => Some(Self::Variable),
            _ => is_ending().then(|| Self::Ending(ending.as_bytes().into())),
        }
    }

    fn fits(&self, segment: &[u8], ignore_case: bool) -> bool {
        match self {
            Self::Literal(text) if ignore_case => segment.eq_ignore_ascii_case(text),
            Self::Literal(text) => segment == &**text,
            Self::Variable => !segment.is_empty(),
            Self::Ending(text) => segment.len().checked_sub(text.len()).is_some_and(|length| {
                let end = segment.get(length..).unwrap_or_default();
                length > 0 && (if ignore_case { end.eq_ignore_ascii_case(text) } else { end == &**text })
            }),
        }
    }
}

/// The end of a segment from its last `.` or `:` on.
pub(crate) fn ending(segment: &[u8]) -> Option<&[u8]> {
    segment.iter().rposition(|b| matches!(b, b'.' | b':')).and_then(|at| segment.get(at..))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::PathTemplate;

    #[test]
    fn shapes() {
        let fits = |template: &str, path: &str| {
            let template = PathTemplate::new(template).unwrap();
            let slashes: Vec<u32> =
                (0..).zip(path.bytes()).filter(|(_, b)| *b == b'/').map(|(i, _)| i).collect();
            let fits = template.matches(path.as_bytes());
            assert_eq!(template.matches_at(path.as_bytes(), &slashes, false), fits, "{path}");
            assert_eq!(template.to_lowercase().matches_at(path.as_bytes(), &slashes, true), fits, "{path}");
            fits
        };
        assert!(fits("/users/{id}", "/users/42"));
        assert!(!fits("/users/{id}", "/users/"));
        assert!(!fits("/users/{id}", "/users"));
        assert!(!fits("/users/{id}", "/users/42/"));
        assert!(!fits("/users/{id}", "/users/42/orders"));
        assert!(fits("/users/{id}/orders", "/users/42/orders"));
        assert!(fits("/static/*", "/static/a/b"));
        assert!(!fits("/static/*", "/static/"));
        assert!(!fits("/static/*", "/static"));
        assert!(fits("/*", "/a"));
        assert!(!fits("/*", "/"));
        assert!(fits("/", "/"));
        assert!(!fits("/", "/a"));
        assert!(!fits("/", ""));
        assert!(fits("/a/", "/a/"));
        assert!(fits("/items/{id}:check", "/items/42:check"));
        assert!(fits("/items/{id}:check", "/items/a:b.c:check"));
        assert!(fits("/{name}.json/raw", "/a.b.json/raw"));
        assert!(!fits("/items/{id}:check", "/items/:check"));
        assert!(!fits("/items/{id}:check", "/items/42:checked"));
        assert!(!fits("/items/{id}:check", "/items/42:check/a"));
        assert!(!fits("/items/{id}:check", "/items/4/2:check"));
        assert!(!fits("/items/{id}.json", "/items/42.json.gz"));
        assert!(!fits("/items/{id}.json", "/items/json"));
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "users",
            "/a{b}",
            "/{a b}",
            "/{}",
            "/a*",
            "/*/a",
            "/a?b",
            "/{a}b",
            "/{a}.tar.gz",
            "/{a}:v*",
            "/{a}.{b}",
            "/{a}:b:c",
            "/{}:v",
        ] {
            assert!(PathTemplate::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prefixes() {
        let prefix =
            |text: &str| String::from_utf8(PathTemplate::new(text).unwrap().literal_prefix()).unwrap();
        assert_eq!(prefix("/users/{id}/orders"), "/users/");
        assert_eq!(prefix("/books"), "/books");
        assert_eq!(prefix("/books/{id}:buy"), "/books/");
        assert_eq!(prefix("/static/*"), "/static");
        assert_eq!(prefix("/*"), "");
    }
}
