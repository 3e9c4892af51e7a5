//! A condition on a host holds for exactly the spellings that the documentation says, in every
//! filter that has one; and no spelling that is a host to one reader of an egress policy is
//! another to the next.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::egress::{Action, Egress};
use narrows_core::router::Router;
use narrows_core::split::{Guarded, Splitter};
use narrows_core::{Policy, PolicyValue, Request};

const PATTERNS: [&str; 10] =
    ["shop.example.com", "*.example.com", "*.com", "stock", "a", "*.a", "10.0.0.1", "[::1]", "*.b.a", "*"];
/// Each byte is a piece of an authority: a corpus of bytes would seldom be one.
const PIECES: [&str; 32] = [
    "shop.example.com",
    "example.com",
    ".com",
    "stock",
    "a",
    "b",
    ".",
    "..",
    ":",
    "::",
    ":80",
    ":x",
    "]",
    "[",
    "[::1]",
    "10.0.0.1",
    "@",
    ",",
    "%",
    "*",
    "A",
    "SHOP",
    "-",
    "_",
    "x.",
    ".a",
    "\u{e4}",
    " ",
    "0",
    "65536",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
    "/",
];

struct Policies {
    pattern: &'static str,
    router: Router,
    splitter: Splitter,
    allows: Egress,
    denies: Egress,
}

thread_local! {
    static POLICIES: Vec<Policies> = PATTERNS.into_iter().map(Policies::of).collect();
}

fuzz_target!(|bytes: &[u8]| {
    judge(bytes);
    let pieces = bytes.iter().take(200).map(|byte| PIECES[usize::from(*byte) % PIECES.len()]);
    judge(pieces.collect::<String>().as_bytes());
});

fn judge(authority: &[u8]) {
    let request = || {
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"GET"), (b":authority", authority), (b":path", b"/")];
        Request::new(headers)
    };
    let name = name(authority);
    let shown = authority.escape_ascii();
    POLICIES.with(|policies| {
        for Policies { pattern, router, splitter, allows, denies } in policies {
            let holds = holds(pattern, &name);
            let is_refused = name.is_empty() && *pattern != "*";
            let (decision, verdict) = router.decide(request());
            // The one rule, or what stands behind it.
            let rule = if is_refused { Some(1) } else { holds.then_some(0) };
            assert_eq!(verdict.rule, rule, "header-router: {pattern}: {shown}");
            assert_eq!(
                decision.reply.map(|reply| reply.status),
                is_refused.then_some(400),
                "{pattern}: {shown}"
            );
            assert_eq!(splitter.decide(request()).1.is_some(), holds, "canary-split: {pattern}: {shown}");
            assert!(!holds || splitter.concerns(authority), "canary-split: {pattern}: {shown}");
            let passes = |policy: &Egress| policy.decide(request()).1.action == Action::Allow;
            // A spelling of an address is the address, however it is written.
            let is_address = pattern.ends_with(|c: char| c.is_ascii_digit() || c == ']');
            assert!(!passes(allows) || holds || is_address, "egress-policy: {pattern}: {shown}");
            assert!(!passes(denies) || !holds, "egress-policy: {pattern}: {shown}");
        }
    });
}

/// What stands before the last colon that no bracket is closed behind, without one trailing dot,
/// in lower case.
fn name(authority: &[u8]) -> Vec<u8> {
    let (mut name, mut behind) = (Vec::new(), None);
    for byte in authority {
        match (byte, &mut behind) {
            (b':', Some(rest)) => {
                name.append(rest);
                *rest = vec![b':'];
            }
            (b':', none) => *none = Some(vec![b':']),
            (b']', Some(rest)) => {
                name.append(rest);
                name.push(b']');
                behind = None;
            }
            (byte, Some(rest)) => rest.push(*byte),
            (byte, None) => name.push(*byte),
        }
    }
    if name.ends_with(b".") {
        name.truncate(name.len() - 1);
    }
    name.make_ascii_lowercase();
    name
}

fn holds(pattern: &str, name: &[u8]) -> bool {
    match pattern.split_once('*') {
        Some((_, "")) => true,
        Some((_, domain)) => name.len() > domain.len() && name.ends_with(domain.as_bytes()),
        None => name == pattern.as_bytes(),
    }
}

impl Policies {
    fn of(pattern: &'static str) -> Self {
        Self {
            pattern,
            router: policy(&format!(
                r#"{{"rules": [{{"name": "r", "matches": [{{"hosts": ["{pattern}"]}}]}}]}}"#
            )),
            splitter: policy(&format!(
                r#"{{"trust": "mesh", "splits": [{{"name": "s", "hosts": ["{pattern}"], "key": [{{"header": "x-user"}}],
                    "backends": [{{"name": "b", "baseline": true}}, {{"name": "c", "to": "c", "weight": 1}}]}}]}}"#
            )),
            allows: policy(&format!(
                r#"{{"rules": [{{"name": "r", "action": "allow", "to": {{"hosts": ["{pattern}"]}}}}]}}"#
            )),
            denies: policy(&format!(
                r#"{{"default": "allow", "rules": [{{"name": "r", "action": "deny", "to": {{"hosts": ["{pattern}"]}}}}]}}"#
            )),
        }
    }
}

fn policy<P: Policy>(text: &str) -> P {
    let tree = PolicyValue::parse(text.as_bytes()).expect("JSON");
    P::compile(&tree).unwrap_or_else(|invalid| panic!("{invalid}: {text}"))
}
