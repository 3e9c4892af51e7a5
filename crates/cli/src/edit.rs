//! Changes a file of YAML or JSON in place: whatever is not changed stays to the byte, comments too.

mod aliases;
mod changes;
mod extent;

use std::ops::Range;

use narrows_core::PolicyValue;
use serde_json::Value;

use crate::source::{Key, Node, SourceFile, Value as Written};
pub use aliases::{is_alias, shared};
pub use changes::{Change, changes};
use extent::{column, extent, in_brackets};

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

/// Makes the edits of one file, in its spelling.
pub struct Editor<'t> {
    text: &'t str,
    /// Whether whoever reads the file knows no other spelling than that of JSON.
    is_json: bool,
}

impl<'t> Editor<'t> {
    /// For a file, or a document of one.
    pub fn of(file: &'t SourceFile) -> Self {
        Self { text: &file.text, is_json: file.is_json() }
    }

    /// A field of a table: what is there becomes this value, even if it is nothing; else the field is added.
    pub fn set(&self, table: &Node, name: &str, value: &Value) -> Vec<Edit> {
        match table.fields().iter().find(|(key, _)| key.name == name) {
            Some((key, node)) => self.patch(Some(key), node, value),
            None => vec![self.insert(table, &[(name, value)])],
        }
    }

    /// What makes a value another one. Where both are tables and no field goes, only what differs inside is
    /// changed, and what is new is added.
    pub fn patch(&self, key: Option<&Key>, node: &Node, wanted: &Value) -> Vec<Edit> {
        if let (Written::Scalar(PolicyValue::Null), Some(key), false) = (&node.value, key, wanted.is_null()) {
            return vec![self.filled(key, node, wanted)];
        }
        match (&node.value, wanted) {
            (Written::Table(fields), Value::Object(members))
                if fields.iter().all(|(key, _)| members.contains_key(&key.name)) =>
            {
                let inner =
                    fields.iter().filter_map(|(key, value)| Some((key, value, members.get(&key.name)?)));
                let changed = inner.flat_map(|(key, value, wanted)| self.patch(Some(key), value, wanted));
                let is_new = |name: &str| fields.iter().all(|(key, _)| key.name != name);
                let new: Vec<(&str, &Value)> = members
                    .iter()
                    .map(|(name, value)| (name.as_str(), value))
                    .filter(|(name, _)| is_new(name))
                    .collect();
                let added = (!new.is_empty()).then(|| self.insert(node, &new));
                changed.chain(added).collect()
            }
            (Written::List(elements), Value::Array(wanted)) if elements.len() == wanted.len() => elements
                .iter()
                .zip(wanted)
                .flat_map(|(node, wanted)| self.patch(None, node, wanted))
                .collect(),
            (Written::Scalar(scalar), wanted) if is(scalar, wanted) => Vec::new(),
            (Written::Scalar(_), Value::Object(_) | Value::Array(_)) if !self.is_json => {
                vec![self.replaced(key, node, wanted)]
            }
            (Written::Scalar(_), _) => vec![Edit { at: node.at.clone(), text: self.written(wanted) }],
            (Written::List(_) | Written::Table(_), _) => vec![self.replaced(key, node, wanted)],
        }
    }

    /// More fields in a table.
    fn insert(&self, table: &Node, new: &[(&str, &Value)]) -> Edit {
        let text = self.text;
        let end = extent(text, table).end;
        // In JSON every name and every text is in quotes.
        let is_quoted = |(key, _): &(Key, Node)| after(text, key.at.start).starts_with('"');
        let is_json = self.is_json || !table.fields().is_empty() && table.fields().iter().all(is_quoted);
        let fields = new.iter().map(|(name, value)| {
            if is_json { format!("{name:?}: {value}") } else { format!("{}: {}", word(name), flow(value)) }
        });
        let fields: Vec<String> = fields.collect();
        if after(text, table.at.start).starts_with('{') {
            // Behind the last value: a comment may follow it.
            let last = table.fields().last().map(|(_, value)| {
                let is_in_brackets = after(text, value.at.start).starts_with(['{', '[']);
                if is_in_brackets { in_brackets(text, value.at.start) } else { value.at.end }
            });
            let fields = fields.join(", ");
            let inside = table.at.start + 1..end.saturating_sub(1);
            return last.map_or_else(
                || Edit { at: inside, text: format!(" {fields} ") },
                |last| Edit { at: last..last, text: format!(", {fields}") },
            );
        }
        let indent = " ".repeat(column(text, table.at.start));
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = fields.iter().map(|field| format!("{newline}{indent}{field}"));
        Edit { at: end..end, text: lines.collect() }
    }

