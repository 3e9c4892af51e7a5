//! What the parts of a rule must know of the rest of it to be read.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::action::format_string::Captured;
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::read::{self, Fields};
use crate::matching::matches::Match;
use crate::matching::parse::{self, Budget, MATCH};
use crate::matching::path::{PathMatch, Start};
use crate::matching::pattern::Captures;

/// A rule that is being read.
pub(super) struct OfRule<'r> {
    /// As it is written.
    fields: Fields<'r>,
    /// Its matches; none if they are wrong, and were refused already.
    matches: Option<&'r [Match]>,
    budget: &'r Budget,
    /// The expression of its paths, as soon as something quotes its groups.
    captures: OnceCell<Rc<dyn Captured>>,
    /// What its expressions may cost for each byte of a path.
    work: Cell<u64>,
}

impl<'r> OfRule<'r> {
    pub(super) fn new(fields: Fields<'r>, matches: Option<&'r [Match]>, budget: &'r Budget) -> Self {
        Self { fields, matches, budget, captures: OnceCell::new(), work: Cell::new(0) }
    }

    /// Counts an expression that searches the path, with its weight and its work for each byte.
    pub(super) fn holds(&self, weight: usize, work: u64) -> Result<(), Invalid> {
        self.budget.expression()?;
        self.budget.hold(weight)?;
        self.work.set(self.work.get().saturating_add(work));
        if self.work.get() <= limits::REWRITE_WORK {
            return Ok(());
        }
        Err(Invalid::new(
            Code::BadRegex,
            "a long path would be searched twice, by the \"regex\" that rewrites and for %PATH(1)%",
            "rewrite by \"replaceFull\", which may quote %PATH(1)% too",
        ))
    }

    /// Whether a condition on the path ignores letter case.
    pub(super) fn ignores_case(&self) -> bool {
        self.paths().flatten().any(|path| path.ignore_case)
    }

    /// The start that every path of the rule has, according to its matches; none if they are not known.
    pub(super) fn start(&self) -> Result<Option<Start<'r>>, Invalid> {
        let mut starts = self.paths().map(|path| path.and_then(PathMatch::start));
        let Some(first) = starts.next() else {
            return if self.matches.is_some() { Err(no_prefix()) } else { Ok(None) };
        };
        let mut all = first.ok_or_else(no_prefix)?;
        for other in starts {
            let other = other.ok_or_else(no_prefix)?;
            all = all.joined(other).ok_or_else(|| different(all, other))?;
        }
        Ok(Some(all))
    }

    /// The expression that every path of the rule matches, for the values that quote its groups.
    pub(super) fn captures(&self) -> Result<Rc<dyn Captured>, Invalid> {
        if let Some(captures) = self.captures.get() {
            return Ok(Rc::clone(captures));
        }
        let path = |tree| Fields::open(tree, &MATCH)?.optional("path", parse::expression);
        let paths = self.fields.optional("matches", |t| read::list(t, limits::MATCHES, path));
        // What is wrong with the matches has been refused already.
        let paths = paths.ok().flatten().unwrap_or_default();
        let first = paths.first().copied().flatten().flatten();
        let is_one = paths.iter().all(|path| path.flatten() == first);
        let (text, ignore_case) = match first {
            Some(first) if is_one => first,
            _ => return Err(no_expression()),
        };
        let captures = Captures::new(text, ignore_case)?;
        self.holds(captures.weight(), captures.work())?;
        Ok(Rc::clone(self.captures.get_or_init(|| Rc::new(captures))))
    }

    fn paths(&self) -> impl Iterator<Item = Option<&'r PathMatch>> {
        self.matches.unwrap_or_default().iter().map(|matches| matches.path.as_ref())
    }
}

fn no_expression() -> Invalid {
    Invalid::new(
        Code::BadHeaderValue,
        "there is no group to quote: not every match of the rule has the same \"path\" expression",
        "write \"path\": {\"regex\": \"/users/([^/]+)/.*\"} in each match",
    )
}

fn no_prefix() -> Invalid {
    Invalid::new(
        Code::Conflict,
        "there is no prefix to replace: not every match of the rule has one in its \"path\"",
        "add \"from\", or \"path\": {\"pathPrefix\": …} to each match",
    )
}

fn different(one: Start<'_>, other: Start<'_>) -> Invalid {
    let [one, other] = [one, other].map(|start| String::from_utf8_lossy(start.text));
    Invalid::new(
        Code::Conflict,
        format!("the matches of the rule have different prefixes, {one:?} and {other:?}"),
        "write a rule for each of them, or add \"from\"",
    )
}

impl Captured for Captures {
    fn has(&self, group: usize) -> bool {
        self.has(group)
    }

    fn append(&self, value: &[u8], group: usize, written: &mut Vec<u8>) {
        self.append(value, group, written);
    }
}
