//! No reader of a path finds what a rule denies in a request that passed, or anything but
//! what a rule allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::egress::{Action, Egress};
use narrows_core::{Policy, PolicyValue, Request};

/// Each byte is a piece of a path: a corpus of bytes would seldom be one.
const PIECES: [&str; 40] = [
    "/",
    "/",
    "/",
    "/admin",
    "/keys",
    "/v1",
    "/x",
    "//",
    "/.",
    "/..",
    ".",
    "..",
    "%2e",
    "%2E",
    "/%2e%2e",
    "/.%2e",
    ";",
    ";a=b",
    "%3b",
    "%3B",
    "/;",
    "/..;",
    "admin",
    "%61dmin",
    "%61",
    "keys",
    "key%73",
    "v1",
    "%76%31",
    "/V1",
    "%2f",
    "%5c",
    "\\",
    "%c0%ae",
    "%c0%af",
    "%ef%bc%8e",
    "%20",
    "%3F",
    "%25",
    "\u{ff0f}",
];

thread_local! {
    static DENIES: Egress = policy(
        r#"{"default": "allow", "rules": [{"name": "no", "action": "deny", "to": {"paths": [{"pathPrefix": "/admin/keys"}]}}]}"#,
    );
    static ALLOWS: Egress = policy(
        r#"{"rules": [{"name": "api", "action": "allow", "to": {"paths": [{"pathPrefix": "/v1"}]}}]}"#,
    );
}

/// How servers find what a path is: the steps, in their order.
const READERS: [&[fn(&[u8]) -> Vec<u8>]; 10] = [
    &[decode],
    &[decode, merge, resolve],
    &[decode, resolve, merge],
    &[decode, resolve],
    &[decode, merge],
    &[cut, decode, merge, resolve],
    &[cut, decode, resolve],
    &[decode, cut, merge, resolve],
    &[merge, resolve, decode],
    &[resolve, decode, merge],
];

fuzz_target!(|bytes: &[u8]| {
    let raw = [b"/", bytes].concat();
    judge(&raw);
    let pieces = bytes.iter().take(64).map(|byte| PIECES[usize::from(*byte) % PIECES.len()]);
    judge(std::iter::once("/").chain(pieces).collect::<String>().as_bytes());
});

fn judge(path: &[u8]) {
    // A filter sees the query apart, and no byte that ends a header.
    if path.iter().any(|b| matches!(b, b'?' | b'#' | 0..=31)) {
        return;
    }
    let passes_by = |policy: &Egress| {
        let headers: [(&[u8], &[u8]); 4] =
            [(b":method", b"GET"), (b":authority", b"a.example"), (b":path", path), (b":scheme", b"https")];
        policy.decide(Request::new(headers)).1.action == Action::Allow
    };
    let (past, allowed) = (DENIES.with(passes_by), ALLOWS.with(passes_by));
    for steps in READERS {
        let read = steps.iter().fold(path.to_vec(), |path, step| step(&path));
        let is_below = |prefix: &[u8]| {
            read.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let (path, read_as) = (path.escape_ascii(), read.escape_ascii());
        assert!(!(past && is_below(b"/admin/keys")), "{path} passed and is {read_as}");
        assert!(!allowed || is_below(b"/v1"), "{path} was allowed and is {read_as}");
    }
}

fn policy(text: &str) -> Egress {
    Egress::compile(&PolicyValue::parse(text.as_bytes()).expect("JSON")).expect("a policy")
}

fn decode(path: &[u8]) -> Vec<u8> {
    let digit = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        match (byte, digit(path.get(at + 1)), digit(path.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

fn cut(path: &[u8]) -> Vec<u8> {
    let names =
        path.split(|b| *b == b'/').map(|segment| segment.split(|b| *b == b';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(&b'/')
}

fn merge(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|a, b| *a == b'/' && *b == b'/');
    out
}

/// RFC 3986 §5.2.4, as it is written there.
fn resolve(path: &[u8]) -> Vec<u8> {
    let mut input = path.to_vec();
    let mut output: Vec<u8> = Vec::new();
    while !input.is_empty() {
        if input.starts_with(b"/./") {
            input.drain(..2);
        } else if input == b"/." {
            input = b"/".to_vec();
        } else if input.starts_with(b"/../") || input == b"/.." {
            input = if input.len() == 3 { b"/".to_vec() } else { input[3..].to_vec() };
            output.truncate(output.iter().rposition(|b| *b == b'/').unwrap_or(0));
        } else {
            let end = input.iter().skip(1).position(|b| *b == b'/').map_or(input.len(), |at| at + 1);
            output.extend(input.drain(..end));
        }
    }
    output
}
