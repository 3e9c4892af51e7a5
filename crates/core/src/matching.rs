//! Conditions on a request, and the index that finds the first rule whose conditions hold.

pub(crate) mod budget;
pub(crate) mod hosts;
pub(crate) mod index;
pub(crate) mod kind;
pub(crate) mod listed;
pub(crate) mod matches;
pub(crate) mod named_condition;
pub(crate) mod needles;
pub(crate) mod parse;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod request;
pub(crate) mod source;
pub(crate) mod texts;
pub(crate) mod value;
