//! Values as text; fields are in the order written.

pub(crate) mod file;
pub mod json;
pub(crate) mod yaml;
