//! Splits of canary-split.

use narrows_core::PolicyValue;

use super::{Parts, ROUTE_HEADER, conditions, rules};
use crate::migrate::difference::Log;
use crate::migrate::old::{Backend, Condition, Group, Match, Old, On, Route, Sense, Test};
use crate::migrate::value::{Table, list, number, one, text};

/// The most that all weights may be together.
const MOST: u64 = 1_000_000;

impl Parts {
    /// The splits of a group that consists of nothing else.
    pub(super) fn split_group(&mut self, old: &Old, group: &Group, log: &mut Log) {
        if let Some(route) = folded(group) {
            self.one_split(old, group, &route, log);
            return;
        }
        for route in group.routes.iter().filter(|route| route.split().is_some()) {
            if old.route_header.is_some() {
                self.untagged(old, group, route, log);
            } else {
                self.one_split(old, group, route, log);
            }
        }
    }

    fn one_split(&mut self, old: &Old, group: &Group, route: &Route, log: &mut Log) {
        let name = self.name(&route.name);
        let head = rules::hosts(Table::default().with("name", text(&name)), &group.hosts);
        let mut matches = Vec::new();
        if !route.takes_all() {
            let of = |one: &Match, log: &mut Log| match &one.host {
                Some(_) => conditions::table(&group.hosts, one, &route.at, log),
                None => conditions::conditions(one, &route.at, log),
            };
            matches.extend(route.matches.iter().map(|one| PolicyValue::from(of(one, log))));
        }
        let split = split(old, route, head.some("matches", matches), route.rests, log);
        self.split(split, group.file, &route.at);
    }

    /// A split of the requests that have no tag yet.
    pub(super) fn untagged(&mut self, old: &Old, group: &Group, route: &Route, log: &mut Log) {
        let Some(header) = &old.route_header else { return };
        let name = self.name(&route.name);
        let untagged = Condition {
            on: On::Header(header.clone()),
            test: Test::Regex(".+".to_owned()),
            ignore_case: false,
            sense: Sense::Fails,
        };
        let untagged = Match { conditions: vec![untagged], ..Match::default() };
        let matches = conditions::conditions(&untagged, &route.at, log);
        let head = Table::default().with("name", text(&name)).with("matches", list([matches.into()]));
        let split = split(old, route, head, false, log);
        self.split(split, group.file, &route.at);
    }
}

/// A split of the requests that a rule has marked.
pub(super) fn marked(old: &Old, route: &Route, name: &str, mark: &str, log: &mut Log) -> PolicyValue {
    let marked = one("headers", one(ROUTE_HEADER, one("exact", text(mark))));
    let head = Table::default().with("name", text(name)).with("matches", list([marked]));
    split(old, route, head, false, log)
}

/// A split behind its name and matches. If the baseline rests where it is, it needs no destination.
fn split(old: &Old, route: &Route, head: Table, rests: bool, log: &mut Log) -> PolicyValue {
    let Some(backends) = route.split() else { return head.into() };
    let total = backends.iter().fold(0, |total: u64, backend| total.saturating_add(backend.weight));
    let divisor = backends.iter().fold(total, |known, backend| gcd(known, backend.weight)).max(1);
    let divisor = if total == 100 { 1 } else { divisor };
    if total == 0 {
        log.refuse(&route.at, "all weights are 0", "give one of them a weight");
    }
    if total / divisor > MOST {
        log.refuse(
            &route.at,
            format!("the weights are {total} together, and a split has at most {MOST} parts"),
            "divide them",
        );
    }
    if old.route_header.is_none() {
        log.differs(
            &route.at,
            "while a backend is not there, the baseline serves its requests",
            "nothing; or \"guard\": {\"passive\": false} for the errors that there were",
        );
    }
    let stable = route.baseline();
    let mut table = head;
    if !route.key.is_empty() {
        table = table.with("key", PolicyValue::List(route.key.clone()));
    }
    if route.key.is_empty() || route.draws_keyless {
        table = table.with("onMissingKey", text("random"));
    }
    let parts = total / divisor;
    table = table.maybe("weightTotal", (parts != 100).then(|| number(parts)));
    let written = backends.iter().enumerate().map(|(index, backend)| {
        let name = name(backends, index);
        self::backend(backend, &name, (index == stable).then_some(rests), backend.weight / divisor)
    });
    table = table.with("backends", list(written.collect::<Vec<_>>()));
    let exclude = route.exclude.iter().map(|one| choice(one, None, route, log)).collect();
    let include =
        route.include.iter().map(|(one, backend)| choice(one, Some(name(backends, *backend)), route, log));
    let include = include.collect();
    table.some("include", include).some("exclude", exclude).into()
}

fn backend(backend: &Backend, name: &str, baseline: Option<bool>, weight: u64) -> PolicyValue {
    let mut table = Table::default().with("name", text(name));
    let to = (!backend.to.is_empty()).then(|| text(&backend.to));
    table = match baseline {
        Some(rests) => {
            let table = table.with("baseline", PolicyValue::Flag(true));
            table.maybe("to", to.filter(|_| !rests))
        }
        None => table.maybe("to", to).with("weight", number(weight)),
    };
    table = table.filled("requestHeaders", rules::edits(&backend.request));
    table.filled("responseHeaders", rules::edits(&backend.response)).into()
}

/// The name of a backend: that of its destination, if no other has it.
pub(in crate::migrate) fn name(backends: &[Backend], index: usize) -> String {
    let to = |index: usize| backends.get(index).map(|backend| backend.to.as_str()).unwrap_or_default();
    let own = if to(index).is_empty() { "untagged" } else { to(index) };
    let is_second = (0..index).any(|before| to(before) == to(index));
    if is_second { format!("{own}-{}", index + 1) } else { own.to_owned() }
}

fn choice(one: &Match, backend: Option<String>, route: &Route, log: &mut Log) -> PolicyValue {
    let matches = list([conditions::conditions(one, &route.at, log).into()]);
    Table::default().with("matches", matches).maybe("backend", backend.map(text)).into()
}

/// Whether a group has nothing but splits, and at its end perhaps what goes where everything goes.
pub(super) fn is_simple(old: &Old, group: &Group) -> bool {
    group.routes.iter().all(|route| {
        let is_split = route.split().is_some() && route.is_plain();
        let is_tagged = old.route_header.is_some() && route.split().is_none() && route.is_plain();
        is_split || is_tagged || (route.rests && route.only().is_some() && route.takes_all())
    })
}

/// One split for a group whose last route divides everything, if each route before it only chooses one of
/// the backends: `exclude` for the baseline, which comes first, and `include`.
pub(super) fn folded(group: &Group) -> Option<Route> {
    let (last, before) = group.routes.split_last()?;
    let backends = last.split()?;
    if !last.takes_all() || !last.is_plain() || before.is_empty() {
        return None;
    }
    let mut route = last.clone();
    for choice in before {
        let only = choice.only()?;
        let index = backends.iter().position(|backend| backend.to == only.to)?;
        let backend = backends.get(index)?;
        let has_edits = !backend.request.is_empty() || !backend.response.is_empty();
        if has_edits || choice.matches.iter().any(|one| one.host.is_some()) || choice.takes_all() {
            return None;
        }
        if index == last.baseline() {
            if !route.include.is_empty() {
                return None;
            }
            route.exclude.extend(choice.matches.iter().cloned());
        } else {
            route.include.extend(choice.matches.iter().map(|one| (one.clone(), index)));
        }
    }
    Some(route)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
