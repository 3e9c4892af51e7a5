//! Paths that are written somewhere else.

use crate::error::CliError;
use crate::source::{Node, SourceFile};

/// The parts of a path's description: itself, and what it refers to in the same document. What is in
/// another file is refused: without its operations, a path would be allowed every method or none.
pub(super) fn parts<'n>(
    source: &SourceFile,
    document: &'n Node,
    path: &str,
    item: &'n Node,
) -> Result<Vec<&'n Node>, CliError> {
    let mut parts = vec![item];
    let mut last = item;
    while let Some(reference) = field(last, "$ref") {
        let what = format!("the path {path:?}");
        let pointer = reference.text().unwrap_or_default();
        let Some(pointer) = pointer.strip_prefix('#') else {
            return Err(elsewhere(source, &what, reference));
        };
        let found = pointer.split('/').skip(1).try_fold(document, |node, name| field(node, &decoded(name)));
        let Some(found) = found.filter(|found| !parts.iter().any(|part| std::ptr::eq(*part, *found))) else {
            let (line, column) = source.position(reference.at.start);
            return Err(CliError::new(
                format!(
                    "{what} refers to \"#{pointer}\" at line {line}, column {column}, which leads to no path"
                ),
                "name the place of a path in this document, or write its operations under the path",
            ));
        };
        parts.push(found);
        last = found;
    }
    Ok(parts)
}

/// The error for what is in another file.
pub(super) fn elsewhere(source: &SourceFile, what: &str, reference: &Node) -> CliError {
    let (line, column) = source.position(reference.at.start);
    let other = reference.text().unwrap_or_default();
    CliError::new(
        format!("{what} is in another file, {other:?}, at line {line}, column {column}"),
        "write it in this file: tools for OpenAPI bundle such files into one",
    )
}

/// A field by its whole name, which may have dots.
fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.fields().iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

/// A name of a JSON pointer in a URI.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = byte.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}
