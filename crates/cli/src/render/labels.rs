//! How labels are cut out of the names of the filter's own series.

use super::{Wanted, yaml};

/// Envoy's `stats_config`.
pub(super) fn stats_tags(wanted: &Wanted<'_>) -> String {
    yaml::document(&wanted.policy.labels(&wanted.tree).stats_tags())
}

/// Istio's mesh configuration.
pub(super) fn extra_stat_tags(wanted: &Wanted<'_>) -> String {
    yaml::document(&wanted.policy.labels(&wanted.tree).extra_stat_tags())
}
