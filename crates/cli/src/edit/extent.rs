//! How far a list or table reaches in the text of a file.

use std::ops::Range;

use super::{after, before};
use crate::source::{Node, Value};

/// The bytes of a list or table.
pub(super) fn extent(text: &str, node: &Node) -> Range<usize> {
    let start = start(text, node);
    if after(text, start).starts_with(['{', '[']) {
        return start..in_brackets(text, start);
    }
    let indent = column(text, start);
    // The elements of a list may stand where its key does, and so do the fields after it.
    let is_list = is_element(after(text, start).lines().next().unwrap_or_default().trim_end());
    let mut end = start;
    let mut at = start;
    for line in after(text, start).split_inclusive('\n') {
        let said = line.trim_end();
        let indented = line.len() - line.trim_start_matches(' ').len();
        let is_silent = said.trim_start().is_empty() || said.trim_start().starts_with('#');
        let is_over = indented < indent || is_list && indented == indent && !is_element(said.trim_start());
        if at > start && !is_silent && is_over {
            break;
        }
        if !is_silent {
            end = at + said.len();
        }
        at += line.len();
    }
    start..end
}

/// Whether a line is the beginning of an element of a list.
fn is_element(said: &str) -> bool {
    said == "-" || said.starts_with("- ")
}

/// Where a list or table begins. The reader says of a list that stands where its key does that it begins at its
/// first element; it begins at the dash.
fn start(text: &str, node: &Node) -> usize {
    let Value::List(elements) = &node.value else { return node.at.start };
    let said = after(text, node.at.start);
    let is_first = elements.first().is_some_and(|first| first.at.start == node.at.start);
    if !is_first && (said.starts_with('[') || is_element(said.lines().next().unwrap_or_default().trim_end()))
    {
        return node.at.start;
    }
    let head = before(text, node.at.start);
    if let Some(head) = head.trim_end().strip_suffix('-') {
        return head.len();
    }
    let line = head.rfind('\n').map_or(0, |newline| newline + 1);
    let said = after(head, line).trim_start();
    if said.starts_with("- ") { head.len() - said.len() } else { node.at.start }
}

/// The end of what is in brackets from there.
pub(super) fn in_brackets(text: &str, start: usize) -> usize {
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
pub(super) fn column(text: &str, at: usize) -> usize {
    at - before(text, at).rfind('\n').map_or(0, |newline| newline + 1)
}
