//! What a decision does to a request: destinations, header edits, and what is taken off first.

pub mod destination;
pub(crate) mod edit;
pub(crate) mod format_string;
pub mod sanitize;
pub mod set_cookie;
