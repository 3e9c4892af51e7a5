//! Which fields readers ask for, so that a test can find a field that no reader reads.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static ASKED: RefCell<BTreeSet<(&'static str, &'static str)>> = const { RefCell::new(BTreeSet::new()) };
}

use super::Object;

/// Notes that a reader asks for a field, by the object that describes it.
pub(crate) fn note(object: &'static Object, name: &str) {
    if let Some(field) = object.fields.iter().find(|field| field.name == name) {
        ASKED.with_borrow_mut(|asked| asked.insert((object.summary.name, field.name)));
    }
    object.includes.iter().for_each(|included| note(included, name));
}

/// The objects and fields that readers of this thread have asked for since the last call.
pub(crate) fn take() -> BTreeSet<(&'static str, &'static str)> {
    ASKED.take()
}
