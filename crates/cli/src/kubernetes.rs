//! Names as Kubernetes takes them.

/// What to write in place of a name that it refuses.
pub(crate) const HELP: &str = "write lower-case letters, digits and \"-\", at most 63 between two dots";

/// The name of a namespace: a DNS label in lower case.
pub(crate) fn is_label(text: &str) -> bool {
    let is_in = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(is_in)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name of a resource: labels with dots between.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}
