//! Expressions, and values that they may match.

use narrows_oracle::Random;

const PARTS: [&str; 46] = [
    "a",
    "b",
    "k",
    "s",
    "é",
    "日",
    ".",
    ".",
    "/",
    "{",
    "}",
    "{id}",
    "{,3}",
    "-",
    "ab",
    "",
    "^",
    "$",
    "(?s:.)",
    "(?i:k)",
    "(?i:s)",
    "(?i:[^s])",
    "(?i:[a-z]+)",
    r"(?i:\w)",
    r"(?i:\W)",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    r"\b",
    r"\B",
    r"\.",
    r"\x{e9}",
    r"\pL",
    r"\xe9",
    r"\101",
    r"\C",
    r"\Qa.b\E",
    "[^/]",
    "[^a-c]",
    "[à-ü]",
    "[[:alpha:]]",
    "[^é]",
    r"[\x00-\x7f]",
];
const REPEATS: [&str; 9] = ["*", "+", "?", "*?", "+?", "{2}", "{0,3}", "{3,}", "{,2}"];
const FLAGS: [&str; 6] = ["(?i:", "(?s:", "(?m:", "(?U:", "(?i-s:", "("];

/// An expression as RE2 reads it, of some depth.
pub(in crate::router) fn expression(random: &mut Random, depth: u32) -> String {
    if depth == 0 {
        return random.pick(&PARTS).to_owned();
    }
    let mut inner = || expression(random, depth - 1);
    let (one, other) = (inner(), inner());
    match random.below(6) {
        0 | 1 => one + &other,
        2 => format!("(?:{one}|{other})"),
        3 => format!("(?:{one}){}", random.pick(&REPEATS)),
        4 => format!("{}{one})", random.pick(&FLAGS)),
        _ => one,
    }
}

/// A value that an expression matches, or nearly so, or not at all; not all of them are UTF-8. Header
/// lines hold no line ends and no zero bytes.
pub(in crate::router) fn value(random: &mut Random, expression: &str) -> Vec<u8> {
    let mut value = sample(random, expression);
    match random.below(6) {
        0 => value.extend(chunk(random)),
        1 => value = [chunk(random), value].concat(),
        2 => value = (0..random.below(5)).flat_map(|_| chunk(random)).collect(),
        3 => {
            let at = random.below(value.len() + 1);
            value.splice(at..at, chunk(random));
        }
        _ => {}
    }
    value.retain(|byte| !byte.is_ascii_control());
    value
}

fn chunk(random: &mut Random) -> Vec<u8> {
    let chunks: [&[u8]; 29] = [
        b"a",
        b"b",
        b"k",
        b"s",
        b"S",
        b"K",
        b"/",
        b"{",
        b"}",
        b"-",
        b"0",
        b".",
        b"{id}",
        b"Z",
        b"_",
        b"x y",
        "é".as_bytes(),
        "日".as_bytes(),
        "ü".as_bytes(),
        "\u{17f}".as_bytes(),
        "\u{212a}".as_bytes(),
        "\u{1F600}".as_bytes(),
        b"\xff",
        b"\x80",
        b"\xc3",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\x80",
    ];
    random.pick(&chunks).to_vec()
}

/// What an expression says, read roughly.
fn sample(random: &mut Random, expression: &str) -> Vec<u8> {
    let mut value = Vec::new();
    let mut rest = expression.chars().peekable();
    let mut skips = 0usize;
    while let Some(c) = rest.next() {
        let text = match c {
            '\\' => match rest.next() {
                Some('d') => "7".to_owned(),
                Some('w' | 'S' | 'W' | 'D') => "w".to_owned(),
                Some('s') => " x".to_owned(),
                Some('b' | 'B' | 'z' | 'A' | 'Q' | 'E') | None => String::new(),
                Some(c) => c.to_string(),
            },
            '[' => {
                let first = rest.next().filter(|c| *c != '^');
                let mut last = first;
                while let Some(c) = rest.next_if(|c| *c != ']') {
                    last = Some(c);
                }
                rest.next();
                let picked = if random.once_in(2) { first } else { last };
                picked.map_or_else(|| "z".to_owned(), |c| c.to_string())
            }
            '(' if rest.next_if_eq(&'?').is_some() => {
                while rest.next_if(|c| !matches!(c, ':' | ')' | '>')).is_some() {}
                rest.next();
                String::new()
            }
            '.' => "x".repeat(random.below(3)),
            '|' => {
                skips += 1;
                String::new()
            }
            ')' => {
                skips = skips.saturating_sub(1);
                String::new()
            }
            '(' | '^' | '$' | '*' | '+' | '?' => String::new(),
            c => c.to_string(),
        };
        if skips == 0 {
            value.extend_from_slice(text.as_bytes());
        }
    }
    value
}
