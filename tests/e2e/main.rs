//! End-to-end suites: the built modules on real Envoys.
//!
//! One binary, so that it links once; a module for each question.

mod authorization;
mod bootstraps;
mod chain;
mod coming_from;
mod cost;
mod egress;
mod examples;
mod guard;
mod headers;
mod hostile;
mod hosts;
mod lifecycle;
mod mesh;
mod modules;
mod removed;
mod rendered;
mod rewriting;
mod signals;
mod simulate;
mod source;
mod spelling;
mod split;
mod tags;
mod trailers;
mod trust;
