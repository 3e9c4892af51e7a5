//! Is anybody believed who should not be?

mod callers;
mod edge;
mod route;
mod waypoint;
