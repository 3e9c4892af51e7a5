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
const STEPS: usize = 200_000;
/// Up to so many earlier cubes are all taken away. Of more, only those that may take all by themselves.
const ALL: usize = 256;

/// The rules and splits of a policy that no request reaches.
pub(super) fn dead(filter: Filter, policy: &Node) -> Vec<Dead<'_>> {
    let mut steps = STEPS;
    let mut dead = Vec::new();
    for (what, list) in read::lists(filter, policy) {
        let mut index = Index::default();
        for (i, rule) in list.iter().enumerate() {
            // A rule that only reports lets the search go on; a split that only reports ends it.
            let is_before = |earlier: usize| match list.get(earlier).map(|earlier| (earlier.mode, what)) {
                None | Some((Mode::Off, _)) => false,
                Some((Mode::Enforce, _) | (_, "split")) => true,
                Some((Mode::Report, _)) => rule.mode == Mode::Report,
            };
            if rule.mode != Mode::Off && !rule.cubes.is_empty() {
                let before = rule.cubes.iter().map(|cube| index.before(cube, is_before)).collect();
                let name = |earlier: &usize| list.get(*earlier).map(|earlier| earlier.name);
                dead.extend(covered(rule, before, &mut steps).map(|by| Dead {
                    what,
                    node: rule.node,
                    place: rule.place.clone(),
                    name: rule.name,
                    by: by.iter().filter_map(name).collect(),
                }));
            }
            if rule.takes {
                rule.cubes.iter().for_each(|cube| index.add(i, cube));
            }
        }
    }
    dead
}

/// An earlier cube, and the number of its rule.
type Earlier<'c> = (usize, &'c Cube);

/// The cubes of the rules before a rule, by a text that one of their conditions asks for.
#[derive(Default)]
struct Index<'c> {
    all: Vec<Earlier<'c>>,
    texts: BTreeMap<(&'c About, &'c str), Vec<Earlier<'c>>>,
    /// Those that ask for none.
    wide: Vec<Earlier<'c>>,
}

impl<'c> Index<'c> {
    fn add(&mut self, rule: usize, cube: &'c Cube) {
        self.all.push((rule, cube));
        let Some((about, texts)) = cube.0.iter().find_map(Condition::texts) else {
            return self.wide.push((rule, cube));
        };
        for text in texts {
            self.texts.entry((about, text)).or_default().push((rule, cube));
        }
    }

    /// The cubes that may take something away, in their order.
    fn before(&self, cube: &'c Cube, is_before: impl Fn(usize) -> bool) -> Vec<Earlier<'c>> {
        let mut found: Vec<Earlier<'c>> = if self.all.len() <= ALL {
            self.all.clone()
        } else {
            let own = cube.0.iter().filter_map(Condition::texts);
            let keys = own.flat_map(|(about, texts)| texts.iter().map(move |text| (about, text.as_str())));
            let narrow = keys.filter_map(|key| self.texts.get(&key)).flatten();
            narrow.chain(&self.wide).copied().collect()
        };
        found.sort_by_key(|(rule, _)| *rule);
        found.retain(|(rule, _)| is_before(*rule));
        found
    }
}

impl Condition {
    /// The texts of which it asks for one.
    fn texts(&self) -> Option<(&About, &[String])> {
        match &self.test {
            Test::Is(texts) if !self.negated => Some((&self.about, texts)),
            _ => None,
        }
    }
}

/// The rules that take everything that a rule matches; none if something is left for it. `before` has the
/// earlier cubes for each of its own.
fn covered(rule: &Rule<'_>, before: Vec<Vec<Earlier<'_>>>, steps: &mut usize) -> Option<Vec<usize>> {
    let mut touching = Vec::new();
    for (cube, before) in rule.cubes.iter().zip(before) {
        let mut left = Left::of(cube);
        let before = before.into_iter().filter(|(_, other)| left.touches(other, steps)).collect();
        touching.push((cube, before));
    }
    let is_left = |by: &dyn Fn(usize) -> bool, steps: &mut usize| {
        touching.iter().any(|(cube, before): &(&Cube, Vec<Earlier<'_>>)| {
            let before: Vec<_> = before.iter().filter(|(rule, _)| by(*rule)).map(|(_, cube)| *cube).collect();
            Left::of(cube).after(&before, steps)
        })
    };
    if is_left(&|_| true, steps) {
        return None;
    }
    // The shortest proof is one of them, else as few as can be.
    let mut proof: Vec<usize> =
        touching.iter().flat_map(|(_, before)| before).map(|(rule, _)| *rule).collect();
    proof.sort_unstable();
    proof.dedup();
    if let Some(one) = proof.iter().copied().find(|one| !is_left(&|rule| rule == *one, steps)) {
        return Some(vec![one]);
    }
    let mut i = 0;
    while i < proof.len() {
        let one = proof.get(i).copied();
        if is_left(&|rule| Some(rule) != one && proof.contains(&rule), steps) {
            i += 1;
        } else {
            proof.remove(i);
        }
    }
    Some(proof)
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
        if *steps == 0 {
            return false;
        }
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
