//! Case files that hold what an old configuration does: for each of its matches a request that meets it, and
//! one for each condition that does not. What is expected comes from the old configuration alone.

mod expected;
mod request;

use narrows_core::PolicyValue;

use super::old::meaning::{Meaning, Request};
use super::old::{Match, Old};
use super::value::{Table, text};

/// A file with more is no help to anybody.
const MOST: usize = 2_000;

/// The cases; and the matches without one, because no example was found.
pub(super) struct Cases {
    pub(super) cases: Vec<PolicyValue>,
    pub(super) missing: Vec<String>,
}

/// Makes the cases.
pub(super) fn make(old: &Old) -> Cases {
    let meaning = Meaning::default();
    let mut made = Cases { cases: Vec::new(), missing: Vec::new() };
    for group in &old.groups {
        for route in &group.routes {
            let everything = [Match::default()];
            let matches = if route.matches.is_empty() { &everything[..] } else { &route.matches };
            for (number, one) in matches.iter().enumerate() {
                let name = match matches.len() {
                    1 => route.name.clone(),
                    _ => format!("{}, match {}", route.name, number + 1),
                };
                made.one(old, &meaning, &name, request::example(&group.hosts, one, &meaning));
                for (what, request) in request::others(&group.hosts, one, &meaning) {
                    made.other(old, &meaning, &format!("{name}, {what}"), &request);
                }
            }
            let choices = route.include.iter().map(|(one, _)| one).chain(&route.exclude);
            for (number, one) in choices.enumerate() {
                let both = Match {
                    host: None,
                    path: one.path.clone().or_else(|| matches.first().and_then(|one| one.path.clone())),
                    conditions: one.conditions.clone(),
                };
                let name = format!("{}, choice {}", route.name, number + 1);
                made.one(old, &meaning, &name, request::example(&group.hosts, &both, &meaning));
            }
        }
    }
    made
}

impl Cases {
    fn one(&mut self, old: &Old, meaning: &Meaning, name: &str, request: Option<Request>) {
        match request {
            Some(request) => self.other(old, meaning, name, &request),
            None => self.missing.push(name.to_owned()),
        }
    }

    fn other(&mut self, old: &Old, meaning: &Meaning, name: &str, request: &Request) {
        if self.cases.len() >= MOST {
            self.missing.push(name.to_owned());
            return;
        }
        let Some(expected) = expected::of(old, meaning, request) else { return };
        let case = Table::default()
            .with("name", text(name))
            .with("send", request::sent(request))
            .with("expect", expected);
        self.cases.push(case.into());
    }
}
