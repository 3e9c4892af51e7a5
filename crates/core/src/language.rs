//! The policy language: what is written, read with its place, and what is wrong with it.

pub mod describe;
pub(crate) mod invalid;
pub(crate) mod join;
pub mod limits;
pub(crate) mod modes;
pub mod moment;
pub mod names;
pub mod nearest;
pub(crate) mod path_template;
pub(crate) mod policy_value;
pub(crate) mod read;
