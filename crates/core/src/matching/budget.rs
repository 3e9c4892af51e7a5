//! The rest of the limits that hold for a policy as a whole.
//!
//! The weight of a policy is the number of bytes that every worker takes to hold it. It is counted from
//! the text, by the same sums on every machine, and before the memory is taken. So a small policy
//! cannot take gigabytes. The sums are upper bounds, not sizes; a test compares them with what real
//! modules take.

mod sums;

use std::cell::{Cell, RefCell};

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::{PolicyValue, too_large, too_long};
use crate::matching::needles::{self, Hay, Needle, Needles};
use crate::matching::pattern::Pattern;

use sums::Sums;

/// The bytes that a match takes besides its conditions.
pub(crate) const MATCH: usize = 288;
/// The bytes that a condition takes, filed in the index.
pub(crate) const CONDITION: usize = 224;
/// The bytes that a rule takes besides its matches, its series included.
pub(crate) const RULE: usize = 640;
/// The bytes that a series takes besides the names in it.
pub(crate) const SERIES: usize = 128;

/// The bytes that a text takes if it is looked for inside values, and that each of its bytes takes.
const NEEDLE: usize = 128;
const NEEDLE_BYTE: usize = 40;

// Refusals contain these limits as text.
const _: () = assert!(limits::WEIGHT == 32 << 20 && limits::EACH == 1000 && limits::TEXT_BYTES == 65_536);

/// How much a policy takes of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes that every worker holds, of [`limits::WEIGHT`].
    pub bytes: usize,
    /// What they hold.
    pub parts: Parts,
    /// About the instructions that its expressions may take for one long value, of
    /// [`limits::REGEX_WORK`].
    pub work: u64,
}

impl Weight {
    /// The weight of two policies that are held together. A value is compared with one of them at a time.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let parts = self.parts;
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            parts: Parts {
                texts: parts.texts.saturating_add(other.parts.texts),
                index: parts.index.saturating_add(other.parts.index),
                expressions: parts.expressions.saturating_add(other.parts.expressions),
                searched: parts.searched.saturating_add(other.parts.searched),
            },
            work: self.work.max(other.work),
        }
    }
}

/// The parts of a weight that an operator can make smaller; the rest is rules, conditions and series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The texts of the policy: names, hosts, paths, values.
    pub texts: usize,
    /// The index over hosts, paths and headers.
    pub index: usize,
    /// Tables and sets of regular expressions.
    pub expressions: usize,
    /// Tables of the texts that are looked for inside values.
    pub searched: usize,
}

/// The rest of the limits that hold for a policy as a whole.
pub(crate) struct Budget {
    regexes: Cell<usize>,
    patterns: Cell<Vec<Work>>,
    /// Conditions that look at every value of a cookie or parameter.
    each: Cell<usize>,
    /// How many more canaries may have a rollback.
    rollbacks: Cell<usize>,
    held: Cell<usize>,
    parts: Cell<Parts>,
    /// Paths of dynamic metadata that are read.
    paths: RefCell<Vec<Box<[u8]>>>,
    needles: RefCell<needles::Draft>,
}

/// The most that an expression costs: by itself, and together with those that the same value can keep
/// busy.
struct Work {
    prefix: Box<[u8]>,
    alone: u64,
    together: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            regexes: Cell::new(limits::REGEXES),
            patterns: Cell::default(),
            each: Cell::new(limits::EACH),
            rollbacks: Cell::new(limits::ROLLBACKS),
            held: Cell::new(0),
            parts: Cell::default(),
            paths: RefCell::default(),
            needles: RefCell::default(),
        }
    }
}

impl Budget {
    /// Counts a policy as read. A policy that is too large is refused, whatever it contains.
    #[inline(never)]
    pub(crate) fn open(&self, tree: &PolicyValue) -> Result<(), Invalid> {
        let mut sums = Sums::default();
        sums.add(tree)?;
        if sums.written > limits::POLICY_BYTES {
            return Err(too_long());
        }
        if sums.read > limits::TREE_BYTES {
            return Err(too_large());
        }
        self.hold_for(|parts| &mut parts.texts, sums.held)
    }

    /// Counts memory that is about to be taken for a part.
    fn hold_for(&self, part: fn(&mut Parts) -> &mut usize, bytes: usize) -> Result<(), Invalid> {
        let mut parts = self.parts.get();
        let held = part(&mut parts);
        *held = held.saturating_add(bytes);
        self.parts.set(parts);
        self.hold(bytes)
    }

    /// The same for the index.
    pub(crate) fn index(&self, bytes: usize) -> Result<(), Invalid> {
        self.hold_for(|parts| &mut parts.index, bytes)
    }

    /// The same for a regular expression.
    pub(crate) fn tables(&self, bytes: usize) -> Result<(), Invalid> {
        self.hold_for(|parts| &mut parts.expressions, bytes)
    }

    /// Counts memory that is about to be taken.
    #[inline(never)]
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Invalid> {
        let held = self.held.get().saturating_add(bytes);
        self.held.set(held);
        if held <= limits::WEIGHT {
            return Ok(());
        }
        Err(Invalid::new(
            Code::TooHeavy,
            "the policy weighs more than 32 MiB, counted up to here",
            "split it by workload, or write fewer hosts, paths and values",
        ))
    }

