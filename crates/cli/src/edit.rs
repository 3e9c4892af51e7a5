//! Changes a file of YAML or JSON in place: whatever is not changed stays to the byte, comments too.

use std::ops::Range;

use narrows_core::PolicyValue;
use serde_json::Value;

use crate::source::{Key, Node, Value as Written};

/// Text in the place of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes.
    pub at: Range<usize>,
    /// What is there then.
    pub text: String,
}

/// The text with these edits, which do not overlap.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.at.start));
    let mut changed = text.to_owned();
    for Edit { at, text } in edits {
        changed = [before(&changed, at.start), &text, after(&changed, at.end)].concat();
    }
    changed
}

fn before(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or(text)
}

fn after(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// What makes a value another one. Where both are tables with the same fields, only what differs inside
/// is changed.
pub fn patch(text: &str, key: Option<&Key>, node: &Node, wanted: &Value) -> Vec<Edit> {
    match (&node.value, wanted) {
        (Written::Table(fields), Value::Object(members))
            if fields.len() == members.len()
                && fields.iter().all(|(key, _)| members.contains_key(&key.name)) =>
        {
            let inner = fields.iter().filter_map(|(key, value)| Some((key, value, members.get(&key.name)?)));
            inner.flat_map(|(key, value, wanted)| patch(text, Some(key), value, wanted)).collect()
        }
        (Written::List(elements), Value::Array(wanted)) if elements.len() == wanted.len() => {
            elements.iter().zip(wanted).flat_map(|(node, wanted)| patch(text, None, node, wanted)).collect()
        }
        (Written::Scalar(scalar), wanted) if is(scalar, wanted) => Vec::new(),
        (Written::Scalar(_), Value::Object(_) | Value::Array(_))
        | (Written::List(_) | Written::Table(_), _) => {
            vec![replaced(text, key, node, wanted)]
        }
        (Written::Scalar(_), _) => vec![Edit { at: node.at.clone(), text: flow(wanted) }],
    }
}

/// A field more in a table.
pub fn insert(text: &str, table: &Node, name: &str, value: &Value) -> Edit {
    let end = extent(text, table.at.start).end;
    // In JSON every name and every text is in quotes.
    let is_quoted = |(key, _): &(Key, Node)| after(text, key.at.start).starts_with('"');
    let field = if !table.fields().is_empty() && table.fields().iter().all(is_quoted) {
        format!("{name:?}: {value}")
    } else {
        format!("{name}: {}", flow(value))
    };
    if after(text, table.at.start).starts_with('{') {
        // Behind the last value: a comment may follow it.
        let last = table.fields().last().map(|(_, value)| {
            let is_in_brackets = after(text, value.at.start).starts_with(['{', '[']);
            if is_in_brackets { in_brackets(text, value.at.start) } else { value.at.end }
        });
        return match last {
            Some(last) => Edit { at: last..last, text: format!(", {field}") },
            None => Edit { at: table.at.start + 1..end.saturating_sub(1), text: format!(" {field} ") },
        };
    }
    let indent = " ".repeat(column(text, table.at.start));
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Edit { at: end..end, text: format!("{newline}{indent}{field}") }
}

/// Another field in the place of one.
pub fn renamed(text: &str, (key, node): (&Key, &Node), name: &str, value: &Value) -> Edit {
    let quote = after(text, key.at.start).chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.map(String::from).unwrap_or_default();
    let end = extent(text, node.at.start).end;
    Edit { at: key.at.start..end, text: format!("{quote}{name}{quote}: {}", flow(value)) }
}

fn replaced(text: &str, key: Option<&Key>, node: &Node, wanted: &Value) -> Edit {
    let extent = extent(text, node.at.start);
    let Some(key) = key else { return Edit { at: extent, text: flow(wanted) } };
    let colon = after(text, key.at.end).find(':').map_or(key.at.end, |colon| key.at.end + colon + 1);
    Edit { at: colon..extent.end, text: format!(" {}", flow(wanted)) }
}

/// The bytes of a list or table that begins there.
fn extent(text: &str, start: usize) -> Range<usize> {
    if after(text, start).starts_with(['{', '[']) {
        return start..in_brackets(text, start);
    }
    let indent = column(text, start);
    let mut end = start;
    let mut at = start;
    for line in after(text, start).split_inclusive('\n') {
        let said = line.trim_end();
        let indented = line.len() - line.trim_start_matches(' ').len();
        let is_silent = said.trim_start().is_empty() || said.trim_start().starts_with('#');
        if at > start && !is_silent && indented < indent {
            break;
        }
        if !is_silent {
            end = at + said.len();
        }
        at += line.len();
    }
    start..end
}

/// The end of what is in brackets from there.
fn in_brackets(text: &str, start: usize) -> usize {
    let (mut depth, mut quote, mut escaped, mut comment) = (0usize, None, false, false);
    let mut last = ' ';
    for (at, c) in after(text, start).char_indices() {
        match (quote, c) {
            _ if comment => comment = c != '\n',
            (Some('"'), '\\') if !escaped => escaped = true,
            (Some(open), c) if c == open && !escaped => quote = None,
            (Some(_), _) => escaped = false,
            (None, '#') if last.is_whitespace() => comment = true,
            (None, '"' | '\'') if !last.is_alphanumeric() => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + at + 1;
                }
            }
            (None, _) => {}
        }
        last = c;
    }
    text.len()
}

