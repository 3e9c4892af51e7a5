//! An expression matches, and rewrites, what one finds who tries every way in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::router::Router;
use narrows_core::{Edit, Policy, PolicyValue, Request};

/// An expression of one group at most, and how it is written.
enum Node {
    Nothing,
    Byte(u8),
    /// All but a line end.
    Any,
    Class(&'static [u8], &'static str),
    Start,
    End,
    Then(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// From, to, and whether more is preferred.
    Repeat(Box<Node>, u8, Option<u8>, bool),
}

/// Steps that a value may take to try: what takes more is no news.
const STEPS: usize = 20_000;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.iter().copied();
    let node = Node::of(&mut bytes, 4);
    let value: Vec<u8> = bytes.take(40).map(|b| b"ab/\xe9"[usize::from(b % 4)]).collect();
    let text = node.text();
    let Some(whole) = Router::compile(&policy(&text, "match")).ok() else { return };
    let headers: [(&[u8], &[u8]); 3] = [(b":path", b"/"), (b":authority", b"a"), (b"x-a", &value)];
    let found = whole.decide(Request::new(headers)).1.rule.is_some();
    if let Some(expected) = matches_whole(&node, &value) {
        assert_eq!(found, expected, "{text} on {}", value.escape_ascii());
    }
    let Some(parts) = Router::compile(&policy(&text, "rewrite")).ok() else { return };
    let path = [b"/".as_slice(), &value].concat();
    let headers: [(&[u8], &[u8]); 2] = [(b":path", &path), (b":authority", b"a")];
    let decision = parts.decide(Request::new(headers)).0;
    let written = decision.request.iter().find_map(|edit| match edit {
        Edit::Set(name, path) if name == ":path" => Some(path.to_vec()),
        _ => None,
    });
    if let Some(expected) = replaced(&node, &path) {
        // What is no path, or the same one, is not written.
        let expected = Some(expected).filter(|text| text.starts_with(b"/") && *text != path);
        assert_eq!(written, expected, "{text} in {}", path.escape_ascii());
    }
});

fn policy(text: &str, how: &str) -> PolicyValue {
    let rule = if how == "match" {
        serde_json::json!({ "name": "r", "matches": [{ "headers": { "x-a": { "regex": text } } }] })
    } else {
        serde_json::json!({ "name": "r", "rewrite": { "path": { "regex": { "match": text, "replace": "<\\0>" } } } })
    };
    PolicyValue::parse(serde_json::json!({ "rules": [rule] }).to_string().as_bytes()).expect("JSON")
}

impl Node {
    fn of(bytes: &mut impl Iterator<Item = u8>, depth: u8) -> Self {
        let byte = bytes.next().unwrap_or_default();
        let mut inner = || Box::new(Self::of(bytes, depth.saturating_sub(1)));
        match byte % if depth == 0 { 8 } else { 16 } {
            0 => Self::Nothing,
            1 | 2 => Self::Byte(b'a'),
            3 => Self::Byte(b'/'),
            4 => Self::Any,
            5 => Self::Class(b"ab", "[ab]"),
            6 => Self::Start,
            7 => Self::End,
            8..=10 => Self::Then(inner(), inner()),
            11 | 12 => Self::Or(inner(), inner()),
            _ => {
                let (least, most) =
                    [(0, None), (1, None), (0, Some(1)), (2, Some(2)), (0, Some(70)), (1, Some(3))]
                        [usize::from(byte / 16 % 6)];
                Self::Repeat(inner(), least, most, byte < 128)
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Byte(byte) => char::from(*byte).to_string(),
            Self::Any => ".".to_owned(),
            Self::Class(_, text) => (*text).to_owned(),
            Self::Start => "^".to_owned(),
            Self::End => "$".to_owned(),
            Self::Then(a, b) => format!("(?:{})(?:{})", a.text(), b.text()),
            Self::Or(a, b) => format!("(?:{}|{})", a.text(), b.text()),
            Self::Repeat(node, least, most, greedy) => {
                let most = most.map(|most| most.to_string()).unwrap_or_default();
                format!("(?:{}){{{least},{most}}}{}", node.text(), if *greedy { "" } else { "?" })
            }
        }
    }

    /// Tries every way in order; `then` is what must come behind. `None`: too many steps.
    fn run(
        &self,
        value: &[u8],
        at: usize,
        steps: &mut usize,
        then: &mut dyn FnMut(usize, &mut usize) -> Option<bool>,
    ) -> Option<bool> {
        *steps = steps.checked_sub(1)?;
        let byte = value.get(at).copied();
        match self {
            Self::Nothing => then(at, steps),
            Self::Byte(wanted) if byte == Some(*wanted) => then(at + 1, steps),
            Self::Any if byte.is_some_and(|byte| byte != b'\n') => then(at + 1, steps),
            Self::Class(class, _) if byte.is_some_and(|byte| class.contains(&byte)) => then(at + 1, steps),
            Self::Start if at == 0 => then(at, steps),
            Self::End if at == value.len() => then(at, steps),
            Self::Then(a, b) => a.run(value, at, steps, &mut |at, steps| b.run(value, at, steps, then)),
            Self::Or(a, b) => Some(a.run(value, at, steps, then)? || b.run(value, at, steps, then)?),
            Self::Repeat(node, least, most, greedy) => {
                node.repeat(value, at, (*least, *most, *greedy), steps, then)
            }
            _ => Some(false),
        }
    }

    fn repeat(
        &self,
        value: &[u8],
        at: usize,
        (least, most, greedy): (u8, Option<u8>, bool),
        steps: &mut usize,
        then: &mut dyn FnMut(usize, &mut usize) -> Option<bool>,
    ) -> Option<bool> {
        *steps = steps.checked_sub(1)?;
        if most == Some(0) {
            return then(at, steps);
        }
        let bounds = (least.saturating_sub(1), most.map(|most| most - 1), greedy);
        if least > 0 {
            return self.run(value, at, steps, &mut |at, steps| self.repeat(value, at, bounds, steps, then));
        }
        if !greedy && then(at, steps)? {
            return Some(true);
        }
        // Once more; what takes nothing is the last.
        let more = self.run(value, at, steps, &mut |next, steps| {
            if next == at { then(at, steps) } else { self.repeat(value, next, bounds, steps, then) }
        })?;
        Some(more || greedy && then(at, steps)?)
    }
}

fn matches_whole(node: &Node, value: &[u8]) -> Option<bool> {
    node.run(value, 0, &mut STEPS.clone(), &mut |at, _| Some(at == value.len()))
}

/// As RE2's `GlobalReplace` is described: nothing right behind a match is none.
fn replaced(node: &Node, value: &[u8]) -> Option<Vec<u8>> {
    let mut written = Vec::new();
    let (mut at, mut last) = (0, None);
    while at <= value.len() {
        let mut end = None;
        node.run(value, at, &mut STEPS.clone(), &mut |to, _| {
            end = Some(to);
            Some(true)
        })?;
        match end {
            Some(end) if !(end == at && last == Some(end)) => {
                written.push(b'<');
                written.extend_from_slice(&value[at..end]);
                written.push(b'>');
                last = Some(end);
                if end > at {
                    at = end;
                    continue;
                }
                // A match of nothing: what is here is copied, and the search goes on behind it.
                written.extend(value.get(at));
                at += 1;
            }
            _ => {
                written.extend(value.get(at));
                at += 1;
            }
        }
    }
    Some(written)
}
