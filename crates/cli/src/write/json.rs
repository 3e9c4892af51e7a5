//! JSON; fields are in the order written.

use narrows_core::PolicyValue;

use crate::escape;

/// The most columns of a line before it is broken.
const WIDTH: usize = 96;

/// A value on one line.
pub fn line(tree: &PolicyValue) -> String {
    match tree {
        PolicyValue::Null => "null".to_owned(),
        PolicyValue::Flag(flag) => flag.to_string(),
        PolicyValue::Integer(n) => n.to_string(),
        PolicyValue::Fraction(n) => n.to_string(),
        PolicyValue::Text(text) => string(text),
        PolicyValue::List(elements) if elements.is_empty() => "[]".to_owned(),
        PolicyValue::List(elements) => {
            format!("[{}]", elements.iter().map(line).collect::<Vec<_>>().join(", "))
        }
        PolicyValue::Table(fields) if fields.is_empty() => "{}".to_owned(),
        PolicyValue::Table(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", string(name), line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value over as many lines as it needs.
pub fn lines(tree: &PolicyValue) -> String {
    let mut text = String::new();
    broken(tree, 0, &mut text);
    text.push('\n');
    text
}

fn broken(tree: &PolicyValue, indent: usize, out: &mut String) {
    let whole = line(tree);
    if whole.len() + indent <= WIDTH {
        out.push_str(&whole);
        return;
    }
    let inner = indent + 2;
    let pad = " ".repeat(inner);
    match tree {
        PolicyValue::List(elements) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                out.push_str(if i == 0 { "\n" } else { ",\n" });
                out.push_str(&pad);
                broken(element, inner, out);
            }
            out.push_str(&format!("\n{}]", " ".repeat(indent)));
        }
        PolicyValue::Table(fields) => {
            out.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                out.push_str(if i == 0 { "\n" } else { ",\n" });
                out.push_str(&format!("{pad}{}: ", string(name)));
                broken(value, inner, out);
            }
            out.push_str(&format!("\n{}}}", " ".repeat(indent)));
        }
        _ => out.push_str(&whole),
    }
}

/// A string with its quotes, which is also valid YAML. What cannot be seen is escaped: YAML would fold
/// some of it, and a terminal would obey it.
pub(super) fn string(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let mut shown = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        let code = u32::from(c);
        if escape::hides(c) && code <= 0xffff {
            shown.push_str(&format!("\\u{code:04x}"));
        } else {
            shown.push(c);
        }
    }
    shown
}
