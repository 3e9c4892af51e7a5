//! The destinations of a resource: each has a name, by which the policy sends to it, and one route.

use narrows_core::PolicyValue;

use super::old::{Remains, RemainsKind};

/// Names destinations, each once.
#[derive(Default)]
pub(super) struct Destinations {
    routes: Vec<(String, PolicyValue)>,
}

impl Destinations {
    /// The name of the destination that this is written for; `wanted` if it is free.
    pub(super) fn name(&mut self, wanted: &str, written: &PolicyValue) -> String {
        if let Some((name, _)) = self.routes.iter().find(|(name, known)| {
            known == written
                && (name == wanted || name.strip_prefix(wanted).is_some_and(|s| s.starts_with('-')))
        }) {
            return name.clone();
        }
        let mut name = wanted.to_owned();
        let mut number = 2;
        while self.routes.iter().any(|(known, _)| *known == name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        self.routes.push((name.clone(), written.clone()));
        name
    }

    /// What is written for a destination.
    pub(super) fn written(&self, name: &str) -> Option<PolicyValue> {
        self.routes.iter().find(|(known, _)| known == name).map(|(_, written)| written.clone())
    }

    /// The resource that is left, with these routes for what no rule takes.
    pub(super) fn remains(self, kind: RemainsKind, resource: PolicyValue, rest: Vec<PolicyValue>) -> Remains {
        Remains { kind, resource, routes: self.routes, rest }
    }
}

/// A name as policies take it: letters, digits and `-_./:`, at most 63 of them.
pub(super) fn plain(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_./:".contains(c) { c } else { '-' };
    let name: String = name.chars().map(fits).take(60).collect();
    if name.is_empty() { "route".to_owned() } else { name }
}
