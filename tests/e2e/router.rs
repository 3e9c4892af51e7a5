//! header-router on a real Envoy: does it do what Envoy's own routes do?

mod claims;
mod coming_from;
mod expressions;
mod headers;
mod prefixes;
mod redirects;
mod rewriting;
mod source;
mod templates;
mod tls;
