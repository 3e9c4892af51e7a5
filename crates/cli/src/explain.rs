//! What each code means, in more detail than fits into a message.

use std::sync::LazyLock;

use crate::code::{Code, READING, policy};
use crate::lint;

/// All codes, in order.
static ALL: LazyLock<Vec<&'static Code>> = LazyLock::new(|| {
    let policies = policy::ALL.iter().map(|fault| policy::of(*fault));
    let mut all: Vec<_> = policies.chain(READING.iter().copied()).chain(lint::codes()).collect();
    all.sort_by_key(|code| code.id);
    all
});

/// All codes, in order.
pub fn all() -> &'static [&'static Code] {
    &ALL
}

/// The code of that id.
pub fn find(id: &str) -> Option<&'static Code> {
    all().iter().copied().find(|code| code.id == id)
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn every_code_is_there_once_and_explained() {
        assert!(all().is_sorted_by(|a, b| a.id < b.id));
        assert!(all().iter().all(|code| !code.title.is_empty() && code.text.ends_with('.')));
    }
}
