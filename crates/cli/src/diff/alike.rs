//! Fields that say the same in other words: defaults written out, and lists in another order.

use std::collections::BTreeSet;

use narrows_core::split::View;
use serde_json::{Value, json};

use super::notes::elements;
use crate::source::Node;

/// Fields of a policy that say which headers and which callers its conditions see.
const OF_POLICY: [&str; 4] = ["trust", "callers", "strip", "restoreHost"];
/// Lists of which the order says nothing.
const SETS: [&str; 5] = ["hosts", "cidrs", "principals", "in", "strip"];

/// What requests must fulfil, all of it.
pub(super) struct Condition {
    /// None if any host will do.
    hosts: Option<BTreeSet<String>>,
    /// Everything else.
    rest: Value,
}

impl Condition {
    fn of(written: &Node) -> Self {
        let mut rest = canonical("", written.data());
        if let Value::Object(fields) = &mut rest {
            fields.remove("hosts");
        }
        Self { hosts: hosts(written), rest }
    }

    /// Whether it holds for every request for which the other one holds. When in doubt, it does not.
    fn covers(&self, other: &Self) -> bool {
        let has_hosts = match (&self.hosts, &other.hosts) {
            (None, _) => true,
            (Some(own), Some(others)) => own.is_superset(others),
            (Some(_), None) => false,
        };
        let is_open = self.rest.as_object().is_some_and(serde_json::Map::is_empty);
        has_hosts && (is_open || self.rest == other.rest)
    }

    fn asks_for_hosts(&self) -> bool {
        self.hosts.is_some() || self.rest.get("service").is_some()
    }
}

/// The hosts that are named, as they are compared; nothing if any host will do.
pub(super) fn hosts(written: &Node) -> Option<BTreeSet<String>> {
    let names = written.get("hosts")?.elements().iter().filter_map(Node::text);
    let names: BTreeSet<String> = names.map(host).collect();
    (!names.contains("*")).then_some(names)
}

fn host(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    lower.strip_suffix('.').map(str::to_owned).unwrap_or(lower)
}

/// The conditions of which one makes a request one of a split.
pub(super) fn of_split(split: &Node) -> Vec<Condition> {
    let mut all = of_matches(split);
    for one in &mut all {
        if split.get("hosts").is_some() {
            one.hosts = hosts(split);
        }
        if let (Some(service), Value::Object(fields)) = (split.text_at("service"), &mut one.rest) {
            fields.insert("service".to_owned(), service.into());
        }
    }
    all
}

/// The `matches` of a split or list; without any, every request will do.
fn of_matches(written: &Node) -> Vec<Condition> {
    let all: Vec<_> = elements(written, "matches").iter().map(Condition::of).collect();
    if all.is_empty() { vec![Condition { hosts: None, rest: json!({}) }] } else { all }
}

/// Whether every request for which one of `others` holds is one for which one of `all` does.
pub(super) fn cover(all: &[Condition], others: &[Condition]) -> bool {
    others.iter().all(|other| all.iter().any(|one| one.covers(other)))
}

/// Whether policies may see other headers or callers, or refuse others for want of a host.
pub(super) fn sees_otherwise(old: &Node, new: &Node) -> bool {
    OF_POLICY.iter().any(|field| of_policy(old, field) != of_policy(new, field))
        || (!asks_for_hosts(old) && asks_for_hosts(new))
}

fn of_policy(policy: &Node, field: &str) -> Value {
    let written = policy.get(field).map(|written| canonical(field, written.data()));
    written.unwrap_or_else(|| match field {
        "trust" => json!("edge"),
        "callers" => json!("presented"),
        "strip" => json!([]),
        _ => json!(false),
    })
}

