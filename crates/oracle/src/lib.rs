//! What tests and fuzzers hold the product against: it shares no code with it, and is as slow and
//! obvious as it can be.

mod random;
mod value;

pub use random::Random;
pub use value::{Expression, Test};