    /// The same, for index entries whose number is the product of hosts and paths.
    #[inline(never)]
    pub(crate) fn file(&self, hosts: usize, paths: usize, bytes: usize) -> Result<(), Invalid> {
        let entries = hosts.saturating_mul(paths);
        self.index(entries.saturating_mul(bytes)).map_err(|_| {
            Invalid::new(
                Code::TooHeavy,
                format!("{hosts} hosts \u{d7} {paths} paths are {entries} index entries: with them the policy weighs more than 32 MiB"),
                "split the rule or the policy, or write a path prefix or a wildcard host for many",
            )
        })
    }

    /// What has been counted.
    pub(crate) fn weight(&self) -> Weight {
        let known = self.patterns.take();
        let work = known.iter().map(|work| work.together).max().unwrap_or_default();
        self.patterns.set(known);
        Weight { bytes: self.held.get(), parts: self.parts.get(), work }
    }

    /// One more expression, wherever it is.
    pub(crate) fn expression(&self) -> Result<(), Invalid> {
        let left = self.regexes.get().checked_sub(1).ok_or_else(|| {
            Invalid::new(
                Code::TooMany,
                format!("more than {} regular expressions", limits::REGEXES),
                "use \"exact\", \"prefix\" or \"in\"; for attributes a \"pathTemplates\" tag and a \"method\" tag",
            )
        })?;
        self.regexes.set(left);
        Ok(())
    }

    pub(crate) fn regex(&self, text: &str, ignore_case: bool) -> Result<Box<Pattern>, Invalid> {
        self.expression()?;
        let pattern = Pattern::new(text, ignore_case)?;
        self.tables(pattern.weight())?;
        self.work(&pattern)?;
        Ok(Box::new(pattern))
    }

    /// One long value may have to be compared with all expressions of a policy.
    fn work(&self, pattern: &Pattern) -> Result<(), Invalid> {
        let mut known = self.patterns.take();
        let (prefix, alone) = (pattern.prefix(), pattern.cost());
        let mut new = Work { prefix: prefix.into(), alone, together: alone };
        let mut most = 0;
        for other in &mut known {
            if other.prefix.starts_with(prefix) || prefix.starts_with(&other.prefix) {
                other.together = other.together.saturating_add(alone);
                new.together = new.together.saturating_add(other.alone);
                most = most.max(other.together);
            }
        }
        most = most.max(new.together);
        known.push(new);
        self.patterns.set(known);
        if most <= limits::REGEX_WORK {
            return Ok(());
        }
        Err(Invalid::new(
            Code::TooHeavy,
            "with those before it, this expression could hold up a worker over one long value",
            "use \"exact\", \"prefix\" or \"in\", or start expressions with texts that differ, as in \"/orders/[0-9]+\"",
        ))
    }

    /// One more condition that looks at every value of a cookie or parameter.
    pub(crate) fn each_value(&self) -> Result<(), Invalid> {
        let left = self.each.get().checked_sub(1).ok_or_else(|| {
            Invalid::new(
                Code::TooHeavy,
                "more than 1000 conditions look at every value of a cookie or parameter",
                "leave out \"repeated\" or \"invert\" where the first value is enough, or use \"in\"",
            )
        })?;
        self.each.set(left);
        Ok(())
    }

    /// So many more canaries with a rollback.
    pub(crate) fn rollbacks(&self, canaries: usize) -> Result<(), Invalid> {
        let left = self.rollbacks.get().checked_sub(canaries).ok_or_else(|| {
            Invalid::new(
                Code::TooMany,
                format!("more than {} canaries have a rollback, counted up to here", limits::ROLLBACKS),
                "split the policy: each proxy looks after all of them once a second",
            )
        })?;
        self.rollbacks.set(left);
        Ok(())
    }

    /// One more place that reads this path of dynamic metadata.
    pub(crate) fn metadata(&self, path: &[u8]) -> Result<(), Invalid> {
        // Borrowed for this call only; nothing here calls back.
        let Ok(mut paths) = self.paths.try_borrow_mut() else { return Ok(()) };
        if paths.iter().any(|known| **known == *path) {
            return Ok(());
        }
        if paths.len() >= limits::METADATA_PATHS {
            return Err(Invalid::new(
                Code::TooMany,
                format!("more than {} paths of metadata", limits::METADATA_PATHS),
                "split the policy: each path is looked for in all metadata of a request",
            ));
        }
        paths.push(path.into());
        Ok(())
    }

    /// Whether anything reads dynamic metadata.
    pub(crate) fn reads_metadata(&self) -> bool {
        self.paths.try_borrow().is_ok_and(|paths| !paths.is_empty())
    }

    /// Adds a text to those that are found together.
    #[inline(never)]
    pub(crate) fn needle(&self, needle: &mut Needle, hay: Hay) -> Result<(), Invalid> {
        let bytes =
            needle.len().saturating_mul(NEEDLE_BYTE).saturating_add(NEEDLE).saturating_add(hay.name.len());
        self.hold_for(|parts| &mut parts.searched, bytes)?;
        // Borrowed for this call only; nothing here calls back.
        if let Ok(mut needles) = self.needles.try_borrow_mut() {
            needles.add(hay, needle);
        }
        Ok(())
    }

    /// The texts that are found together, once all have been read.
    pub(crate) fn needles(&self) -> Needles {
        self.needles.take().finish()
    }
}

#[cfg(test)]
mod tests;
