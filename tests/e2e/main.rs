//! End-to-end suites: the built modules on real Envoys.
//!
//! One binary, so that it links once; a module for each question.

mod chain;
mod cost;
mod docs;
mod egress;
mod examples;
mod hostile;
mod lifecycle;
mod mesh;
mod modules;
mod removed;
mod rendered;
mod simulate;
mod tags;
