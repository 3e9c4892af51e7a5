//! Values as text; fields are in the order written.

pub mod json;
pub(crate) mod yaml;
