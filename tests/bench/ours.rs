//! Chains of our filters, in all their forms.

use super::chain::{Chain, End};
use super::form::{Modules, Part};
use super::policies::{FEW, egress, request, router, split, stranger, tags};

/// Which chains a section has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Choice {
    All,
    /// One of each filter, and the forms of four.
    Few,
}

/// The numbers of rules, the fewest first.
pub(super) const COUNTS: [usize; 3] = [FEW, 1_000, 10_000];

/// The chains that a commit's modules make.
pub(super) fn chains(modules: &Modules, choice: Choice) -> Vec<Chain> {
    let mut chains = singles(modules);
    if choice == Choice::All {
        chains.extend(misses(modules));
        chains.extend(COUNTS.into_iter().skip(1).map(|count| rules(modules, count)));
    }
    chains.extend(fours(modules));
    chains
}

fn chain(modules: &Modules, name: &str, part: Part, end: End) -> Chain {
    Chain::new(modules.named(name), modules.apart(name, &[part]), request(FEW - 1), end).grouped(name)
}

fn singles(modules: &Modules) -> Vec<Chain> {
    let by = |source: &str, name: &str| ("canary-split", split(&serde_json::json!({ source: name })));
    vec![
        chain(modules, ROUTER, ("header-router", router(FEW)), End::Canary),
        chain(modules, "canary-split, by header", by("header", "x-user-id"), End::Canary),
        chain(modules, "canary-split, by query", by("queryParam", "user"), End::Canary),
        chain(modules, "metric-tags", ("metric-tags", tags()), End::Stable),
        chain(modules, "egress-policy", ("egress-policy", egress()), End::Stable),
    ]
}

/// What they cost a request that does not concern them.
fn misses(modules: &Modules) -> Vec<Chain> {
    let miss = |name: &str, part: Part, end| Chain { request: stranger(), ..chain(modules, name, part, end) };
    vec![
        miss("header-router, miss", ("header-router", router(FEW)), End::Stable),
        miss(
            "canary-split, miss",
            ("canary-split", split(&serde_json::json!({ "header": "x-user-id" }))),
            End::Stable,
        ),
        miss("metric-tags, miss", ("metric-tags", tags()), End::Stable),
        miss("egress-policy, denied", ("egress-policy", egress()), End::Refused),
    ]
}

fn rules(modules: &Modules, count: usize) -> Chain {
    let name = format!("header-router, {count} rules");
    Chain {
        request: request(count - 1),
        ..chain(modules, &name, ("header-router", router(count)), End::Canary)
    }
}

/// The router, the split, the tags and the egress policy, in that order.
pub(super) fn parts() -> [Part; 4] {
    [
        ("header-router", router(FEW)),
        ("canary-split", split(&serde_json::json!({ "header": "x-user-id" }))),
        ("metric-tags", tags()),
        ("egress-policy", egress()),
    ]
}

/// All four: in four modules, on one module, in one plugin.
fn fours(modules: &Modules) -> Vec<Chain> {
    let made = |name: &str, filters| {
        Chain::new(modules.named(name), filters, request(FEW - 1), End::Canary).grouped(FOUR)
    };
    let apart = made(FOUR, modules.apart(FOUR, &parts()));
    let together = modules.together(TOGETHER, &parts()).map(|filters| made(TOGETHER, filters));
    let merged = modules.merged(MERGED, &parts()).map(|filters| made(MERGED, filters));
    [Some(apart), together, merged].into_iter().flatten().collect()
}

pub(super) const ROUTER: &str = "header-router";
pub(super) const FOUR: &str = "four filters, four modules";
pub(super) const TOGETHER: &str = "four filters, one module";
pub(super) const MERGED: &str = "four filters, one plugin";
