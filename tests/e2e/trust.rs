//! Is anybody believed who should not be?

mod callers;
mod edge;
mod route;
mod waypoint;

/// Several modules in one proxy take their time to compile where other tests run.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);