    /// Another field in the place of one.
    pub fn renamed(&self, (key, node): (&Key, &Node), name: &str, value: &Value) -> Edit {
        let quote = after(self.text, key.at.start).chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.map(String::from).unwrap_or_default();
        let end = extent(self.text, node).end;
        Edit { at: key.at.start..end, text: format!("{quote}{name}{quote}: {}", self.written(value)) }
    }

    fn replaced(&self, key: Option<&Key>, node: &Node, wanted: &Value) -> Edit {
        let extent = extent(self.text, node);
        let Some(key) = key else { return Edit { at: extent, text: self.written(wanted) } };
        let colon = after(self.text, key.at.end).find(':').map_or(key.at.end, |colon| key.at.end + colon + 1);
        Edit { at: colon..extent.end, text: format!(" {}", self.written(wanted)) }
    }

    /// A value in the place of none. Mostly nothing is written there, and then it has no place.
    fn filled(&self, key: &Key, node: &Node, wanted: &Value) -> Edit {
        let value = self.written(wanted);
        if ["null", "Null", "NULL", "~"].contains(&self.text.get(node.at.clone()).unwrap_or_default()) {
            return Edit { at: node.at.clone(), text: value };
        }
        let rest = after(self.text, key.at.end);
        let colon = rest.trim_start_matches(['"', '\'', ' ', '\t']);
        let at = key.at.end + rest.len() - colon.len();
        if colon.starts_with(':') {
            return Edit { at: at + 1..at + 1, text: format!(" {value}") };
        }
        // `{ a, b }` has names alone.
        Edit { at: key.at.end..key.at.end, text: format!(": {value}") }
    }

    /// A value on one line.
    fn written(&self, value: &Value) -> String {
        if self.is_json { value.to_string() } else { flow(value) }
    }
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

/// A value on one line, as YAML has it.
fn flow(value: &Value) -> String {
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

    use super::{Editor, apply};
    use crate::source::SourceFile;

    fn patched(text: &str, path: &str, wanted: &serde_json::Value) -> String {
        let file = SourceFile { path: String::new(), text: text.to_owned() };
        let documents = file.documents().unwrap();
        let (key, node) = documents[0].field(path).unwrap();
        apply(text, Editor::of(&file).patch(Some(key), node, wanted))
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
    fn a_list_may_stand_where_its_key_does() {
        for list in [
            "- x\n  # two\n  - y: 1\n    z: 2\n",
            "- { x: 1 }\n  - - y\n    - z\n",
            "- &a x\n  - *a\n  - z\n",
            "-\n    x: 1\n  - y\n  - z\n",
            "  - x\n    - y\n",
        ] {
            let text = format!("a:\n  b:\n  {list}\n  # for c\n  c: 1 # one\n");
            let expected = "a:\n  b: [x]\n\n  # for c\n  c: 2 # one\n";
            assert_eq!(patched(&text, "a", &json!({ "b": ["x"], "c": 2 })), expected);
        }
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
            assert_eq!(apply(text, vec![Editor::of(&file).renamed((key, node), "e", &json!(5))]), expected);
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
            let edits = Editor::of(&file).set(&documents[0].elements()[0], "b", &json!({ "c": "off-hand" }));
            assert_eq!(apply(text, edits), expected);
        }
    }
}
