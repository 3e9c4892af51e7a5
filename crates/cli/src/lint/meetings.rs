//! Which filters of a run may be on one proxy. They are found by their namespaces and labels, so a
//! cluster of thousands of plugins is not compared pair by pair.

use std::collections::{BTreeMap, BTreeSet};

use super::attached::{Attached, Choice};

/// For each filter, the earlier ones that it may meet.
pub(super) struct Meetings {
    earlier: Vec<Vec<usize>>,
    /// Those that run wherever it runs, whatever their order.
    covering: Vec<Vec<usize>>,
    /// How many pairs were compared.
    pub(super) compared: usize,
}

/// The filters that are registered so far, by what they choose.
#[derive(Default)]
struct Index<'a> {
    /// By namespace and by the choice that a wider one would make too: one label is enough.
    narrow: BTreeMap<(Option<&'a str>, Choice<'a>), Vec<usize>>,
    /// The same by every label that they choose.
    wide: BTreeMap<(Option<&'a str>, Choice<'a>), Vec<usize>>,
    /// By the choice alone, for a resource of the root namespace.
    anywhere: BTreeMap<Choice<'a>, Vec<usize>>,
    /// How many there are of one kind at one place. More than two say nothing new.
    alike: BTreeMap<String, usize>,
}

/// More filters of one kind at one place than these meet the same others with the same result. Two,
/// because a resource does not meet its own namesake.
const ALIKE: usize = 2;

impl Meetings {
    pub(super) fn new(attached: &[Attached<'_>], root: &str) -> Self {
        let mut index = Index::default();
        let mut found = Self { earlier: Vec::new(), covering: Vec::new(), compared: 0 };
        for (number, later) in attached.iter().enumerate() {
            let candidates = index.candidates(later, root);
            found.compared += candidates.len();
            let meets = |other: &usize| attached.get(*other).is_some_and(|earlier| earlier.meets(later));
            found.earlier.push(candidates.into_iter().filter(meets).collect());
            index.register(number, later);
        }
        for one in attached {
            let candidates = index.wider(one, root);
            found.compared += candidates.len();
            let covers = |other: &usize| attached.get(*other).is_some_and(|other| other.covers(one));
            found.covering.push(candidates.into_iter().filter(covers).collect());
        }
        found
    }

    /// The filters that run wherever the filter of that number runs.
    pub(super) fn covering<'a, 'n>(
        &'a self,
        number: usize,
        attached: &'a [Attached<'n>],
    ) -> impl Iterator<Item = &'a Attached<'n>> {
        let covering = self.covering.get(number).map(Vec::as_slice).unwrap_or_default();
        covering.iter().filter_map(|other| attached.get(*other))
    }

    /// The earlier filters that the filter of that number may meet, in their order.
    pub(super) fn before<'a, 'n>(
        &'a self,
        number: usize,
        attached: &'a [Attached<'n>],
    ) -> impl Iterator<Item = &'a Attached<'n>> {
        let earlier = self.earlier.get(number).map(Vec::as_slice).unwrap_or_default();
        earlier.iter().filter_map(|other| attached.get(*other))
    }
}

impl<'a> Index<'a> {
    /// The registered filters of which one may cover the other.
    fn candidates(&self, later: &'a Attached<'_>, root: &str) -> BTreeSet<usize> {
        let mut found = self.wider(later, root);
        // Those that it covers: they choose what it chooses, and perhaps more.
        let choice = later.choice();
        let covered = if later.is_root() {
            self.anywhere.get(&choice)
        } else {
            self.wide.get(&(later.namespace(), choice))
        };
        found.extend(covered.into_iter().flatten());
        found
    }

    /// The registered filters that may run wherever this one does: they choose everything, or one of its
    /// labels.
    fn wider(&self, one: &'a Attached<'_>, root: &str) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for choice in std::iter::once(Choice::All).chain(one.choices()) {
            for namespace in [one.namespace(), Some(root)] {
                found.extend(self.narrow.get(&(namespace, choice)).into_iter().flatten());
            }
        }
        found
    }

    fn register(&mut self, number: usize, one: &'a Attached<'_>) {
        let alike = self.alike.entry(one.traits()).or_default();
        *alike += 1;
        if *alike > ALIKE {
            return;
        }
        let namespace = one.namespace();
        self.narrow.entry((namespace, one.choice())).or_default().push(number);
        for choice in std::iter::once(Choice::All).chain(one.choices()) {
            self.wide.entry((namespace, choice)).or_default().push(number);
            self.anywhere.entry(choice).or_default().push(number);
        }
    }
}
