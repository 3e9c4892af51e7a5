//! Texts found anywhere in a value, all of them in one pass (Aho and Corasick, 1975): in time
//! linear in the value, however many texts there are.

use super::facts::Fact;

/// A trie of texts. From a node that the next byte does not continue, the search goes on at the
/// longest other node whose text ends here too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finder {
    /// The first is the root.
    nodes: Vec<Node>,
}

/// A place in the trie; 0 is none, for the root is nobody's child.
type Place = u32;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    byte: u8,
    child: Place,
    sibling: Place,
    /// Where to go on.
    other: Place,
    /// The nearest other node at which a text ends.
    shorter: Place,
    /// The fact that the text which ends here is there.
    fact: Option<Fact>,
}

impl Finder {
    /// Adds a text that is not empty.
    pub(crate) fn insert(&mut self, text: &[u8], fact: Fact) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for byte in text {
            at = match self.child(at, *byte) {
                0 => {
                    let new = Place::try_from(self.nodes.len()).unwrap_or_default();
                    self.nodes.push(Node { byte: *byte, sibling: self.node(at).child, ..Node::default() });
                    self.change(at, |node| node.child = new);
                    new
                }
                child => child,
            };
        }
        self.change(at, |node| node.fact = Some(fact));
    }

    /// Joins what was inserted; call once, after the last.
    pub(crate) fn finish(&mut self) {
        // By length: where a node goes on is shorter than itself.
        let mut queue = vec![0];
        let mut done = 0usize;
        while let Some(parent) = queue.get(done).copied() {
            done = done.saturating_add(1);
            let mut at = self.node(parent).child;
            while at != 0 {
                let node = self.node(at);
                let other = if parent == 0 { 0 } else { self.step(self.node(parent).other, node.byte) };
                let ends = self.node(other);
                let shorter = if ends.fact.is_some() { other } else { ends.shorter };
                self.change(at, |node| (node.other, node.shorter) = (other, shorter));
                queue.push(at);
                at = node.sibling;
            }
        }
    }

    /// Adds the facts of all texts that stand in a value.
    pub(crate) fn find(&self, value: &[u8], facts: &mut Vec<Fact>) {
        if self.nodes.is_empty() {
            return;
        }
        let mut found: Vec<Place> = Vec::new();
        let mut at = 0;
        for byte in value {
            at = self.step(at, *byte);
            let mut end = at;
            while end != 0 {
                let node = self.node(end);
                if let Some(fact) = node.fact {
                    // What was found before was found with all that is shorter.
                    let Err(place) = found.binary_search(&end) else { break };
                    found.insert(place, end);
                    facts.push(fact);
                }
                end = node.shorter;
            }
        }
    }

    fn step(&self, mut at: Place, byte: u8) -> Place {
        loop {
            match self.child(at, byte) {
                0 if at == 0 => return 0,
                0 => at = self.node(at).other,
                child => return child,
            }
        }
    }

    fn child(&self, at: Place, byte: u8) -> Place {
        let mut child = self.node(at).child;
        while child != 0 {
            let node = self.node(child);
            if node.byte == byte {
                break;
            }
            child = node.sibling;
        }
        child
    }

    fn node(&self, at: Place) -> Node {
        self.nodes.get(at as usize).copied().unwrap_or_default()
    }

    fn change(&mut self, at: Place, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(at as usize) {
            change(node);
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Finder;

    #[test]
    fn every_text_is_found_once() {
        let texts = ["he", "she", "his", "hers", "s", "aaa", "aa"];
        let mut finder = Finder::default();
        for (fact, text) in (0..).zip(texts) {
            finder.insert(text.as_bytes(), fact);
        }
        finder.finish();
        for value in ["ushers", "", "h", "hihishe", "aaaaaaa", "baab", "hershershers"] {
            let mut facts = Vec::new();
            finder.find(value.as_bytes(), &mut facts);
            facts.sort_unstable();
            let there = (0..).zip(texts).filter(|(_, text)| value.contains(text)).map(|(fact, _)| fact);
            assert_eq!(facts, there.collect::<Vec<u64>>(), "{value}");
        }
    }
}
