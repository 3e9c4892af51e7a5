//! Splits that change places, come before others or take more than before: of two that a request fits,
//! the first takes it.

use std::collections::BTreeSet;

use narrows_core::split::Splitter;

use super::alike::{cover, hosts, of_split};
use super::chosen::{has_users, part};
use super::notes::elements;
use crate::source::Node;

/// The pairs of splits of which the second now takes what the first has taken: they change places, or the
/// second comes before it and is new or takes more. Both may take the same request, and the first has
/// users of a canary. The old policy has its text as a whole, as the new one.
pub fn crossed(old: (&Splitter, &Node), new: &Node, now: u64) -> Vec<(String, String)> {
    let before = elements(part(old.1), "splits");
    let after = elements(part(new), "splits");
    let place = |of: &[Node], name: &str| of.iter().position(|split| split.text_at("name") == Some(name));
    let lists = old.0.views(now).filter(|view| has_users(view, old.1)).filter_map(|view| {
        let at = place(before, view.name)?;
        let named = Named::of(before.get(at)?);
        Some((view.name, at, place(after, view.name)?, named))
    });
    let losers: Vec<(&str, usize, usize, Named)> = lists.collect();
    let mut pairs = Vec::new();
    for (at, taker) in after.iter().enumerate() {
        // One that is off takes nothing.
        let Some(name) = taker.text_at("name").filter(|_| takes(taker)) else { continue };
        let earlier = place(before, name).and_then(|at| Some((at, before.get(at)?)));
        let earlier = earlier.filter(|(_, split)| takes(split));
        let all = Named::of(taker);
        let more = match earlier {
            Some((_, earlier)) => newly_taken(earlier, taker),
            None => Some(Named::of(taker)),
        };
        for (loser, was, is, named) in &losers {
            if *is <= at {
                continue;
            }
            let came_later = earlier.is_some_and(|(earlier, _)| earlier > *was);
            let newly = if came_later { Some(&all) } else { more.as_ref() };
            if newly.is_some_and(|newly| newly.may_meet(named)) {
                pairs.push(((*loser).to_owned(), name.to_owned()));
            }
        }
    }
    pairs
}

fn takes(split: &Node) -> bool {
    split.text_at("mode") != Some("off")
}

/// What the requests name that a split takes now, and did not take before; nothing if there are none.
fn newly_taken(old: &Node, new: &Node) -> Option<Named> {
    if cover(&of_split(old), &of_split(new)) {
        return None;
    }
    let mut all = Named::of(new);
    let known = hosts(old).filter(|_| old.get("matches").is_none() && new.get("matches").is_none());
    if let (Some(known), Some(_)) = (known, hosts(new)) {
        all.hosts.retain(|host| !known.contains(host));
        all.is_open = all.has_stars();
    }
    Some(all)
}

/// The hosts and services that a split names.
#[derive(Default)]
struct Named {
    /// Whether requests to any other host may be its own too.
    is_open: bool,
    hosts: BTreeSet<String>,
    /// Without their namespaces: a caller may write them so.
    services: BTreeSet<String>,
}

impl Named {
    fn of(split: &Node) -> Self {
        let mut named = Self::default();
        if !named.read(split) {
            let matches = elements(split, "matches");
            let all_name = matches.iter().fold(!matches.is_empty(), |all, one| named.read(one) && all);
            named.is_open = !all_name;
        }
        named.is_open |= named.has_stars();
        named
    }

    fn has_stars(&self) -> bool {
        self.hosts.iter().any(|host| host.contains('*'))
    }

    /// Adds what a split or match names, if it names anything.
    fn read(&mut self, place: &Node) -> bool {
        let service = place.text_at("service").map(str::to_ascii_lowercase);
        let hosts = hosts(place);
        let names = service.is_some() || hosts.is_some();
        self.services.extend(service.map(|service| first(&service).to_owned()));
        self.hosts.extend(hosts.unwrap_or_default());
        names
    }

    /// Whether a request may be for both. Names with a star may be for anything.
    fn may_meet(&self, other: &Self) -> bool {
        let calls =
            |one: &Self, other: &Self| one.hosts.iter().any(|host| other.services.contains(first(host)));
        self.is_open
            || other.is_open
            || !self.hosts.is_disjoint(&other.hosts)
            || !self.services.is_disjoint(&other.services)
            || calls(self, other)
            || calls(other, self)
    }
}

fn first(host: &str) -> &str {
    host.split('.').next().unwrap_or_default()
}
