//! Anchors of YAML in a list that is read one request after the other: they reach no other request.

use std::collections::BTreeSet;

use narrows_cases::{Fault, yaml};
use serde_json::Value;

/// How an anchor of another request can be done without.
const HELP: &str = "write the value itself; or indent the whole list by a blank: then it is read as a whole";

/// In a longer request nothing is looked for: that takes time, and an alias of the next one is a fault too.
const LARGEST: usize = 1 << 16;
/// Behind so many names nothing is looked for either: the request is read again for each.
const MOST: usize = 64;

/// The fault of the first anchor of a request that nothing in the request uses: it is meant for another
/// request.
pub(super) fn without_use(request: &str) -> Option<Fault> {
    if request.len() > LARGEST {
        return None;
    }
    let is_unused = |name: &str| !request.contains(&format!("*{name}")) && is_anchor(request, name);
    let (line, number, at, name) = each_name(request).find(|(.., name)| is_unused(name))?;
    let column = line.get(..at).map_or(1, |before| before.chars().count() + 1);
    let message =
        format!("the anchor &{name} does not reach the other requests, and this one has no use of it");
    Some(Fault { line: number, column, message, help: Some(HELP.to_owned()) })
}

/// What looks like the name of an anchor, each name once: with the line and the place in it where it is
/// first, and that line's number.
fn each_name(request: &str) -> impl Iterator<Item = (&str, usize, usize, &str)> {
    let mut known = BTreeSet::new();
    let lines = request.lines().zip(1..);
    let all = lines.flat_map(|(line, number)| names(line).map(move |(at, name)| (line, number, at, name)));
    all.filter(move |(.., name)| known.insert(*name)).take(MOST)
}

/// The same fault with what to do about an anchor that may stand in an earlier request.
pub(super) fn told(fault: Fault) -> Fault {
    if fault.message != "no anchor stands before this alias" {
        return fault;
    }
    let message =
        "no anchor stands before this alias in the request, and those of other requests do not reach it";
    let help = format!("{HELP}; put a text that begins with \"*\" in quotes");
    Fault { message: message.to_owned(), help: Some(help), ..fault }
}

/// What looks like the names of anchors in a line, each with the place of its `&`.
fn names(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins = line.match_indices('&').filter(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t', '[', '{', ','])
    });
    begins.filter_map(|(at, _)| {
        let rest = line.get(at + 1..)?;
        let is_end = |c: char| c.is_whitespace() || "[]{},".contains(c);
        let name = rest.get(..rest.find(is_end).unwrap_or(rest.len()))?;
        (!name.is_empty()).then_some((at, name))
    })
}

/// Whether the reader of YAML takes this for an anchor, and not for a part of a text.
fn is_anchor(request: &str, name: &str) -> bool {
    yaml::<Vec<Value>>(&format!("{request}\n- *{name}\n")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{MOST, each_name};

    #[test]
    fn each_name_is_asked_about_once() {
        let request = format!("- target: /\n  body: \"x{} \"\n  authority: &a b\n", " &nbsp;".repeat(3000));
        let asked: Vec<_> = each_name(&request).map(|(_, number, at, name)| (number, at, name)).collect();
        assert_eq!(asked, [(2, 11, "nbsp;"), (3, 13, "a")]);
        let request: String = (0..3000).map(|n| format!(" &a{n}")).collect();
        assert_eq!(each_name(&request).count(), MOST);
    }
}
