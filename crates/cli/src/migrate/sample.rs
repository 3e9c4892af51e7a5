//! A text that an expression describes, for a case. Not every expression has one here: the caller asks the
//! filter's own matcher whether it fits.

use std::iter::Peekable;
use std::str::Chars;

/// More repetitions make no better example.
const MOST: usize = 100;

/// A short text that the expression probably matches as a whole.
pub(super) fn of(expression: &str) -> String {
    let mut chars = expression.chars().peekable();
    let text = branch(&mut chars, 0);
    text.chars().take(1_000).collect()
}

/// The first branch; the others are passed over up to the end of the group.
fn branch(chars: &mut Peekable<Chars<'_>>, depth: usize) -> String {
    let mut text = String::new();
    let mut is_first = true;
    while let Some(c) = chars.peek().copied() {
        if c == ')' {
            break;
        }
        chars.next();
        if c == '|' {
            is_first = false;
            continue;
        }
        let piece = match c {
            '^' | '$' => continue,
            '(' => group(chars, depth),
            '[' => class(chars),
            '.' => "x".to_owned(),
            '\\' => escape(chars.next().unwrap_or('\\')),
            other => other.to_string(),
        };
        let times = quantifier(chars);
        if is_first {
            text.push_str(&piece.repeat(times));
        }
    }
    text
}

fn group(chars: &mut Peekable<Chars<'_>>, depth: usize) -> String {
    if depth > MOST {
        return String::new();
    }
    if chars.next_if_eq(&'?').is_some() {
        // Flags or a name: up to the colon, the bracket or the end.
        while let Some(c) = chars.peek().copied() {
            if c == ')' {
                break;
            }
            chars.next();
            if c == ':' || c == '>' {
                break;
            }
        }
    }
    let inner = branch(chars, depth + 1);
    chars.next_if_eq(&')');
    inner
}

fn class(chars: &mut Peekable<Chars<'_>>) -> String {
    let is_negated = chars.next_if_eq(&'^').is_some();
    let mut members: Vec<(char, char)> = Vec::new();
    let mut is_start = true;
    while let Some(c) = chars.next() {
        if c == ']' && !is_start {
            break;
        }
        is_start = false;
        let from =
            if c == '\\' { escape(chars.next().unwrap_or('\\')).chars().next().unwrap_or('x') } else { c };
        let to = if chars.next_if_eq(&'-').is_some() {
            match chars.peek().copied() {
                Some(']') | None => {
                    members.push(('-', '-'));
                    from
                }
                Some(to) => {
                    chars.next();
                    to
                }
            }
        } else {
            from
        };
        members.push((from, to));
    }
    let has = |c: char| members.iter().any(|(from, to)| (*from..=*to).contains(&c));
    let chosen = if is_negated {
        "xa0-_~Z".chars().find(|c| !has(*c))
    } else {
        members.first().map(|(from, _)| *from)
    };
    chosen.unwrap_or('x').to_string()
}

fn escape(c: char) -> String {
    match c {
        'd' => "1",
        'w' | 'D' | 'S' => "x",
        's' => " ",
        'W' => "-",
        'b' | 'B' | 'A' | 'z' | 'Q' | 'E' => "",
        't' => "\t",
        other => return other.to_string(),
    }
    .to_owned()
}

/// How often a piece is written: as rarely as it may be.
fn quantifier(chars: &mut Peekable<Chars<'_>>) -> usize {
    let times = match chars.peek() {
        Some('?' | '*') => {
            chars.next();
            0
        }
        Some('+') => {
            chars.next();
            1
        }
        Some('{') => {
            chars.next();
            let inner: String = chars.by_ref().take_while(|c| *c != '}').collect();
            inner.split(',').next().and_then(|least| least.parse().ok()).unwrap_or(1)
        }
        _ => return 1,
    };
    // The lazy form means the same.
    chars.next_if_eq(&'?');
    times.min(MOST)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn samples_are_what_expressions_describe() {
        for (expression, sample) in [
            ("(.*; )?beta=1(;.*)?", "beta=1"),
            ("^/v[0-9]+/users/([^/]+)$", "/v0/users/x"),
            ("a|b", "a"),
            ("(?i:x{2,3})(?P<n>y)", "xxy"),
            (r"\d{3}\.\w+", "111.x"),
            ("[^x]", "a"),
            ("[-a]+", "-"),
        ] {
            assert_eq!(of(expression), sample, "{expression}");
        }
    }
}
