//! canary-split on a real Envoy.

mod anonymous;
mod certain;
mod guard;
mod probe;
mod ramps;
mod rollback;
mod route;
mod steady;
mod strangers;
mod trap;
