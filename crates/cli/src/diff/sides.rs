//! Requests that are taken off a canary.

use std::collections::BTreeMap;

use narrows_core::{Mode, state};

use crate::filter::AnyPolicy;
use crate::simulate::Explanation;

/// The destinations of every backend that serves somebody, by split and backend.
#[derive(Debug)]
pub(super) struct Sides {
    old: BTreeMap<String, Side>,
    new: BTreeMap<String, Side>,
}

#[derive(Debug)]
struct Side {
    baseline: String,
    destinations: BTreeMap<String, Vec<u8>>,
}

impl Sides {
    pub(super) fn of(old: &AnyPolicy, new: &AnyPolicy) -> Self {
        Self { old: sides(old), new: sides(new) }
    }

    /// Whether a request that a canary has served is served by something else. What chance has placed
    /// has no side to lose.
    pub(super) fn loses(&self, before: &Explanation, after: &Explanation) -> bool {
        let is_drawn = detail(before, "reason").is_some_and(|why| matches!(why, "random" | "new-id"));
        let Some((side, backend)) = place(&self.old, before).filter(|_| !is_drawn) else { return false };
        if backend == side.baseline {
            return false;
        }
        let there = side.destinations.get(backend);
        let is_kept = place(&self.new, after).is_some_and(|(side, now)| {
            let is_named = there.is_some_and(|to| !to.is_empty()) || now == backend;
            is_named && side.destinations.get(now) == there
        });
        !is_kept
    }
}

fn sides(policy: &AnyPolicy) -> BTreeMap<String, Side> {
    // Neither names nor destinations change with time.
    let views = policy.splitter().into_iter().flat_map(|splitter| splitter.views(0));
    let acting = views.filter(|view| view.mode == Mode::Enforce);
    acting
        .map(|view| {
            let baseline = view.backends.get(view.baseline).copied().unwrap_or_default().to_owned();
            let names = view.backends.iter().map(|name| (*name).to_owned());
            let destinations = names.zip(view.destinations).collect();
            (view.name.to_owned(), Side { baseline, destinations })
        })
        .collect()
}

/// The split that has placed a request, and the backend.
fn place<'s>(sides: &'s BTreeMap<String, Side>, placed: &'s Explanation) -> Option<(&'s Side, &'s str)> {
    let split = detail(placed, "split").or_else(|| detail(placed, state::SPLIT))?;
    let backend = detail(placed, "backend").or_else(|| detail(placed, state::BACKEND))?;
    Some((sides.get(split)?, backend))
}

fn detail<'e>(explanation: &'e Explanation, name: &str) -> Option<&'e str> {
    explanation.details.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}
