//! Hosts with `*` inside a label, such as `pr-*.example.com`.
//!
//! A `*` stands for any characters of its label, or none. The hosts are a tree of labels, from the last to
//! the first. A step leads over one label: a whole one, or one of which the start and the end are known.
//! So among ten thousand such hosts, a label of a name is looked up once as a whole, and once for each
//! pair of lengths that starts and ends have there.

use crate::language::names::IndexByName;

/// Hosts with `*` inside a label, with a number each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globs {
    /// Indices in `nodes`, by the node before and the label that leads there.
    steps: IndexByName,
    /// The first is where every name begins.
    nodes: Vec<Node>,
}

/// What is known of a name whose last labels led here.
#[derive(Clone, Debug, Default)]
struct Node {
    /// How long starts and ends are, of the labels with `*` that lead on.
    cuts: Vec<(u8, u8)>,
    /// The host that has no more labels.
    whole: Option<u32>,
    /// The host that begins with `*.`: it has one more label, or many.
    deep: Option<u32>,
}

impl Globs {
    /// What a step takes at most.
    const STEP: usize = 160;

    /// Bytes that a host takes at most.
    pub(crate) fn weight(glob: &[u8]) -> usize {
        let labels = glob.split(|byte| *byte == b'.').count();
        labels.saturating_mul(Self::STEP).saturating_add(glob.len().saturating_mul(2))
    }

    /// Adds a host under a number. If it is there already, it keeps its number, which is returned.
    pub(crate) fn insert(&mut self, glob: &[u8], number: u32) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let (is_deep, labels) = glob.strip_prefix(b"*.").map_or((false, glob), |rest| (true, rest));
        let mut at = 0;
        for label in labels.rsplit(|byte| *byte == b'.') {
            at = self.step(at, label);
        }
        let Some(node) = self.nodes.get_mut(at as usize) else { return number };
        let place = if is_deep { &mut node.deep } else { &mut node.whole };
        *place.get_or_insert(number)
    }

    /// Where a label leads from a node.
    fn step(&mut self, from: u32, label: &[u8]) -> u32 {
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let star = label.iter().position(|byte| *byte == STAR);
        let (start, end) = label.split_at(star.unwrap_or(label.len()));
        let end = star.map(|_| end.get(1..).unwrap_or_default());
        let to = *self.steps.entry(key(from, start, end).into()).or_insert(new);
        if to != new {
            return to;
        }
        self.nodes.push(Node::default());
        if let (Some(end), Some(node)) = (end, self.nodes.get_mut(from as usize)) {
            // A label has at most 63 characters.
            let length = |text: &[u8]| u8::try_from(text.len()).unwrap_or(u8::MAX);
            let cut = (length(start), length(end));
            if !node.cuts.contains(&cut) {
                node.cuts.push(cut);
            }
        }
        to
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Calls `found` with the number of each host that covers a name.
    pub(crate) fn find(&self, name: &[u8], found: &mut dyn FnMut(u32)) {
        // No policy names a longer one, and a header full of dots has as many labels as bytes.
        if name.len() <= LONGEST {
            self.walk(0, Some(name), found);
        }
    }

    /// Goes on from a node with the labels that are left.
    fn walk(&self, at: u32, rest: Option<&[u8]>, found: &mut dyn FnMut(u32)) {
        let Some(node) = self.nodes.get(at as usize) else { return };
        let Some(rest) = rest else { return node.whole.into_iter().for_each(found) };
        let (before, label) = match rest.iter().rposition(|byte| *byte == b'.') {
            None => (None, rest),
            Some(dot) => (rest.get(..dot), rest.get(dot.saturating_add(1)..).unwrap_or_default()),
        };
        if label.is_empty() {
            return;
        }
        node.deep.into_iter().for_each(&mut *found);
        let next = |start: &[u8], end| self.steps.get(&*key(at, start, end)).copied();
        // A star in a name is a character like any other.
        if !label.contains(&STAR)
            && let Some(next) = next(label, None)
        {
            self.walk(next, before, found);
        }
        for (start, end) in &node.cuts {
            let behind =
                label.len().checked_sub((*end).into()).filter(|behind| usize::from(*start) <= *behind);
            let texts = behind.and_then(|behind| label.get(..usize::from(*start)).zip(label.get(behind..)));
            if let Some(next) = texts.and_then(|(start, end)| next(start, Some(end))) {
                self.walk(next, before, found);
            }
        }
    }
}

