//! The filters, each in a folder of one shape.

pub mod egress;
pub mod router;
pub mod split;
pub mod tags;
