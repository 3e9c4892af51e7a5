//! The fenced blocks of Markdown.

use anyhow::ensure;

/// A fenced block.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Block {
    /// The number of its first line, from 0; the fence is the line before it.
    pub start: usize,
    /// What follows the opening fence: the language, and more.
    pub info: String,
    /// What is before the fence: within a list a block is indented as a whole.
    pub margin: String,
    /// The lines, without the margin.
    pub lines: Vec<String>,
}

impl Block {
    /// The first word of what follows the fence.
    pub fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    /// The whole block.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// The blocks of a document, in order.
pub fn blocks(document: &str) -> anyhow::Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in document.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                let margin = line.split('`').next().unwrap_or_default().to_owned();
                open = Some(Block {
                    start: number + 1,
                    info: info.trim().to_owned(),
                    margin,
                    lines: Vec::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.lines.push(line.strip_prefix(&block.margin).unwrap_or(line).to_owned());
            }
            (None, None) => {}
        }
    }
    ensure!(open.is_none(), "the block at line {} is not closed", open.unwrap_or_default().start);
    Ok(blocks)
}
