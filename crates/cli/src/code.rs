//! The codes of what only this tool can find: faults around a policy. Those of the
//! policy itself are [`narrows_core::Code`].

/// A policy that does not say which filter it is for.
pub const UNKNOWN_FILTER: &str = "NRW600";
/// A field, value or kind that the stated Istio release does not have.
pub const NOT_IN_RELEASE: &str = "NRW601";
/// A field that no Istio release has.
pub const UNKNOWN_FIELD: &str = "NRW602";
/// A value that Istio refuses.
pub const REFUSED: &str = "NRW603";
/// A field that Istio requires.
pub const REQUIRED: &str = "NRW604";
/// A module's address or digest that cannot work.
pub const MODULE: &str = "NRW605";
/// A resource that attaches to no proxy, or not to the one that was meant.
pub const ATTACHMENT: &str = "NRW606";
/// A direction or port on which the filter never runs.
pub const NEVER_RUNS: &str = "NRW607";
/// A failure strategy that breaks the filter's promise.
pub const FAIL_STRATEGY: &str = "NRW608";
/// Filters whose order is left to chance.
pub const ORDER: &str = "NRW609";
/// A configuration that does not reach the filter as JSON.
pub const NOT_A_STRING: &str = "NRW610";
/// A field that is accepted and does nothing.
pub const NO_EFFECT: &str = "NRW611";
/// A file of requests or keys that cannot be read.
pub const BAD_REQUESTS: &str = "NRW612";
/// Policies on one proxy that refuse each other's traffic.
pub const TWICE: &str = "NRW613";
/// A port of a Service whose protocol Istio has to guess.
pub const UNDECLARED: &str = "NRW614";
/// A filter before or behind one that it belongs on the other side of.
pub const MISPLACED: &str = "NRW615";
/// A policy that is there to stop something and stops nothing.
pub const EVERYTHING_PASSES: &str = "NRW616";
/// Callers whose certificates nobody verified, beside a policy that believes them.
pub const UNVERIFIED: &str = "NRW620";
/// A rewriting of path or host that Istio's authorization sees.
pub const BEFORE_AUTHORIZATION: &str = "NRW621";
/// A stripping, or a host that comes back, that Istio's authorization does not see.
pub const BEHIND_AUTHORIZATION: &str = "NRW622";
/// A host that the proxy's route table does not know.
pub const UNROUTED: &str = "NRW623";
