//! YAML that people can read, and that every parser reads in the same way.

use narrows_core::PolicyValue;

use super::json;
use crate::escape;

/// A document.
pub(crate) fn document(tree: &PolicyValue) -> String {
    let mut out = String::new();
    block(tree, 0, &mut out);
    out
}

fn block(tree: &PolicyValue, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match tree {
        PolicyValue::Table(fields) => {
            for (name, value) in fields {
                out.push_str(&format!("{pad}{}:", scalar_text(name)));
                value_after(value, indent, out);
            }
        }
        PolicyValue::List(elements) => {
            for element in elements {
                out.push_str(&format!("{pad}-"));
                match element {
                    PolicyValue::Table(fields) if !fields.is_empty() => {
                        // The first field is on the line of the dash.
                        let mut inner = String::new();
                        block(element, indent + 2, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    other => value_after(other, indent, out),
                }
            }
        }
        scalar => out.push_str(&format!("{pad}{}\n", flow(scalar, indent))),
    }
}

/// A value after `name:` or `-`: on the same line if it can be.
fn value_after(value: &PolicyValue, indent: usize, out: &mut String) {
    match value {
        PolicyValue::Table(fields) if !fields.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        PolicyValue::List(elements)
            if elements.iter().any(|e| matches!(e, PolicyValue::Table(_) | PolicyValue::List(_))) =>
        {
            out.push('\n');
            block(value, indent + 2, out);
        }
        other => out.push_str(&format!(" {}\n", flow(other, indent))),
    }
}

/// A value whose structure needs no lines of its own.
fn flow(tree: &PolicyValue, indent: usize) -> String {
    match tree {
        PolicyValue::Text(text) if is_block(text) => {
            let pad = " ".repeat(indent + 2);
            let lines =
                text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") });
            format!("|\n{}", lines.collect::<Vec<_>>().join("\n"))
        }
        PolicyValue::Text(text) => scalar_text(text),
        PolicyValue::List(elements) => {
            format!("[{}]", elements.iter().map(|e| flow(e, indent)).collect::<Vec<_>>().join(", "))
        }
        other => json::line(other),
    }
}

/// Whether a literal block gives this text of several lines back unchanged.
fn is_block(text: &str) -> bool {
    let printable = |line: &str| !line.ends_with(' ') && !line.chars().any(escape::hides);
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && text.len() > 1
        && !text.starts_with([' ', '\n'])
        && text.lines().all(printable)
}

/// Plain text where no reader can take it for anything else; otherwise text in quotes.
fn scalar_text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let url = text.split_once("://").is_some_and(|(scheme, rest)| {
        scheme.chars().all(|c| c.is_ascii_lowercase())
            && rest.chars().all(|c| plain(c) || ":@".contains(c))
            && !rest.ends_with(':')
    });
    if starts && (text.chars().all(plain) || url) && !words.contains(&&*text.to_ascii_lowercase()) {
        text.to_owned()
    } else {
        json::string(text)
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::PolicyValue;

    use super::document;
    use crate::source::SourceFile;

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{
            "a": "plain", "b": "yes", "c": "1.5", "d": "", "e": "*.x", "f": "oci://r:5000/a:1", "g": "a: b",
            "h": ["x", 1, "n"], "i": [], "j": {}, "k": [{"l": {"m": 1}, "o": ["p"]}, "q", [1, [2]], {}],
            "r": "{\n  \"s\": 1\n}\n", "t": "x\n\n", "u": " x\n", "v": "é\u0001", "w x": null, "y": true,
            "z": [{"multi": "a\nb\n", "then": 1}], "@type": "- x", "dash": "-", "tilde": "~", "e1": "0x1f",
            "nel": "x\u0085y\n", "bidi": "a\u202eb\u2028", "marks": "e\u0301 \u00e9 \ud83d\ude00"
        }"#;
        let tree = PolicyValue::parse(text.as_bytes()).unwrap();
        let written = document(&tree);
        let read = SourceFile { path: String::new(), text: written.clone() }.documents().unwrap();
        assert_eq!(read[0].tree(), tree, "{written}");
        assert!(!written.contains(['\u{85}', '\u{202e}', '\u{2028}']), "{written:?}");
    }
}
