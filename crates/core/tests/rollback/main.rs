//! The method of the rollback: what it says of a million ticks, of worlds in which nothing is wrong, and of
//! canaries that are worse.

mod draw;
mod no_trip;
mod reference;
mod trips;
mod world;
