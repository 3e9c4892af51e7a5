//! HTTP as bytes: a message, and how its parts are read.
//!
//! Nothing here knows of policies. Everything is bytes: no header is taken for text.

pub(crate) mod caching;
pub(crate) mod cookie;
pub(crate) mod field;
pub(crate) mod field_value;
pub(crate) mod host;
pub mod inline_headers;
pub mod location;
pub(crate) mod member;
pub(crate) mod message;
pub(crate) mod metadata;
pub(crate) mod methods;
pub(crate) mod percent;
pub(crate) mod query;
pub(crate) mod trace;

pub use field_value::FieldValue;
pub use host::Host;
