//! Does the policy that `narrows migrate` makes do what the old configuration did?
//!
//! The old configuration runs as the routes of Envoy that its own controller would write, and beside it on
//! the same Envoy the policy with the routes that remain. Requests that are generated from the
//! configuration go to both. The translators here share nothing with the converter.

mod compare;
mod dumped;
mod files;
mod generate;
mod higress;
mod ingress;
mod istio;
mod requests;
mod sides;
