//! Hosts with `*` inside a label, such as `pr-*.example.com`.
//!
//! A `*` stands for any characters of its label, or none. Among ten thousand such hosts the few that
//! may cover a name are found by what is behind the last label with a `*`, and by how that label starts
//! or ends, whichever says more. So a name is looked up once for each length that occurs there.

use crate::language::names::IndexByName;

/// Hosts with `*` inside a label, with a number each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globs {
    /// Indices in `lengths`, by what is behind the label.
    domains: IndexByName,
    /// The lengths of the starts and ends of labels there: a bit for each.
    lengths: Vec<[u64; 2]>,
    /// Indices in `lists`.
    keys: IndexByName,
    lists: Vec<Vec<(Box<[u8]>, u32)>>,
}

/// The sides of a label. They are indices in `lengths`, and part of a key.
const START: u8 = 0;
const END: u8 = 1;

impl Globs {
    /// What a host takes at most, besides twice its text: it is filed by its parts.
    pub(crate) const WEIGHT: usize = 256;

    /// Adds a host under a number. If it is there already, it keeps its number, which is returned.
    pub(crate) fn insert(&mut self, glob: &[u8], number: u32) -> u32 {
        let (label, domain) = last_starred(glob);
        let star = label.iter().position(|byte| *byte == b'*').unwrap_or_default();
        let (start, end) = label.split_at(star);
        let end = end.get(1..).unwrap_or_default();
        let (side, text) = if start.len() < end.len() { (END, end) } else { (START, start) };
        let new = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let at = *self.domains.entry(domain.into()).or_insert(new);
        if at == new {
            self.lengths.push([0; 2]);
        }
        let lengths = self.lengths.get_mut(at as usize).and_then(|sides| sides.get_mut(usize::from(side)));
        if let Some(lengths) = lengths {
            *lengths |= bit(text.len());
        }
        let new = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        let at = *self.keys.entry(key(side, text, domain).into()).or_insert(new);
        if at == new {
            self.lists.push(Vec::with_capacity(1));
        }
        let Some(list) = self.lists.get_mut(at as usize) else { return number };
        if let Some((_, known)) = list.iter().find(|(known, _)| **known == *glob) {
            return *known;
        }
        list.push((glob.into(), number));
        number
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Calls `found` with the number of each host that covers a name.
    pub(crate) fn find(&self, name: &[u8], found: &mut dyn FnMut(u32)) {
        // No policy names a longer one, and a header full of dots has as many labels as bytes.
        if name.len() > LONGEST {
            return;
        }
        let mut rest = name;
        loop {
            let dot = rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len());
            let (label, domain) = rest.split_at(dot);
            if let Some([starts, ends]) =
                self.domains.get(domain).and_then(|at| self.lengths.get(*at as usize))
            {
                for (side, lengths) in [(START, *starts), (END, *ends)] {
                    self.find_side(side, lengths, label, domain, &mut |glob, number| {
                        if covers(glob, name) {
                            found(number);
                        }
                    });
                }
            }
            let Some(after) = domain.get(1..) else { return };
            rest = after;
        }
    }

    fn find_side(
        &self,
        side: u8,
        lengths: u64,
        label: &[u8],
        domain: &[u8],
        found: &mut dyn FnMut(&[u8], u32),
    ) {
        for length in (0..=label.len()).filter(|length| lengths & bit(*length) != 0) {
            let text = if side == START {
                label.get(..length)
            } else {
                label.get(label.len().saturating_sub(length)..)
            };
            let list = self.keys.get(&*key(side, text.unwrap_or_default(), domain));
            let list = list.and_then(|at| self.lists.get(*at as usize));
            list.into_iter().flatten().for_each(|(glob, number)| found(glob, *number));
        }
    }
}

/// Bytes of the longest name (RFC 1035 §2.3.4).
const LONGEST: usize = 253;

/// The bit of a length. A label has at most 63 characters.
fn bit(length: usize) -> u64 {
    1u64.checked_shl(u32::try_from(length).unwrap_or(u32::MAX)).unwrap_or_default()
}

fn key(side: u8, text: &[u8], domain: &[u8]) -> Vec<u8> {
    [&[side], text, domain].concat()
}

/// The last label with a `*`, and what is behind it with its dot.
fn last_starred(glob: &[u8]) -> (&[u8], &[u8]) {
    let star = glob.iter().rposition(|byte| *byte == b'*').unwrap_or_default();
    let (before, behind) = glob.split_at(star);
    let start = before.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot.saturating_add(1));
    let end = behind.iter().position(|byte| *byte == b'.').map_or(glob.len(), |dot| star.saturating_add(dot));
    (glob.get(start..end).unwrap_or_default(), glob.get(end..).unwrap_or_default())
}

/// Whether a host with `*` inside a label covers a name. A leading `*.` is any depth.
fn covers(glob: &[u8], name: &[u8]) -> bool {
    let (is_deep, glob) = glob.strip_prefix(b"*.").map_or((false, glob), |rest| (true, rest));
    let mut names = name.rsplit(|byte| *byte == b'.');
    for label in glob.rsplit(|byte| *byte == b'.') {
        if !names.next().is_some_and(|name| covers_label(label, name)) {
            return false;
        }
    }
    let is_more = names.next();
    if is_deep { is_more.is_some_and(|label| !label.is_empty()) } else { is_more.is_none() }
}

fn covers_label(glob: &[u8], label: &[u8]) -> bool {
    let Some(star) = glob.iter().position(|byte| *byte == b'*') else { return glob == label };
    let (start, end) = glob.split_at(star);
    let rest = label.strip_prefix(start);
    rest.is_some_and(|rest| !label.is_empty() && rest.ends_with(end.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Globs, covers};

    #[test]
    fn one_star_in_a_label() {
        for (glob, inside, outside) in [
            (
                "pr-*.example.com",
                "pr-7.example.com pr-.example.com",
                "pr-7.x.example.com pr.example.com example.com a.pr-7.example.com",
            ),
            ("*-eu.example.com", "a-eu.example.com -eu.example.com", "a-us.example.com a.b-eu.example.com"),
            ("a*b.c*.x", "ab.c.x a1b.c2.x", "a.c.x ab.d.x ab.cx"),
            ("*.pr-*.x", "a.pr-1.x b.a.pr-1.x", "pr-1.x .pr-1.x a.b.x"),
            ("a.*.x", "a.b.x", "a..x a.b.c.x a.x"),
            ("api.*", "api.com", "api.co.uk api."),
        ] {
            let mut globs = Globs::default();
            assert_eq!((globs.insert(glob.as_bytes(), 7), globs.insert(glob.as_bytes(), 8)), (7, 7));
            for (names, is_in) in [(inside, true), (outside, false)] {
                for name in names.split(' ') {
                    assert_eq!(covers(glob.as_bytes(), name.as_bytes()), is_in, "{glob} {name}");
                    let mut found = Vec::new();
                    globs.find(name.as_bytes(), &mut |number| found.push(number));
                    assert_eq!(found.len(), usize::from(is_in), "{glob} {name}");
                }
            }
        }
    }
}
