//! A radix trie of path prefixes: a path visits every prefix of itself, in time
//! linear in the path.

use std::rc::Rc;

use super::anchor::Anchors;
use super::facts::{Facts, Vocabulary};
use super::leaf::Leaf;
use crate::matcher::path::{PathForm, PathMatch};
use crate::matcher::texts::Texts;
use crate::matcher::value::Test;

/// A trie over bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    leaf: Option<Leaf>,
    /// By first byte, which is part of the edge and differs from child to child.
    children: Vec<(Box<[u8]>, Self)>,
}

impl Trie {
    pub(crate) fn is_empty(&self) -> bool {
        self.leaf.is_none() && self.children.is_empty()
    }

    /// Files a clause under a prefix.
    pub(crate) fn insert(&mut self, prefix: &[u8], number: u32, anchors: &Rc<Anchors>) {
        let Some(first) = prefix.first() else {
            return self.leaf.get_or_insert_default().insert(number, anchors);
        };
        match self.children.binary_search_by_key(&Some(first), |(edge, _)| edge.first()) {
            Err(at) => {
                let mut child = Self::default();
                child.insert(b"", number, anchors);
                self.children.insert(at, (prefix.into(), child));
            }
            Ok(at) => {
                let Some((edge, child)) = self.children.get_mut(at) else { return };
                let common = edge.iter().zip(prefix).take_while(|(a, b)| a == b).count();
                let (head, tail) = edge.split_at(common.min(edge.len()));
                if !tail.is_empty() {
                    let below = std::mem::take(child);
                    child.children.push((tail.into(), below));
                    *edge = head.into();
                }
                child.insert(prefix.get(common..).unwrap_or_default(), number, anchors);
            }
        }
    }

    /// Files what was inserted; call once, after the last.
    pub(crate) fn finish(&mut self, vocabulary: &mut Vocabulary) {
        if let Some(leaf) = &mut self.leaf {
            leaf.finish(vocabulary);
        }
        for (_, child) in &mut self.children {
            child.finish(vocabulary);
        }
    }

    /// Scans the leaf of every prefix of `path`.
    pub(crate) fn scan(
        &self,
        path: &[u8],
        facts: &Facts<'_, '_>,
        verify: &impl Fn(u32) -> bool,
        best: &mut Option<u32>,
    ) {
        let mut node = self;
        let mut left = path;
        loop {
            if let Some(leaf) = &node.leaf {
                leaf.scan(facts, verify, best);
            }
            let Some(first) = left.first() else { return };
            let child = node.children.binary_search_by_key(&Some(first), |(edge, _)| edge.first());
            let Some((edge, child)) = child.ok().and_then(|at| node.children.get(at)) else { return };
            let Some(rest) = left.strip_prefix(&**edge) else { return };
            node = child;
            left = rest;
        }
    }
}

/// Texts of which every path that matches starts with one, in lower case.
pub(crate) fn literal_prefixes(path: Option<&PathMatch>) -> Texts {
    let written = match path.filter(|path| !path.invert).map(|path| &path.form) {
        Some(PathForm::Segments(prefix)) => vec![prefix.to_vec()],
        Some(PathForm::Template(template)) => vec![template.literal_prefix()],
        Some(PathForm::Value(value)) => match &value.test {
            Test::Exact(text) | Test::Prefix(text) => vec![text.to_vec()],
            Test::In(texts) => texts.iter().map(<[u8]>::to_vec).collect(),
            _ => vec![Vec::new()],
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
