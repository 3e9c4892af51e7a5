//! Lists of words, for messages and for what filters record for each other.

/// Words with a separator between them. The standard library's `join` would add a kilobyte for each
/// kind of list.
pub(crate) fn joined(words: &mut dyn Iterator<Item = &str>, separator: &str) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push_str(word);
    }
    text
}
