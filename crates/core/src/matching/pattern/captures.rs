//! What the groups of an expression match in a value.

use std::cell::RefCell;

use regex_automata::nfa::thompson::WhichCaptures;

use super::replacer::{Finder, GROUPS, Search, Spans, of_group};
use super::{too_dear, whole_nfa};
use crate::language::invalid::Invalid;
use crate::language::limits;

/// A regular expression that matches whole values, for what its groups match.
pub(crate) struct Captures {
    finder: Finder,
    groups: usize,
    /// The last value and what was found in it: a rule may quote several groups of one path.
    last: RefCell<(Vec<u8>, Spans)>,
}

impl Captures {
    /// `pattern` as in [`super::Pattern`].
    pub(crate) fn new(pattern: &str, ignore_case: bool) -> Result<Self, Invalid> {
        let nfa = whole_nfa(pattern, ignore_case, WhichCaptures::All)?;
        let finder = Finder::of(&nfa).filter(|finder| finder.work() <= limits::REWRITE_WORK);
        Ok(Self {
            groups: nfa.group_info().group_len(regex_automata::PatternID::ZERO),
            finder: finder.ok_or_else(|| too_dear(pattern))?,
            last: RefCell::default(),
        })
    }

    /// Bytes that it takes at most, the same on every machine.
    pub(crate) fn weight(&self) -> usize {
        self.finder.weight().saturating_add(limits::RENDERED)
    }

    /// About the instructions that each byte of a value may take.
    pub(crate) fn work(&self) -> u64 {
        self.finder.work()
    }

    /// Whether it has a group of that number.
    pub(crate) fn has(&self, group: usize) -> bool {
        group < self.groups.min(GROUPS)
    }

    /// Appends what a group matches in a value.
    pub(crate) fn append(&self, value: &[u8], group: usize, written: &mut Vec<u8>) {
        let mut last = self.last.borrow_mut();
        if last.0 != value || value.is_empty() {
            *last = (value.to_vec(), Search::of(&self.finder, value).next(0).unwrap_or_default());
        }
        written.extend_from_slice(of_group(&last.1, group, value));
    }
}
