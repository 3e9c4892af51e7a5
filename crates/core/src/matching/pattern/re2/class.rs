//! Sets of characters: `[a-z]`, `\d`, `[[:alpha:]]`.

use regex_syntax::hir::{Class as HirClass, ClassBytes, ClassBytesRange, Hir};

use super::{Fault, Parser, fault};

/// The last character there is in Latin-1.
pub(super) const LAST: u32 = 0xff;

/// A set of characters as intervals: ascending, apart from each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Class(Vec<(u32, u32)>);

pub(super) type Ranges = &'static [(u8, u8)];

const DIGIT: Ranges = &[(b'0', b'9')];
const SPACE: Ranges = &[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')];
const WORD: Ranges = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// RE2's names for sets of ASCII.
static NAMED: [(&str, Ranges); 14] = [
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0, 0x7f)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", WORD),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];

/// The set of `\d`, `\s` or `\w`, and whether it is the rest, as in `\D`.
pub(super) fn perl(c: char) -> Option<(Ranges, bool)> {
    let ranges = match c.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    Some((ranges, c.is_ascii_uppercase()))
}

/// The name before the first `:]`, and what follows.
fn named(rest: &str) -> Option<(&str, &str)> {
    let end = rest.as_bytes().windows(2).position(|two| two == b":]")?;
    let (name, after) = rest.split_at_checked(end)?;
    Some((name, after.get(2..)?))
}

impl Class {
    pub(super) fn hir(&self) -> Hir {
        let range = |(from, to): &(u32, u32)| {
            Some(ClassBytesRange::new(u8::try_from(*from).ok()?, u8::try_from(*to).ok()?))
        };
        Hir::class(HirClass::Bytes(ClassBytes::new(self.0.iter().filter_map(range))))
    }

    pub(super) fn add(&mut self, from: u32, to: u32) {
        let at = self.0.partition_point(|known| *known < (from, to));
        self.0.insert(at, (from, to));
        self.0.dedup_by(|next, before| {
            let is_one = next.0 <= before.1.saturating_add(1);
            if is_one {
                before.1 = before.1.max(next.1);
            }
            is_one
        });
    }

    /// Everything else.
    pub(super) fn negate(&mut self) {
        let mut from = 0;
        let mut rest = Vec::with_capacity(self.0.len().saturating_add(1));
        for (first, last) in &self.0 {
            if from < *first {
                rest.push((from, first.saturating_sub(1)));
            }
            from = last.saturating_add(1);
        }
        if from <= LAST {
            rest.push((from, LAST));
        }
        self.0 = rest;
    }

    pub(super) fn remove(&mut self, c: char) {
        self.negate();
        self.add(c.into(), c.into());
        self.negate();
    }

    /// Adds an interval; with `fold`, the letters of ASCII in it in the other case too.
    pub(super) fn add_folded(&mut self, from: u32, to: u32, fold: bool) {
        self.add(from, to);
        for (first, last, other) in [(b'A', b'Z', b'a'), (b'a', b'z', b'A')].into_iter().filter(|_| fold) {
            let first = u32::from(first);
            let (low, high) = (from.max(first), to.min(last.into()));
            if low <= high {
                let moved = |c: u32| c.saturating_sub(first).saturating_add(other.into());
                self.add(moved(low), moved(high));
            }
        }
    }

    /// Adds a set, or everything that is not in it.
    pub(super) fn add_set(&mut self, ranges: Ranges, is_rest: bool, fold: bool) {
        let mut set = Self::default();
        for (from, to) in ranges {
            set.add_folded((*from).into(), (*to).into(), fold);
        }
        if is_rest {
            set.negate();
        }
        set.0.into_iter().for_each(|(from, to)| self.add(from, to));
    }

    pub(super) fn add_perl(&mut self, c: char, fold: bool) {
        if let Some((ranges, is_rest)) = perl(c) {
            self.add_set(ranges, is_rest, fold);
        }
    }
}

impl Parser<'_> {
    /// Reads what follows `[`.
    pub(super) fn bracket(&mut self) -> Result<(), Fault> {
        let mut class = Class::default();
        let is_rest = self.takes("^");
        let mut is_first = true;
        loop {
            match self.peek() {
                None => return Err(fault::unclosed("[")),
                Some(']') if !is_first => break,
                Some(_) => self.element(&mut class)?,
            }
            is_first = false;
        }
        self.rest.next();
        if is_rest {
            class.negate();
        }
        self.class(&class);
        Ok(())
    }

    /// Reads one element within brackets.
    fn element(&mut self, class: &mut Class) -> Result<(), Fault> {
        let fold = self.flags.ignore_case;
        let rest = self.rest.as_str();
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(named) {
            let (bare, is_rest) = name.strip_prefix('^').map_or((name, false), |bare| (bare, true));
            let named = NAMED.iter().find(|(known, _)| *known == bare);
            let (_, ranges) = named.ok_or_else(|| fault::named(name))?;
            class.add_set(ranges, is_rest, fold);
            self.rest = after.chars();
            return Ok(());
        }
        if let Some(after) = rest.strip_prefix('\\') {
            let mut after = after.chars();
            match after.next() {
                Some('p' | 'P') => {
                    self.rest.next();
                    return self.category(class);
                }
                Some(c) if perl(c).is_some() => {
                    class.add_perl(c, fold);
                    self.rest = after;
                    return Ok(());
                }
                _ => {}
            }
        }
        let from = self.character()?;
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
        let to = if is_range && self.takes("-") { self.character()? } else { from };
        if to < from {
            return Err(fault::range());
        }
        class.add_folded(from, to, fold);
        Ok(())
    }

    /// Reads one character within brackets.
    fn character(&mut self) -> Result<u32, Fault> {
        match self.rest.next() {
            None => Err(fault::unclosed("[")),
            Some('\\') => self.escaped(),
            Some(c) => Ok(c.into()),
        }
    }
}
