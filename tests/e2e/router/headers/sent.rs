//! Requests: what stands under one name, from no line to four.

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;

use narrows_oracle::{Random, Test};

use super::condition::{Condition, TEXTS};

/// The lines of one header.
pub(super) struct Sent {
    pub(super) protocol: Protocol,
    name: &'static str,
    spelt: String,
    lines: Vec<Vec<u8>>,
}

/// Headers that Envoy holds once.
const ONCE: [&str; 3] = ["user-agent", "x-forwarded-host", "authorization"];

impl Sent {
    pub(super) fn generate(random: &mut Random, condition: &Condition, protocol: Protocol) -> Self {
        let lines = random.pick(&[0, 1, 1, 2, 2, 2, 3, 4]);
        let mut spelt = condition.name.to_owned();
        if protocol == Protocol::Http1 && random.once_in(3) {
            spelt.make_ascii_uppercase();
        }
        Self {
            protocol,
            name: condition.name,
            spelt,
            lines: (0..lines).map(|_| value(random, &condition.test)).collect(),
        }
    }

    pub(super) fn request(&self, number: usize) -> Request {
        let request = Request::get("a", &format!("/{number}")).header("x-other", "a");
        self.lines.iter().fold(request, |request, line| request.header(&self.spelt, line))
    }

    /// The values as Envoy reads them: HTTP/1 drops blanks, some headers are held once, and the
    /// cookies of HTTP/2 are put together again.
    pub(super) fn raw(&self) -> Vec<Vec<u8>> {
        let read = |line: &Vec<u8>| if self.protocol == Protocol::Http1 { bare(line) } else { line.clone() };
        let values: Vec<Vec<u8>> = self.lines.iter().map(read).collect();
        if self.name == "cookie" && self.protocol == Protocol::Http2 {
            // Nothing but empty crumbs is no cookie.
            let put = |all: Vec<u8>, crumb: &Vec<u8>| {
                let between: &[u8] = if all.is_empty() { b"" } else { b"; " };
                [&all, between, crumb].concat()
            };
            let all = values.iter().fold(Vec::new(), put);
            return if all.is_empty() { Vec::new() } else { vec![all] };
        }
        if !ONCE.contains(&self.name) || values.is_empty() {
            return values;
        }
        // Of a header that it holds once, Envoy drops what is empty.
        let filled: Vec<Vec<u8>> = values.into_iter().filter(|value| !value.is_empty()).collect();
        vec![filled.join(&b","[..])]
    }

    /// All values as one, as Envoy has them up to 1.38.
    pub(super) fn joined(&self) -> Vec<Vec<u8>> {
        let raw = self.raw();
        if raw.is_empty() { raw } else { vec![raw.join(&b","[..])] }
    }

    /// The values without the blanks around them.
    pub(super) fn bare(&self) -> Vec<Vec<u8>> {
        self.raw().iter().map(|value| bare(value)).collect()
    }

    pub(super) fn is_padded(&self) -> bool {
        self.raw() != self.bare()
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.lines.iter().all(|line| line.is_ascii())
    }
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{:?}", self.protocol)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{}:{}|", self.spelt, line.escape_ascii()))
    }
}

fn bare(value: &[u8]) -> Vec<u8> {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let before = value.iter().take_while(is_blank).count();
    let behind = value.iter().rev().take_while(is_blank).count();
    if before == value.len() { Vec::new() } else { value[before..value.len() - behind].to_vec() }
}

/// A value that meets a test, or nearly so, or not at all.
fn value(random: &mut Random, test: &Test) -> Vec<u8> {
    let mut value = match test {
        _ if random.once_in(5) => random.pick(&TEXTS).to_owned(),
        Test::Exact(text) | Test::Prefix(text) | Test::Suffix(text) | Test::Contains(text) => text.clone(),
        Test::In(texts) => texts[random.below(texts.len())].clone(),
        Test::Regex(_) => random.pick(&["a", "aa", "ab", "7", "b", "", "xb", "42"]).to_owned(),
        Test::Range(from, _) => {
            let near = *from - 2 + i64::try_from(random.below(10)).unwrap();
            let odd = ["+5", "-0", "05", "5.0", "0x5", "5,6", "", "99999999999999999999", "- 5", "5 5"];
            if random.once_in(3) { random.pick(&odd).to_owned() } else { near.to_string() }
        }
        Test::Present(_) => random.pick(&["", "a", "false"]).to_owned(),
    }
    .into_bytes();
    let more = random.pick(&[&b"a"[..], b"B", b",", b"\xff", b"\xc3\xa4", b"; ", b"\xe4", b"1"]);
    let blanks = random.pick(&[&b" "[..], b"\t", b" \t ", b"  "]);
    match random.below(12) {
        0 => value.make_ascii_uppercase(),
        1 => value.extend_from_slice(more),
        2 => value = [more, &value].concat(),
        3 => value = [blanks, &value].concat(),
        4 => value.extend_from_slice(blanks),
        5 => value = [blanks, &value, blanks].concat(),
        6 => value = [&value[..], b",", random.pick(&TEXTS).as_bytes()].concat(),
        7 if random.once_in(4) => value = value.repeat(1 + random.below(400)),
        8 if random.once_in(2) => value.clear(),
        _ => {}
    }
    value
}
