//! A radix trie of path prefixes. A path visits every prefix of itself, in time linear in the path's
//! length.

use std::rc::Rc;

use super::Found;
use super::key::IndexKeys;
use super::postings::Postings;
use super::terms::{RequestTerms, TermDictionary};
use crate::matching::path::{PathForm, PathMatch};
use crate::matching::texts::Texts;
use crate::matching::value::Terms;

/// A trie over bytes. Its nodes are in a list, the root first: a path may be thousands of prefixes
/// deep, and a stack cannot be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    postings: Postings,
    /// Each child: its edge, and its index among the nodes. Children differ in the first byte of their
    /// edges, and are sorted by it.
    children: Vec<(Box<[u8]>, u32)>,
}

impl Trie {
    /// Files a match under a prefix.
    pub(crate) fn insert(&mut self, mut prefix: &[u8], number: u32, keys: &Rc<IndexKeys>) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        while let Some(first) = prefix.first() {
            let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let Some(Node { children, .. }) = self.nodes.get_mut(at as usize) else { return };
            match children.binary_search_by_key(&Some(first), |(edge, _)| edge.first()) {
                Err(index) => {
                    // Most nodes have few children: spare room would be most of the trie.
                    if children.len() < 8 {
                        children.reserve_exact(1);
                    }
                    children.insert(index, (prefix.into(), new));
                    self.nodes.push(Node::default());
                    (at, prefix) = (new, b"");
                }
                Ok(index) => {
                    let Some((edge, child)) = children.get_mut(index) else { return };
                    let common = edge.iter().zip(prefix).take_while(|(a, b)| a == b).count();
                    let (head, tail) = edge.split_at(common.min(edge.len()));
                    let below = *child;
                    if tail.is_empty() {
                        at = below;
                    } else {
                        // A node between the two.
                        let between =
                            Node { postings: Postings::Empty, children: vec![(tail.into(), below)] };
                        (*edge, *child) = (head.into(), new);
                        self.nodes.push(between);
                        at = new;
                    }
                    prefix = prefix.get(common..).unwrap_or_default();
                }
            }
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.postings.insert(number, keys);
        }
    }

    /// Files what was inserted; called once, after the last match.
    pub(crate) fn finish(&mut self, dictionary: &mut TermDictionary) {
        self.nodes.shrink_to_fit();
        for node in &mut self.nodes {
            node.postings.finish(dictionary);
            node.children.shrink_to_fit();
        }
    }

    /// Scans the postings of every prefix of `path`.
    pub(crate) fn scan(&self, path: &[u8], terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        let mut next = self.nodes.first();
        let mut left = path;
        while let Some(node) = next {
            node.postings.scan(terms, found);
            let Some(first) = left.first() else { return };
            let child = node.children.binary_search_by_key(&Some(first), |(edge, _)| edge.first());
            let Some((edge, child)) = child.ok().and_then(|at| node.children.get(at)) else { return };
            let Some(rest) = left.strip_prefix(&**edge) else { return };
            next = self.nodes.get(*child as usize);
            left = rest;
        }
    }
}

/// Texts in lower case: every path that matches starts with one of them.
pub(crate) fn literal_prefixes(path: Option<&PathMatch>) -> Texts {
    let written = match path.filter(|path| !path.invert).map(|path| &path.form) {
        Some(PathForm::Segments(prefix)) => vec![prefix.to_vec()],
        Some(PathForm::Template(template)) => vec![template.literal_prefix()],
        Some(PathForm::Value(value)) => match value.test.terms() {
            Terms::Is(text) | Terms::Starts(text) => vec![text.to_vec()],
            Terms::In(texts) => texts.iter().map(<[u8]>::to_vec).collect(),
            Terms::Ends(_) | Terms::Holds(_) | Terms::Within(..) | Terms::Present(_) | Terms::Unknown => {
                vec![Vec::new()]
            }
        },
        None => vec![Vec::new()],
    };
    let mut prefixes = Texts::default();
    for mut prefix in written {
        prefix.make_ascii_lowercase();
        prefixes.insert(prefix.into());
    }
    prefixes
}
