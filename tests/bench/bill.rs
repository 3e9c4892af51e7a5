//! The bill: what each filter costs on a real Envoy, beside no filter, an empty one, Lua, Envoy's
//! own features, and, if it is asked for, another commit's modules.
//!
//! All chains of a section are listeners of one Envoy with one worker. In each round each of them
//! gets some requests, in another order each time. What is read is the processor time of the
//! worker's thread, so the client costs nothing. `docs/costs.md` is written by it.

mod against;
mod calls;
mod chain;
mod document;
mod figures;
mod form;
mod fuel;
mod load;
mod memory;
mod ours;
mod peers;
mod picture;
mod policies;
mod processor;
mod profile;
mod rounds;
mod section;
mod table;
mod targets;

pub use against::{compare, other};
pub use document::write;
pub use fuel::fuel;
pub use profile::profile;
pub use rounds::Extent;
pub use section::smoke;
