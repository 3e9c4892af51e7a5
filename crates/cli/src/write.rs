//! Values as text, their fields in the order written.

pub mod json;
pub(crate) mod yaml;
