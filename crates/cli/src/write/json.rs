//! JSON; fields are in the order written.

use narrows_core::Tree;

/// The most columns of a line before it is broken.
const WIDTH: usize = 96;

/// A value on one line.
pub fn line(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Flag(flag) => flag.to_string(),
        Tree::Integer(n) => n.to_string(),
        Tree::Fraction(n) => n.to_string(),
        Tree::Text(text) => string(text),
        Tree::List(elements) if elements.is_empty() => "[]".to_owned(),
        Tree::List(elements) => format!("[{}]", elements.iter().map(line).collect::<Vec<_>>().join(", ")),
        Tree::Table(fields) if fields.is_empty() => "{}".to_owned(),
        Tree::Table(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", string(name), line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value over as many lines as it needs.
pub fn lines(tree: &Tree) -> String {
    let mut text = String::new();
    broken(tree, 0, &mut text);
    text.push('\n');
    text
}

fn broken(tree: &Tree, indent: usize, out: &mut String) {
    let whole = line(tree);
    if whole.len() + indent <= WIDTH {
        out.push_str(&whole);
        return;
    }
    let inner = indent + 2;
    let pad = " ".repeat(inner);
    match tree {
        Tree::List(elements) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                out.push_str(if i == 0 { "\n" } else { ",\n" });
                out.push_str(&pad);
                broken(element, inner, out);
            }
            out.push_str(&format!("\n{}]", " ".repeat(indent)));
        }
        Tree::Table(fields) => {
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

/// A string with its quotes, which is also valid YAML.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
