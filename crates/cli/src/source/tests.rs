use narrows_core::PolicyValue;

use super::{Node, SourceFile};

fn source(text: &str) -> SourceFile {
    SourceFile { path: String::new(), text: text.to_owned() }
}

fn only(source: &SourceFile) -> Node {
    source.documents().unwrap().remove(0)
}

/// The text at the place of a value in the inner JSON.
fn inner<'t>(source: &'t SourceFile, path: &str) -> &'t str {
    let document = only(source);
    let node = source.inner(document.get("v").unwrap()).unwrap();
    &source.text[node.get(path).unwrap().at.clone()]
}

#[test]
fn json_in_a_string_is_found_however_it_is_written() {
    for text in [
        "v: |\n  { \"é\": 1,\n\n      \"a\": { \"b\": [1, 2],\n  \"c\": \"x y\" } }\n",
        "v: >-\n  { \"é\": 1,\n  \"a\": { \"b\": [1, 2],\n  \"c\": \"x y\" } }\n",
        "v: '{ \"é\": 1, \"''\": 2, \"a\": { \"b\": [1, 2],\n    \"c\": \"x y\" } }'\n",
        "{\"v\": \"{ \\\"é\\\": 1,\\n \\\"\\u00e9\\\": 2, \\\"a\\\": { \\\"b\\\": [1], \\\"c\\\": \\\"x y\\\" } }\"}",
    ] {
        let source = source(text);
        let found = inner(&source, "a.c").replace('\\', "");
        assert_eq!(found, "\"x y\"", "{text}");
        assert_eq!(inner(&source, "é"), "1", "{text}");
    }
}

#[test]
fn what_is_broken_inside_is_found_too() {
    for (text, at) in [
        ("v: |\n  { \"é\": 1,\n    \"a\" 2 }\n", (3, 9)),
        ("v: '{ \"é\": 1, \"a\" 2 }'\n", (1, 19)),
        ("{\"v\": \"{ \\\"é\\\": 1, \\\"a\\\" 2 }\"}", (1, 26)),
        ("v: no object\n", (1, 5)),
    ] {
        let source = source(text);
        let finding = source.inner(only(&source).get("v").unwrap()).unwrap_err();
        assert_eq!(finding.code.id, "NRW100");
        assert_eq!(source.position(finding.at.start), at, "{text}");
    }
}

#[test]
fn json_that_yaml_reads_otherwise_has_the_meaning_of_json() {
    let source = source("v: '{\"a\": 1e3, \"b\": \"\\/\", \"c\": \"\\ud83d\\ude00\"}'\n");
    let node = source.inner(only(&source).get("v").unwrap()).unwrap();
    let text = |text: &str| PolicyValue::Text(text.to_owned());
    let field = |name: &str, value| (name.to_owned(), value);
    let expected = PolicyValue::Table(vec![
        field("a", PolicyValue::Integer(1000)),
        field("b", text("/")),
        field("c", text("😀")),
    ]);
    assert_eq!(node.tree(), expected);
}

#[test]
fn positions_count_characters() {
    let source = source("é: ü\nb: 1\n");
    let node = only(&source);
    let (key, value) = &node.fields()[0];
    assert_eq!(source.position(key.at.start), (1, 1));
    assert_eq!(source.position(value.at.start), (1, 4));
    assert_eq!(source.position(node.get("b").unwrap().at.start), (2, 4));
    assert_eq!(source.position(1), (1, 1), "inside of a character");
}

#[test]
fn repeated_fields_and_documents_are_kept() {
    let source = source("a: 1\na: 2\n---\n---\n[]\n");
    let documents = source.documents().unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0].fields().len(), 2);
}
