//! What the README of metric-tags shows.

use narrows_harness::{markdown, root};

/// Its fenced blocks of a language, in order.
///
/// # Panics
/// If it cannot be read: there is nothing to test then.
pub fn readme(language: &str) -> Vec<String> {
    let path = root().join("filters/metric-tags/README.md");
    let text = std::fs::read_to_string(path).expect("the filter has a README");
    let blocks = markdown::blocks(&text).expect("its blocks are closed");
    blocks.iter().filter(|block| block.info == language).map(markdown::Block::text).collect()
}

/// The three policies that it begins with.
pub fn policies() -> Vec<String> {
    readme("json").into_iter().take(3).collect()
}
