//! Splits that change places, or come before others: of two that a request fits, the first takes it.

use std::collections::BTreeSet;

use crate::source::Node;

/// The pairs of splits of which the second now takes what the first has taken: they change places, or the
/// second is new and comes before it. Both may take the same request.
pub fn crossed(old: &Node, new: &Node) -> Vec<(String, String)> {
    let place = |name: &str| splits(new).position(|split| split.text_at("name") == Some(name));
    let kept: Vec<(&str, usize, &Node)> = splits(old)
        .filter_map(|split| {
            let name = split.text_at("name")?;
            Some((name, place(name)?, split))
        })
        .collect();
    let mut pairs = Vec::new();
    for (number, (earlier, before, one)) in kept.iter().enumerate() {
        for (later, after, other) in kept.iter().skip(number + 1) {
            if before > after && may_meet(&hosts(one), &hosts(other)) {
                pairs.push(((*earlier).to_owned(), (*later).to_owned()));
            }
        }
    }
    let is_known = |name: &str| splits(old).any(|split| split.text_at("name") == Some(name));
    for (at, split) in splits(new).enumerate() {
        // One that is off takes nothing.
        let is_off = split.text_at("mode") == Some("off");
        let Some(name) = split.text_at("name").filter(|name| !is_off && !is_known(name)) else { continue };
        let behind =
            kept.iter().filter(|(_, place, other)| *place > at && may_meet(&hosts(split), &hosts(other)));
        pairs.extend(behind.map(|(kept, ..)| ((*kept).to_owned(), name.to_owned())));
    }
    pairs
}

fn splits(policy: &Node) -> impl Iterator<Item = &Node> {
    policy.get("splits").map(Node::elements).unwrap_or_default().iter()
}

/// The hosts and services that a split names, anywhere in its conditions; none if it is for any host.
fn hosts(split: &Node) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let matches = split.get("matches").map(Node::elements).unwrap_or_default();
    for place in std::iter::once(split).chain(matches) {
        let hosts = place.get("hosts").map(Node::elements).unwrap_or_default();
        let texts = hosts.iter().filter_map(Node::text);
        named.extend(texts.chain(place.text_at("service")).map(str::to_ascii_lowercase));
    }
    named
}

/// Whether a request may be for both. Names with a star may be for anything.
fn may_meet(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let is_open = |hosts: &BTreeSet<String>| hosts.is_empty() || hosts.iter().any(|host| host.contains('*'));
    let first = |host: &String| host.split('.').next().unwrap_or_default().to_owned();
    is_open(one)
        || is_open(other)
        || one.iter().any(|host| other.iter().any(|another| first(host) == first(another)))
}
