//! Which rules and splits no request reaches, because those before them take everything that they match.
//!
//! What a rule matches is a list of cubes: conditions that all must hold. From each cube the cubes of the
//! earlier rules are taken away, one after the other. Where nothing is left the rule is dead. A condition
//! that is not understood here may hold or not, so a rule is never called dead because of it.

mod read;
mod values;

use std::collections::BTreeMap;

use crate::filter::Filter;
use crate::source::Node;
use values::{Sort, Test, may_be};

/// What a condition is about.
type About = (Sort, String);

/// A condition: the test, and whether it must fail.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    about: About,
    test: Test,
    negated: bool,
}

/// Conditions that all must hold.
#[derive(Clone, Debug, Default)]
struct Cube(Vec<Condition>);

/// A rule or split.
struct Rule<'n> {
    name: &'n str,
    node: &'n Node,
    place: String,
    /// One of them must hold; none if nobody knows what it matches.
    cubes: Vec<Cube>,
    /// Whether it takes every request that it matches.
    takes: bool,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Enforce,
    Report,
    Off,
}

/// A rule that no request reaches.
pub(super) struct Dead<'n> {
    /// What it is: a rule or a split.
    pub(super) what: &'static str,
    pub(super) node: &'n Node,
    pub(super) place: String,
    pub(super) name: &'n str,
    /// Those that take its requests.
    pub(super) by: Vec<&'n str>,
}

/// Steps of one policy, so that a large one ends in time. What comes after them is not judged.
const STEPS: usize = 1_000_000;

/// The rules and splits of a policy that no request reaches.
pub(super) fn dead(filter: Filter, policy: &Node) -> Vec<Dead<'_>> {
    let mut steps = STEPS;
    let mut dead = Vec::new();
    for (what, list) in read::lists(filter, policy) {
        for (i, rule) in list.iter().enumerate() {
            // A rule that only reports lets the search go on; a split that only reports ends it.
            let is_before = |earlier: &&Rule<'_>| match (earlier.mode, what) {
                (Mode::Off, _) => false,
                (Mode::Enforce, _) | (_, "split") => earlier.takes,
                (Mode::Report, _) => earlier.takes && rule.mode == Mode::Report,
            };
            if rule.mode == Mode::Off || rule.cubes.is_empty() {
                continue;
            }
            let before: Vec<_> = list.iter().take(i).filter(is_before).collect();
            if let Some(by) = covered(rule, &before, &mut steps) {
                dead.push(Dead { what, node: rule.node, place: rule.place.clone(), name: rule.name, by });
            }
        }
    }
    dead
}

/// Those that take everything that a rule matches; none if something is left for it.
fn covered<'n>(rule: &Rule<'_>, before: &[&Rule<'n>], steps: &mut usize) -> Option<Vec<&'n str>> {
    let is_left = |others: &[&Rule<'_>], steps: &mut usize| {
        rule.cubes.iter().any(|cube| {
            let mut left = Left::of(cube);
            let touching =
                others.iter().flat_map(|other| &other.cubes).filter(|other| left.touches(other, steps));
            let touching: Vec<_> = touching.collect();
            left.after(&touching, steps)
        })
    };
    if is_left(before, steps) {
        return None;
    }
    // The shortest proof is one of them, else as few as can be.
    let mut proof = before.to_vec();
    if let Some(one) = before.iter().find(|one| !is_left(&[one], steps)) {
        proof = vec![one];
    }
    let mut i = 0;
    while i < proof.len() && proof.len() > 1 {
        let mut fewer = proof.clone();
        fewer.remove(i);
        if is_left(&fewer, steps) { i += 1 } else { proof = fewer }
    }
    Some(proof.iter().map(|rule| rule.name).collect())
}

/// What is left of a cube: by what they are about, the tests that must hold and those that must fail.
struct Left<'c>(BTreeMap<&'c About, (Vec<&'c Test>, Vec<&'c Test>)>);

impl<'c> Left<'c> {
    fn of(cube: &'c Cube) -> Self {
        let mut left = Self(BTreeMap::new());
        cube.0.iter().for_each(|condition| left.push(condition, condition.negated));
        left
    }

    fn push(&mut self, condition: &'c Condition, negated: bool) {
        let (wanted, unwanted) = self.0.entry(&condition.about).or_default();
        if negated { unwanted.push(&condition.test) } else { wanted.push(&condition.test) }
    }

    fn pop(&mut self, condition: &'c Condition, negated: bool) {
        let (wanted, unwanted) = self.0.entry(&condition.about).or_default();
        if negated {
            unwanted.pop()
        } else {
            wanted.pop()
        };
    }

    /// Whether some request may be in both: what touches nothing takes nothing away.
    fn touches(&mut self, other: &'c Cube, steps: &mut usize) -> bool {
        *steps = steps.saturating_sub(1);
        other.0.iter().for_each(|condition| self.push(condition, condition.negated));
        let may = other.0.iter().all(|condition| self.may_be(&condition.about));
        other.0.iter().rev().for_each(|condition| self.pop(condition, condition.negated));
        may
    }

    fn may_be(&self, about: &About) -> bool {
        self.0.get(about).is_none_or(|(wanted, unwanted)| may_be(about.0, wanted, unwanted))
    }

    /// Whether some request may be left after these are taken away.
    fn after(&mut self, others: &[&'c Cube], steps: &mut usize) -> bool {
        *steps = steps.saturating_sub(1);
        if *steps == 0 {
            return true;
        }
        let Some((first, rest)) = others.split_first() else {
            return self.0.iter().all(|(about, (wanted, unwanted))| may_be(about.0, wanted, unwanted));
        };
        // A request that is not in the first fails at least one of its conditions.
        first.0.iter().any(|condition| {
            self.push(condition, !condition.negated);
            let is_left = self.may_be(&condition.about) && self.after(rest, steps);
            self.pop(condition, !condition.negated);
            is_left
        })
    }
}

#[cfg(test)]
mod tests;
