//! What the filters may cost, as shares of what another commit's cost.

use super::ours::{FOUR, MERGED, ROUTER, TOGETHER};

/// A chain of ours may cost at most this share of a chain of the other commit.
pub(super) struct Target {
    pub(super) chain: &'static str,
    pub(super) of: &'static str,
    pub(super) most: f64,
}

const fn target(chain: &'static str, of: &'static str, most: f64) -> Target {
    Target { chain, of, most }
}

/// Against 35ca8ce, the version before anything was made cheaper.
pub(super) const SHARES: [Target; 8] = [
    target(ROUTER, ROUTER, 0.60),
    target("header-router, miss", "header-router, miss", 0.60),
    target("canary-split, by header", "canary-split, by header", 0.55),
    target("canary-split, by query", "canary-split, by query", 0.55),
    target("metric-tags", "metric-tags", 0.65),
    target("egress-policy", "egress-policy", 0.60),
    target(TOGETHER, FOUR, 0.45),
    target(MERGED, FOUR, 0.32),
];

/// Ten thousand rules against ten, of the same commit.
pub(super) const MANY_RULES: Target = target("header-router, 10000 rules", ROUTER, 1.10);

/// MiB that one filter adds to an Envoy of two workers.
pub(super) const ONE_FILTER: f64 = 37.0;
/// MiB that four filters on one module add to it.
pub(super) const FOUR_ON_ONE: f64 = 52.0;
/// MiB that ten thousand rules add, with one worker.
pub(super) const RULES: f64 = 40.0;
