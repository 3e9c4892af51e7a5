//! The last root context with a good policy that this VM had, of each plugin.

use std::cell::RefCell;

use narrows_core::LabelEncoding;

/// The most plugins whose last root context a VM remembers.
const REMEMBERED: usize = 64;

thread_local! {
    /// By plugin: the root context, and its label encoding.
    static LAST: RefCell<Vec<(u64, u64, LabelEncoding)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers the root context that this VM was given.
pub(super) fn remember(plugin: u64, root: u64, encoding: LabelEncoding) {
    LAST.with_borrow_mut(|last| {
        last.retain(|(id, ..)| *id != plugin);
        if last.len() >= REMEMBERED {
            last.remove(0);
        }
        last.push((plugin, root, encoding));
    });
}

/// The last root context of a plugin, and its label encoding.
pub(super) fn of(plugin: u64) -> Option<(u64, LabelEncoding)> {
    LAST.with_borrow(|last| {
        let found = last.iter().find(|(id, ..)| *id == plugin)?;
        Some((found.1, found.2))
    })
}
