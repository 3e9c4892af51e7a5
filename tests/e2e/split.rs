//! canary-split on a real Envoy.

mod anonymous;
mod certain;
mod guard;
mod probe;
mod ramps;
mod route;
mod steady;
mod strangers;
mod trap;