/// Whether a condition asks for a host: then every request without one is the baseline's.
fn asks_for_hosts(policy: &Node) -> bool {
    let acting = elements(policy, "splits").iter().filter(|split| split.text_at("mode") != Some("off"));
    let mut all = acting.flat_map(|split| {
        let lists = ["include", "exclude"].into_iter().flat_map(|list| elements(split, list));
        let visits = split.get("anonymousId.when").map(Condition::of);
        of_split(split).into_iter().chain(lists.flat_map(of_matches)).chain(visits)
    });
    all.any(|one| one.asks_for_hosts())
}

/// Whether a split may no longer take a request, or leave a canary's user somewhere else, whatever the
/// buckets say. When in doubt, it may.
pub(super) fn may_drop(old: (&View<'_>, &Node), new: (&View<'_>, &Node)) -> bool {
    !cover(&of_split(new.1), &of_split(old.1))
        || services(old.1) != services(new.1)
        || drops_keyless(old.0, new.0)
        || override_of(old) != override_of(new)
        || !keeps_included(old, new)
        || !cover(&excluded(old.1), &excluded(new.1))
}

/// The services that a split names: they say in which form an authority is written.
fn services(split: &Node) -> BTreeSet<&str> {
    let places = std::iter::once(split).chain(elements(split, "matches"));
    places.filter_map(|place| place.text_at("service")).collect()
}

/// Those of the baseline have nothing to lose.
fn drops_keyless(old: &View<'_>, new: &View<'_>) -> bool {
    let name = |view: &View<'_>| {
        view.keyless.map(|place| view.backends.get(place).copied().unwrap_or_default().to_owned())
    };
    old.keyless != Some(old.baseline) && name(old) != name(new)
}

/// The only backend other than the baseline, if there is one alone.
fn only_canary<'v>(view: &View<'v>) -> Option<&'v str> {
    let mut canaries = view.backends.iter().enumerate().filter(|(place, _)| *place != view.baseline);
    canaries.next().filter(|_| canaries.next().is_none()).map(|(_, name)| *name)
}

fn override_of((view, split): (&View<'_>, &Node)) -> Option<Value> {
    let written = split.get("override")?;
    let text = |field, default| json!(written.text_at(field).or(default));
    Some(json!({
        "header": text("header", None),
        "always": text("always", Some("always")),
        "never": text("never", Some("never")),
        "backend": text("backend", only_canary(view)),
        "values": written.get("values").map_or_else(|| json!({}), Node::data),
    }))
}

/// Whether whom a list has sent to a canary is sent there still, and nobody away from another one.
fn keeps_included(old: (&View<'_>, &Node), new: (&View<'_>, &Node)) -> bool {
    let [before, after] = [old, new].map(|(_, split)| elements(split, "include"));
    let backend = |entry: &Node| entry.text_at("backend").map(str::to_owned);
    let only = only_canary(old.0).filter(|canary| only_canary(new.0) == Some(*canary));
    if only.is_some() && before.iter().chain(after).all(|entry| entry.text_at("backend") == only) {
        let all = |entries: &[Node]| entries.iter().flat_map(of_matches).collect::<Vec<_>>();
        return cover(&all(after), &all(before));
    }
    // The first entry that holds decides.
    let same = |(before, after): (&Node, &Node)| {
        let [from, to] = [before, after].map(of_matches);
        backend(before) == backend(after) && cover(&from, &to) && cover(&to, &from)
    };
    before.len() == after.len() && before.iter().zip(after).all(same)
}

fn excluded(split: &Node) -> Vec<Condition> {
    elements(split, "exclude").iter().flat_map(of_matches).collect()
}

/// A value without the fields that are null, and with each list in one order if its order says nothing.
fn canonical(field: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(name, value)| {
                let value = canonical(&name, value);
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(all) if SETS.contains(&field) && all.iter().all(Value::is_string) => {
            let texts: BTreeSet<&str> = all.iter().filter_map(Value::as_str).collect();
            texts.into_iter().map(Value::from).collect()
        }
        Value::Array(all) => all.into_iter().map(|one| canonical("", one)).collect(),
        scalar => scalar,
    }
}
