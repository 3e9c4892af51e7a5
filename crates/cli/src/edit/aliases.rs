//! Values that are written somewhere else: `&name` is an anchor, `*name` its alias.

use std::ops::Range;

use super::after;

/// Whether an alias stands there.
pub fn is_alias(text: &str, at: usize) -> bool {
    after(text, at).starts_with('*')
}

/// The name of the first anchor or alias in a part of a text, if the text has both of that name.
pub fn shared(text: &str, part: Range<usize>) -> Option<&str> {
    let part = text.get(part)?;
    let mut marks = part.match_indices(['&', '*']);
    marks.find_map(|(at, _)| {
        let before = part.get(..at)?;
        let begins = before.is_empty() || before.ends_with([' ', '\t', '\n', '[', '{', ',']);
        let rest = after(part, at + 1);
        let is_end = |c: char| c.is_whitespace() || "[]{},".contains(c);
        let name = rest.get(..rest.find(is_end).unwrap_or(rest.len()))?;
        let has = |mark: char| text.contains(&format!("{mark}{name}"));
        (begins && !name.is_empty() && has('&') && has('*')).then_some(name)
    })
}
