//! Names and values, sorted so that a name is found without looking at all of them.
//!
//! A client may send ten thousand parameters, and a policy may ask for ten thousand names. Each table
//! is made once per request, when it is first needed. It is sorted, not hashed: no client can choose
//! names that make it slow.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

use crate::matching::value::{Terms, ValueMatch, integer};
use crate::order::{hash, merged, sorted};

/// Pairs by name, copied: borrowed pairs would bind the request to the data that they were made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// All names and values, one after the other.
    bytes: Vec<u8>,
    /// Where each pair's name ends, and where its value ends. Each begins where the one before it ends.
    ends: Vec<(u32, u32)>,
    /// The hash of a name and its index, sorted by these; equal names by index.
    order: Vec<(u64, u32)>,
    /// The values of names with many values, in the orders that conditions needed.
    sorted: RefCell<Vec<(Sorting, Rc<Sorted>)>>,
}

/// Which values are sorted: the index of the first in the table's order, and how many. And in which
/// way.
type Sorting = (usize, usize, Way);

/// An order of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Text { ignore_case: bool, from_end: bool },
    Number,
}

/// The indices of values in some order; each with its number, if they are sorted by number.
type Sorted = Vec<(Option<i64>, u32)>;

/// So few values are looked at one by one and not sorted.
const FEW: usize = 8;
/// Bytes of a number that is short enough to be read again for each condition.
const SHORT: usize = 32;

