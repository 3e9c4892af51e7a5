//! The built modules in the stand-in for Envoy: what they cost, what they hold, what they ask of
//! their host.
//!
//! One binary, so that it links once; a module for each question.

mod budgets;
mod bundle;
mod calls;
mod cost;
mod digest;
mod fuel;
mod lanes;
mod learned;
mod linear;
mod memory;
mod modules;
mod rules;
mod signals;
mod split;
mod tags;
mod weight;