/// Whether a host with `*` inside a label covers a name. A leading `*.` is any depth.
pub(super) fn covers(glob: &[u8], name: &[u8]) -> bool {
    let (is_deep, glob) = glob.strip_prefix(b"*.").map_or((false, glob), |rest| (true, rest));
    let mut names = name.rsplit(|byte| *byte == b'.');
    let covers_next = |label| names.next().is_some_and(|name| covers_label(label, name));
    if name.len() > LONGEST || !glob.rsplit(|byte| *byte == b'.').all(covers_next) {
        return false;
    }
    let is_more = names.next();
    if is_deep { is_more.is_some_and(|label| !label.is_empty()) } else { is_more.is_none() }
}

fn covers_label(glob: &[u8], label: &[u8]) -> bool {
    let Some(star) = glob.iter().position(|byte| *byte == STAR) else { return glob == label };
    let (start, end) = glob.split_at(star);
    let rest = label.strip_prefix(start);
    rest.is_some_and(|rest| !label.is_empty() && rest.ends_with(end.get(1..).unwrap_or_default()))
}

/// Bytes of the longest name (RFC 1035 §2.3.4).
const LONGEST: usize = 253;
const STAR: u8 = b'*';

/// A label that leads on from a node; `end` is what is behind its `*`.
fn key(from: u32, start: &[u8], end: Option<&[u8]>) -> Vec<u8> {
    let star = if end.is_some() { "*" } else { "" };
    [&from.to_le_bytes(), start, star.as_bytes(), end.unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Globs, covers};

    /// Whatever else is in the tree, a name finds what covers it and nothing else.
    #[test]
    fn many_hosts_share_labels() {
        let labels = ["a", "b", "a*", "*b", "a*b", "*"];
        let all = labels.iter().flat_map(|one| labels.iter().map(move |other| format!("{one}.{other}.x")));
        let all: Vec<String> = all.flat_map(|glob| [format!("*.{glob}"), glob]).collect();
        let mut globs = Globs::default();
        for (number, glob) in (0..).zip(&all) {
            assert_eq!(globs.insert(glob.as_bytes(), number), number, "{glob}");
        }
        for one in ["a", "b", "ab", "aab", "c", ""] {
            for other in ["a", "b", "ab", "ba", "c", ""] {
                for before in ["", "d.", "d.e.", "."] {
                    let name = format!("{before}{one}.{other}.x");
                    let mut found = Vec::new();
                    globs.find(name.as_bytes(), &mut |number| found.push(number));
                    found.sort_unstable();
                    let covering =
                        (0..).zip(&all).filter(|(_, glob)| covers(glob.as_bytes(), name.as_bytes()));
                    assert_eq!(found, covering.map(|(number, _)| number).collect::<Vec<u32>>(), "{name}");
                }
            }
        }
    }

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
            ("a*b.*.x", "ab.c.x a*b.*.x", "a.c.x ab..x b.a.x"),
            (
                "h9.*.*-eu.example.com",
                "h9.a.b-eu.example.com h9.a.-eu.example.com",
                "h8.a.b-eu.example.com h9..b-eu.example.com",
            ),
            ("*.a*.h9.example.com", "x.y.ab.h9.example.com", "ab.h9.example.com"),
            ("ab*ba", "abba abxba ab*ba", "aba abb"),
            ("*.x", "a.x a.b.x", "x .x a..y"),
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
