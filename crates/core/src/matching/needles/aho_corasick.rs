//! Finds texts anywhere in a value, all of them in one pass (Aho and Corasick, 1975). It takes time
//! linear in the value's length, however many texts there are.

use crate::order::sorted;

/// A trie of texts. If the next byte does not continue from a node, the search goes on at the longest
/// other node whose text ends at the same place. Nodes are numbered by depth, the root first. So a
/// node's children are beside each other, in the order of their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct AhoCorasick {
    texts: usize,
    /// The byte that leads to each node.
    bytes: Box<[u8]>,
    /// Where each node's children begin; the next node's begin where they end.
    children: Box<[Node]>,
    /// Where to go on.
    other: Box<[Node]>,
    /// The nearest other node at which a text ends. 0 is none, because no text ends at the root.
    shorter: Box<[Node]>,
    /// The text that ends at each node, from 1; 0 is none.
    ends: Box<[u32]>,
}

type Node = u32;

impl AhoCorasick {
    /// `texts` are not empty, and each is there once, with its number.
    pub(super) fn new(mut texts: Vec<(Box<[u8]>, u32)>) -> Self {
        let of = |index: u32| texts.get(index as usize);
        let order = sorted(texts.len(), &|a, b| of(a).cmp(&of(b)));
        let texts: Vec<_> = order
            .into_iter()
            .filter_map(|index| Some(std::mem::take(texts.get_mut(index as usize)?)))
            .collect();
        let (mut bytes, mut ends, mut children) = (vec![0], vec![0], Vec::new());
        // Below each node: the texts from the first place to the second, which agree up to here.
        let mut below = vec![(0usize, texts.len(), 0usize)];
        let mut node = 0usize;
        while let Some((mut from, to, depth)) = below.get(node).copied() {
            children.push(Node::try_from(bytes.len()).unwrap_or(Node::MAX));
            if let Some((text, number)) = texts.get(from).filter(|_| from < to)
                && text.len() == depth
            {
                ends.get_mut(node).into_iter().for_each(|end| *end = number.saturating_add(1));
                from = from.saturating_add(1);
            }
            while from < to {
                let byte = |index: usize| texts.get(index).and_then(|(text, _)| text.get(depth)).copied();
                let first = byte(from);
                let same = (from..to).take_while(|index| byte(*index) == first).count();
                let next = from.saturating_add(same.max(1));
                bytes.push(first.unwrap_or_default());
                ends.push(0);
                below.push((from, next, depth.saturating_add(1)));
                from = next;
            }
            node = node.saturating_add(1);
        }
        children.push(Node::try_from(bytes.len()).unwrap_or(Node::MAX));
        let none = vec![0; bytes.len()];
        let mut finder = Self {
            texts: texts.len(),
            bytes: bytes.into(),
            children: children.into(),
            other: none.clone().into(),
            shorter: none.into(),
            ends: ends.into(),
        };
        finder.join();
        finder
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts
    }

    /// Finds for each node the node where the search goes on, which is nearer to the root.
    fn join(&mut self) {
        for parent in 0..Node::try_from(self.bytes.len()).unwrap_or_default() {
            let from = of(&self.children, parent);
            let to = of(&self.children, parent.saturating_add(1));
            for child in from..to {
                let byte = self.bytes.get(child as usize).copied().unwrap_or_default();
                let other = if parent == 0 { 0 } else { self.step(of(&self.other, parent), byte) };
                let shorter = if of(&self.ends, other) > 0 { other } else { of(&self.shorter, other) };
                self.other.get_mut(child as usize).into_iter().for_each(|index| *index = other);
                self.shorter.get_mut(child as usize).into_iter().for_each(|index| *index = shorter);
            }
        }
    }

    /// Reports every text that a value holds. `note` returns whether that is new: when a text was found
    /// before, all shorter ones that end with it were found too.
    pub(super) fn find(&self, value: &[u8], ignore_case: bool, note: &mut impl FnMut(u32) -> bool) {
        let mut at = 0;
        for byte in value {
            let byte = if ignore_case { byte.to_ascii_lowercase() } else { *byte };
            at = self.step(at, byte);
            let mut end = if of(&self.ends, at) > 0 { at } else { of(&self.shorter, at) };
            while end != 0 && note(of(&self.ends, end).saturating_sub(1)) {
                end = of(&self.shorter, end);
            }
        }
    }

    fn step(&self, mut at: Node, byte: u8) -> Node {
        loop {
            match self.child(at, byte) {
                0 if at == 0 => return 0,
                0 => at = of(&self.other, at),
                child => return child,
            }
        }
    }

    /// The child of a node by its byte; 0 if there is none.
    fn child(&self, at: Node, byte: u8) -> Node {
        let from = of(&self.children, at);
        let to = of(&self.children, at.saturating_add(1));
        let bytes = self.bytes.get(from as usize..to as usize).unwrap_or_default();
        let index = match bytes {
            [] => None,
            [only] => (*only == byte).then_some(0),
            many => many.binary_search(&byte).ok(),
        };
        index.and_then(|index| from.checked_add(u32::try_from(index).ok()?)).unwrap_or_default()
    }
}

fn of(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::AhoCorasick;

    #[test]
    fn every_text_is_found_once() {
        let texts = ["he", "she", "his", "hers", "s", "aaa", "aa", "\u{ff}"];
        let numbered = (0..).zip(texts).map(|(number, text)| (text.as_bytes().into(), number));
        let finder = AhoCorasick::new(numbered.collect());
        for value in ["ushers", "", "h", "hihishe", "aaaaaaa", "baab", "hershershers", "a\u{ff}", "HERS"] {
            for ignore_case in [false, true] {
                let mut found: Vec<u32> = Vec::new();
                finder.find(value.as_bytes(), ignore_case, &mut |number| {
                    let is_new = !found.contains(&number);
                    found.extend(is_new.then_some(number));
                    is_new
                });
                found.sort_unstable();
                let value = if ignore_case { value.to_ascii_lowercase() } else { value.to_owned() };
                let there =
                    (0..).zip(texts).filter(|(_, text)| value.contains(text)).map(|(number, _)| number);
                assert_eq!(found, there.collect::<Vec<u32>>(), "{value}");
            }
        }
        AhoCorasick::new(Vec::new()).find(b"abc", false, &mut |_| true);
    }
}