/// How far a place is from the beginning of its line.
fn column(text: &str, at: usize) -> usize {
    at - before(text, at).rfind('\n').map_or(0, |newline| newline + 1)
}

fn is(scalar: &PolicyValue, wanted: &Value) -> bool {
    match (scalar, wanted) {
        (PolicyValue::Null, Value::Null) => true,
        (PolicyValue::Flag(flag), Value::Bool(wanted)) => flag == wanted,
        (PolicyValue::Integer(number), wanted) => Some(*number) == wanted.as_i64(),
        (PolicyValue::Text(text), Value::String(wanted)) => text == wanted,
        _ => false,
    }
}

/// A value on one line.
pub fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", word(name), flow(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

/// A text without quotes where every reader takes it for that text.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
            .contains(&&*text.to_ascii_lowercase());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{apply, insert, patch, renamed};
    use crate::source::SourceFile;

    fn patched(text: &str, path: &str, wanted: &serde_json::Value) -> String {
        let file = SourceFile { path: String::new(), text: text.to_owned() };
        let documents = file.documents().unwrap();
        let (key, node) = documents[0].field(path).unwrap();
        apply(text, patch(text, Some(key), node, wanted))
    }

    #[test]
    fn only_what_differs_changes() {
        let text = "a:\n  b: 1 # one\n  c: { d: 'x', e: [1, 2] }  # two\n# end\n";
        let wanted = json!({ "b": 2, "c": { "d": "y z", "e": [1, 3] } });
        let expected = "a:\n  b: 2 # one\n  c: { d: \"y z\", e: [1, 3] }  # two\n# end\n";
        assert_eq!(patched(text, "a", &wanted), expected);
    }

    #[test]
    fn what_has_another_shape_is_written_anew() {
        let text = "a:\n  b:\n    c: 1\n    d: '}'\n\n  # for e\n  e: 1\n";
        let expected = "a:\n  b: { x: true }\n\n  # for e\n  e: 1\n";
        assert_eq!(patched(text, "a.b", &json!({ "x": true })), expected);
        let text = "{ a: { b: \"}\", c: don't }, d: 1 }";
        assert_eq!(patched(text, "a", &json!(null)), "{ a: null, d: 1 }");
    }

    #[test]
    fn a_field_takes_the_place_of_another() {
        for (text, expected) in [
            ("- { a: 1, b: { c: [1] }, d: 2 } # why\n", "- { a: 1, e: 5, d: 2 } # why\n"),
            ("- { \"b\": {\"c\": 1} }\n", "- { \"e\": 5 }\n"),
            ("- b:\n    c:\n      - 1\n    # no more\n  d: 2\n", "- e: 5\n    # no more\n  d: 2\n"),
        ] {
            let file = SourceFile { path: String::new(), text: text.to_owned() };
            let documents = file.documents().unwrap();
            let (key, node) = documents[0].elements()[0].field("b").unwrap();
            assert_eq!(apply(text, vec![renamed(text, (key, node), "e", &json!(5))]), expected);
        }
    }

    #[test]
    fn fields_are_added() {
        for (text, expected) in [
            ("- { a: 1 }\n", "- { a: 1, b: { c: off-hand } }\n"),
            ("- {}\n", "- { b: { c: off-hand } }\n"),
            ("- a:\n    x: 1 # why\n\n- a: 2\n", "- a:\n    x: 1 # why\n  b: { c: off-hand }\n\n- a: 2\n"),
        ] {
            let file = SourceFile { path: String::new(), text: text.to_owned() };
            let documents = file.documents().unwrap();
            let edit = insert(text, &documents[0].elements()[0], "b", &json!({ "c": "off-hand" }));
            assert_eq!(apply(text, vec![edit]), expected);
        }
    }
}
