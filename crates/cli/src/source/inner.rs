//! JSON inside a string of another file, as in Envoy's `StringValue`.

use std::ops::Range;

use narrows_core::{Code, PolicyValue};
use serde::de::IgnoredAny;

use super::{Node, json, line_of, node};
use crate::code::policy;
use crate::finding::{Finding, Level};

/// Reads the JSON in a string, with its places in the text around it.
///
/// The filter will read it as JSON, so it is read as JSON here. For the places only, it is read a
/// second time as YAML; almost every JSON text is also YAML.
pub(super) fn read(text: &str, string: &Node) -> Result<Node, Finding> {
    let content = string.text().unwrap_or_default();
    let outer = outwards(text, string);
    let tree = PolicyValue::parse(content.as_bytes()).map_err(|invalid| {
        let broken = serde_json::from_str::<IgnoredAny>(content).err();
        let at = broken.as_ref().map_or(0, |e| json::offset(content, e));
        let fault = invalid.faults().first();
        let message = fault.map(|fault| fault.message.clone()).unwrap_or_default();
        let place = broken.map(|e| format!(" at line {} column {}", e.line(), e.column()));
        let at = outer(&(at..at + 1));
        Finding {
            code: policy::of(fault.map_or(Code::NotJson, |fault| fault.code)),
            level: Level::Error,
            // A block of several lines is too long to point at.
            at: if at.is_empty() { string.at.start..line_of(text, string.at.start).end } else { at },
            place: String::new(),
            message: message.replace(&place.unwrap_or_default(), ""),
            help: fault.map(|fault| fault.help.clone()).unwrap_or_default(),
        }
    })?;
    let placed = node::documents(content).ok().and_then(|documents| documents.into_iter().next());
    Ok(match placed {
        Some(mut node) if node.tree() == tree => {
            node.relocate(&outer);
            node
        }
        _ => Node::unplaced(&tree, &(string.at.start..line_of(text, string.at.start).end)),
    })
}

/// The YAML in a string, with its places in the text around it; nothing if it is none.
pub(super) fn documents(text: &str, string: &Node) -> Vec<Node> {
    let mut documents = node::documents(string.text().unwrap_or_default()).unwrap_or_default();
    let outer = outwards(text, string);
    documents.iter_mut().for_each(|node| node.relocate(&outer));
    documents
}

/// From a place in the content of a string to the place in the text around the string.
fn outwards(text: &str, string: &Node) -> impl Fn(&Range<usize>) -> Range<usize> {
    let offsets = align(string.text().unwrap_or_default(), text, &string.at);
    let end = string.at.end;
    move |inner| {
        let of = |at: usize| offsets.get(at).cloned().unwrap_or(end..end);
        let start = of(inner.start).start;
        let end = if inner.is_empty() { start } else { of(inner.end - 1).end };
        start..end.max(start)
    }
}

/// For each byte of a string's content, its place in the text around the string.
///
/// White space may have been folded or cut off, and escapes resolved. All other characters are there in
/// the same order.
fn align(content: &str, text: &str, at: &Range<usize>) -> Vec<Range<usize>> {
    let raw = text.get(at.clone()).unwrap_or_default();
    let escaped = raw.starts_with('"');
    let mut offsets = Vec::with_capacity(content.len());
    let mut place = usize::from(raw.starts_with(['"', '\'']));
    for character in content.chars() {
        let rest = raw.get(place..).unwrap_or_default();
        let found = if character.is_whitespace() && !rest.starts_with(character) {
            0
        } else {
            rest.find(|c: char| c == character || (escaped && c == '\\')).unwrap_or(0)
        };
        place += found;
        let start = at.start + place;
        place += width(raw.get(place..).unwrap_or_default(), character, escaped);
        offsets.extend(std::iter::repeat_n(start..at.start + place, character.len_utf8()));
    }
    offsets
}

/// How many bytes of the text encode a character of the content.
fn width(rest: &str, character: char, escaped: bool) -> usize {
    if escaped && rest.starts_with('\\') {
        return match rest.as_bytes().get(1) {
            Some(b'x') => 4,
            Some(b'u') => 6,
            Some(b'U') => 10,
            _ => 2,
        };
    }
    match rest.chars().next() {
        // 'it''s'
        Some('\'') if rest.starts_with("''") => 2,
        Some(c) if c == character => c.len_utf8(),
        _ => 0,
    }
}
