//! What decides to whom a request belongs.

mod described;
mod source;

pub(super) use described::KEY;
pub(super) use source::Key;
