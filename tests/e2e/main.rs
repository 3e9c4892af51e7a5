//! End-to-end suites: the built modules on real Envoys.
//!
//! One binary, so that it links once; a module for each question.

mod authorization;
mod bill;
mod bootstraps;
mod chain;
mod digest;
mod egress;
mod examples;
mod hostile;
mod hosts;
mod lanes;
mod lifecycle;
mod merged;
mod mesh;
mod migrate;
mod removed;
mod rendered;
mod router;
mod signals;
mod spelling;
mod split;
mod tags;
mod trailers;
mod trust;
mod tutorial;
mod wire;
