//! What holds for a filter whatever its policy: the VM configuration, and the gauge
//! that says that a policy was rejected.

use crate::invalid::Invalid;
use crate::read::{self, Fields};
use crate::series::{Grammar, Kind, Label, Series, Stock};
use crate::tree::Tree;

/// Reads a VM configuration, `{"strict": true}` or nothing: whether a bad policy is
/// refused always, even where traffic then stops.
pub fn strict(text: &[u8]) -> Result<bool, Invalid> {
    let tree = Tree::parse(text)?;
    let fields = Fields::open(&tree, &["strict"])?;
    Ok(fields.optional("strict", read::flag)?.unwrap_or(false))
}

/// The gauge that is 1 while the last policy pushed to a filter is a rejected one.
pub fn rejected_series(filter: &str, grammar: Grammar) -> Series {
    let label = Label { name: "filter", stock: Stock::Component, value: filter };
    Series::new(Kind::Gauge, grammar, "narrows_config_rejected", &[label])
}
