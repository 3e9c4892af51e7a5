//! Case files in the core: what becomes of a request is what a filter's policy decides, done to a model
//! of Envoy's header map. `narrows test`, `narrows simulate` and the project's own runners use it.

mod arrive;
mod compare;
mod filter;
mod headers;
mod inline;
mod lanes;
mod metered;
mod native;
mod observed;

pub use arrive::{arrives, lines, now, request};
pub use compare::{counts_agree, disagreements};
pub use filter::Filter;
pub use headers::Headers;
pub use inline::Kind;
pub use lanes::trail;
pub use native::{Pure, obeyed, plain, seen};
pub use observed::{Observed, Reply, Seen};