impl Table {
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        let end = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(name);
        let middle = end(&self.bytes);
        self.bytes.extend_from_slice(value);
        self.ends.push((middle, end(&self.bytes)));
    }

    /// The same table, with its names in order; called once, after the last pair.
    pub(super) fn finish(mut self) -> Self {
        let indices = 0u32..u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let hashes = indices.map(|index| (hash(self.name(index), 0), index)).collect();
        self.order = merged(hashes, |(a, first), (b, second)| {
            a > b || a == b && self.name(*first) > self.name(*second)
        });
        self
    }

    fn begin(&self, index: u32) -> u32 {
        let before = index.checked_sub(1).and_then(|before| self.ends.get(before as usize));
        before.map_or(0, |(_, end)| *end)
    }

    fn name(&self, index: u32) -> &[u8] {
        let middle = self.ends.get(index as usize).map_or(0, |(middle, _)| *middle);
        self.bytes.get(self.begin(index) as usize..middle as usize).unwrap_or_default()
    }

    /// The values under a name, in the order in which they came.
    pub(crate) fn values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.indices(name).iter().filter_map(|(_, index)| self.value(*index))
    }

    /// The indices of the values under a name, in the order in which they came.
    pub(super) fn indices(&self, name: &[u8]) -> &[(u64, u32)] {
        let (from, to) = self.run(name);
        self.order.get(from..to).unwrap_or_default()
    }

    /// Whether a condition holds for the values under a name; with `first`, only the first value
    /// counts. Of many values it looks only at a few that can replace them all: one that meets the
    /// test, if any does, and one that fails it, if any does.
    pub(super) fn meets(&self, condition: &ValueMatch, name: &[u8], first: bool) -> bool {
        // Under `invert` all of them count: else a second value could get past a rule that refuses all
        // but one value.
        let counted = if first && !condition.invert { 1 } else { usize::MAX };
        self.look(condition, name, counted, &|values| condition.matches(values))
    }

    /// The same for a condition of `withoutHeaders`.
    pub(super) fn excludes(&self, condition: &ValueMatch, name: &[u8]) -> bool {
        self.look(condition, name, usize::MAX, &|values| condition.excludes(values))
    }

    fn look(
        &self,
        condition: &ValueMatch,
        name: &[u8],
        counted: usize,
        judge: &dyn Fn(&mut dyn Iterator<Item = &[u8]>) -> bool,
    ) -> bool {
        let (from, to) = self.run(name);
        let to = to.min(from.saturating_add(counted));
        let run = self.order.get(from..to).unwrap_or_default();
        match self.stand_ins(condition, from, run) {
            None => judge(&mut run.iter().filter_map(|(_, index)| self.value(*index))),
            Some(few) => judge(&mut few.iter().map(|value| &**value)),
        }
    }

    /// Where the values of a name are in the order.
    fn run(&self, name: &[u8]) -> (usize, usize) {
        let wanted = hash(name, 0);
        let compare =
            |(other, index): &(u64, u32)| other.cmp(&wanted).then_with(|| self.name(*index).cmp(name));
        let from = self.order.partition_point(|entry| compare(entry).is_lt());
        let rest = self.order.get(from..).unwrap_or_default();
        // Most names come once.
        if rest.get(1).is_none_or(|entry| compare(entry).is_gt()) {
            let is_there = rest.first().is_some_and(|entry| compare(entry).is_eq());
            return (from, from.saturating_add(usize::from(is_there)));
        }
        (from, from.saturating_add(rest.partition_point(|entry| compare(entry).is_le())))
    }

    fn value(&self, index: u32) -> Option<&[u8]> {
        let (middle, end) = self.ends.get(index as usize)?;
        self.bytes.get(*middle as usize..*end as usize)
    }

    /// A few values that can replace all values of a run, if there are too many to look at each.
    fn stand_ins(
        &self,
        condition: &ValueMatch,
        from: usize,
        run: &[(u64, u32)],
    ) -> Option<Vec<Cow<'_, [u8]>>> {
        let long = |(_, index): &(u64, u32)| self.value(*index).is_some_and(|value| value.len() > SHORT);
        let is_many =
            run.len() > FEW || matches!(condition.test.terms(), Terms::Within(..)) && run.iter().any(long);
        let ignore_case = condition.ignore_case;
        let terms = condition.test.sole_terms();
        let way = match &terms {
            _ if !is_many => return None,
            Terms::Is(_) | Terms::Starts(_) | Terms::In(_) => Way::Text { ignore_case, from_end: false },
            Terms::Ends(_) => Way::Text { ignore_case, from_end: true },
            Terms::Within(..) => Way::Number,
            // These are found elsewhere, or no order narrows them.
            Terms::Holds(_) | Terms::Present(_) | Terms::Unknown => return None,
        };
        let sorted = self.sorted((from, run.len(), way), run);
        let text = |at: usize| sorted.get(at).and_then(|(_, index)| self.value(*index));
        let mut few = Vec::new();
        match terms {
            Terms::Is(wanted) | Terms::Starts(wanted) | Terms::Ends(wanted) => {
                let at = sorted.partition_point(|(_, index)| {
                    self.value(*index).is_some_and(|value| way.compare(value, wanted).is_lt())
                });
                few.extend(text(at).map(Cow::Borrowed));
            }
            Terms::In(wanted) => {
                // The shorter list is looked up in the longer one.
                let one = |text: &[u8]| {
                    sorted.binary_search_by(|(_, index)| {
                        way.compare(self.value(*index).unwrap_or_default(), text)
                    })
                };
                if wanted.len() < sorted.len() {
                    let found = wanted.iter().find_map(|text| one(text).ok());
                    few.extend(found.and_then(text).map(Cow::Borrowed));
                }
                // If there are more values than texts, one of these fails.
                few.extend(
                    (0..sorted.len().min(wanted.len().saturating_add(1))).filter_map(text).map(Cow::Borrowed),
                );
            }
            Terms::Within(from, _) => {
                let at = sorted.partition_point(|(number, _)| number.is_none_or(|number| number < from));
                let some = [Some(at), Some(0), sorted.len().checked_sub(1)];
                let numbers = some.into_iter().filter_map(|at| sorted.get(at?)).map(|(number, _)| number);
                return Some(
                    numbers
                        .map(|n| n.map(|n| n.to_string()).unwrap_or_default().into_bytes().into())
                        .collect(),
                );
            }
            Terms::Holds(_) | Terms::Present(_) | Terms::Unknown => {}
        }
        // The values that meet a test are beside each other. So the first or the last value fails if
        // any does.
        few.extend(
            [Some(0), sorted.len().checked_sub(1)].into_iter().filter_map(|at| text(at?)).map(Cow::Borrowed),
        );
        Some(few)
    }

    /// The values of a run in one order, each once.
    fn sorted(&self, sorting: Sorting, run: &[(u64, u32)]) -> Rc<Sorted> {
        // Borrowed for this call only; nothing here calls back.
        let Ok(mut known) = self.sorted.try_borrow_mut() else { return Rc::default() };
        let at = match known.binary_search_by_key(&sorting, |(known, _)| *known) {
            Ok(at) => at,
            Err(at) => {
                known.insert(at, (sorting, Rc::new(self.sort(sorting.2, run))));
                at
            }
        };
        known.get(at).map(|(_, sorted)| Rc::clone(sorted)).unwrap_or_default()
    }

    fn sort(&self, way: Way, run: &[(u64, u32)]) -> Sorted {
        let value = |index: u32| self.value(index).unwrap_or_default();
        if way == Way::Number {
            let number = |(_, index): &(u64, u32)| (integer(value(*index)), *index);
            let read: Sorted = run.iter().map(number).collect();
            let of = |at: u32| read.get(at as usize).copied();
            let order = sorted(read.len(), &|a, b| of(a).cmp(&of(b)));
            let mut sorted: Sorted = order.into_iter().filter_map(of).collect();
            sorted.dedup_by_key(|(number, _)| *number);
            return sorted;
        }
        let of = |at: u32| run.get(at as usize).map(|(_, index)| value(*index)).unwrap_or_default();
        let order = sorted(run.len(), &|a, b| way.compare(of(a), of(b)));
        let mut sorted: Sorted = order
            .into_iter()
            .filter_map(|at| run.get(at as usize))
            .map(|(_, index)| (None, *index))
            .collect();
        sorted.dedup_by(|(_, a), (_, b)| way.compare(value(*a), value(*b)).is_eq());
        sorted
    }
}

impl Way {
    fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            Self::Text { ignore_case: false, from_end: false } => a.cmp(b),
            Self::Text { ignore_case, from_end } => {
                let longest = a.len().max(b.len());
                let byte = |text: &[u8], at: usize| {
                    let at = if from_end { text.len().checked_sub(at)?.checked_sub(1)? } else { at };
                    text.get(at).map(|byte| if ignore_case { byte.to_ascii_lowercase() } else { *byte })
                };
                let unlike = (0..longest).map(|at| byte(a, at).cmp(&byte(b, at))).find(|order| order.is_ne());
                unlike.unwrap_or(Ordering::Equal)
            }
            Self::Number => integer(a).cmp(&integer(b)),
        }
    }
}

#[cfg(test)]
mod tests;
