//! How labels are cut out of the names of the filter's own series.

use narrows_core::extraction::{STOCK, stat_tag};
use narrows_core::{Grammar, Series, Tree, vm};

use super::{Wanted, table, text, yaml};

/// Envoy's `stats_config`.
pub(super) fn stats_tags(wanted: &Wanted<'_>) -> String {
    let of = |name: &str, regex: &str| table([("tag_name", text(name)), ("regex", text(regex))]);
    // Istio's proxies know the stock labels; a plain Envoy has to be told.
    let stock = STOCK.iter().filter(|_| is_stock(wanted)).map(|(name, regex)| of(name, regex));
    let own = labels(wanted);
    let tags = stock.chain(own.iter().map(|label| of(label, &stat_tag(label))));
    yaml::document(&table([("stats_config", table([("stats_tags", Tree::List(tags.collect()))]))]))
}

/// Istio's mesh configuration; proxies read it when they start.
pub(super) fn extra_stat_tags(wanted: &Wanted<'_>) -> String {
    let labels = Tree::List(labels(wanted).into_iter().map(text).collect());
    let config = table([("defaultConfig", table([("extraStatTags", labels)]))]);
    yaml::document(&table([("meshConfig", config)]))
}

/// Whether the policy's labels are written as Istio's own bootstrap reads them.
fn is_stock(wanted: &Wanted<'_>) -> bool {
    let series = wanted.policy.series();
    !series.is_empty() && !series.iter().any(|series| series.name.contains(ASSIGNS))
}

/// What stands between a label and its value.
const ASSIGNS: &str = "=.=";

/// The labels in the names of the series, each once.
fn labels(wanted: &Wanted<'_>) -> Vec<String> {
    let rejected = vm::rejected_series(wanted.filter.name(), Grammar::StatTags);
    let mut labels = wanted.policy.labels();
    for Series { name, .. } in wanted.policy.series().iter().chain([&rejected]) {
        let mut rest: &str = name;
        while let Some((label, after)) = rest.split_once(ASSIGNS) {
            if !labels.iter().any(|known| known == label) {
                labels.push(label.to_owned());
            }
            rest = after.split_once(";.;").map_or("", |(_, next)| next);
        }
    }
    labels
}
