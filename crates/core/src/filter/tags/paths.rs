//! Path templates as a trie of segments: a thousand templates cost what ten do.
//!
//! The most specific template wins. Segments are compared from the left: a literal comes before a
//! variable with an ending, that before a variable, and a variable before the rest. Between two
//! templates of the same shape only luck would decide, so they are refused.

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::names::IndexByName;
use crate::language::path_template::{self, PathTemplate, ending};

/// A set of templates, each with its value.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    /// The literals and endings of all templates. A segment is looked up once, however many ways are
    /// then tried.
    words: IndexByName,
    nodes: Vec<Node>,
    /// Segments of the longest template.
    depth: usize,
    /// Whether a template has a variable with an ending.
    has_endings: bool,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// By the word's number.
    literals: Vec<(u32, u32)>,
    /// Variables before an ending, by the ending's number.
    endings: Vec<(u32, u32)>,
    variable: Option<u32>,
    /// The value of a template that ends here.
    end: Option<u32>,
    /// The value of a template that ends here with a `*`, which takes the rest of the path.
    rest: Option<u32>,
}

/// A segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Its number, if it is a literal of some template; [`EMPTY`] or [`UNKNOWN`].
    word: u32,
    /// The number of its ending, if it is the ending of some template and there is more before it.
    ending: u32,
}

/// The number of the empty word: what is between two slashes, or after the last slash. A template may
/// have it as a literal; no variable takes it.
const EMPTY: u32 = 0;
/// The number of a word that no template has. No template has so many words.
const UNKNOWN: u32 = u32::MAX;

impl Paths {
    pub(super) fn new() -> Self {
        let words = IndexByName::from_iter([(Box::default(), EMPTY)]);
        Self { words, nodes: vec![Node::default()], depth: 0, has_endings: false }
    }

    /// Adds a template. Errors quote `written`.
    pub(super) fn insert(
        &mut self,
        template: &PathTemplate,
        written: &str,
        value: u32,
    ) -> Result<(), Invalid> {
        let (segments, rest) = template.segments();
        self.depth = self.depth.max(segments.len());
        let mut at = 0;
        for segment in segments {
            at = self.child(at, segment);
        }
        let index =
            self.nodes.get_mut(as_index(at)).map(|node| if rest { &mut node.rest } else { &mut node.end });
        match index {
            Some(index) if index.is_none() => {
                *index = Some(value);
                Ok(())
            }
            _ => Err(Invalid::new(
                Code::Ambiguous,
                format!("{written:?} matches the same paths as an earlier template"),
                "keep one of them",
            )),
        }
    }

    /// The same, if no path leads through too many nodes. Where literals are beside variables on every
    /// level, the number of ways through the trie doubles with each level.
    pub(super) fn bounded(self) -> Result<Self, Invalid> {
        // Children come after their parents.
        let mut widest = vec![0usize; self.nodes.len()];
        let of = |widest: &[usize], next: u32| widest.get(as_index(next)).copied().unwrap_or_default();
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let most = |nodes: &[(u32, u32)]| {
                nodes.iter().map(|(_, next)| of(&widest, *next)).max().unwrap_or_default()
            };
            let variable = node.variable.map(|next| of(&widest, next)).unwrap_or_default();
            let named = most(&node.literals).saturating_add(most(&node.endings));
            if let Some(index) = widest.get_mut(at) {
                *index = named.saturating_add(variable).saturating_add(1);
            }
        }
        let most = widest.first().copied().unwrap_or_default();
        if most <= limits::TEMPLATE_STEPS {
            return Ok(self);
        }
        Err(Invalid::new(
            Code::TooMany,
            format!(
                "one path could be compared with {most} segments of these templates, more than {}",
                limits::TEMPLATE_STEPS
            ),
            "leave out templates that have a variable where others have a literal, segment after segment",
        ))
    }

    /// The value of the most specific template that a path without query fits.
    pub(super) fn find(&self, path: &[u8]) -> Option<u32> {
        let path = path.strip_prefix(b"/")?;
        // One segment more than a template can have, and one more to know whether anything is left.
        let segments = path.split(|b| *b == b'/').take(self.depth.saturating_add(2));
        // Endings are looked for only where a template has one: most policies have none.
        let segments: Vec<Segment> = if self.has_endings {
            segments
                .map(|segment| Segment { word: self.word(segment), ending: self.ending(segment) })
                .collect()
        } else {
            segments.map(|segment| Segment { word: self.word(segment), ending: UNKNOWN }).collect()
        };
        self.descend(0, &segments)
    }

    fn word(&self, text: &[u8]) -> u32 {
        self.words.get(text).map_or(UNKNOWN, |word| *word)
    }

    fn ending(&self, segment: &[u8]) -> u32 {
        match ending(segment) {
            Some(ending) if ending.len() < segment.len() => self.word(ending),
            _ => UNKNOWN,
        }
    }

    /// It takes no more steps than [`Self::bounded`] allows, whatever the path.
    fn descend(&self, at: u32, left: &[Segment]) -> Option<u32> {
        let node = self.nodes.get(as_index(at))?;
        let Some((segment, tail)) = left.split_first() else { return node.end };
        if segment.word != UNKNOWN
            && let Some(value) = child(&node.literals, segment.word).and_then(|next| self.descend(next, tail))
        {
            return Some(value);
        }
        if segment.ending != UNKNOWN
            && let Some(value) =
                child(&node.endings, segment.ending).and_then(|next| self.descend(next, tail))
        {
            return Some(value);
        }
        let is_empty = segment.word == EMPTY;
        let variable = node.variable.filter(|_| !is_empty).and_then(|next| self.descend(next, tail));
        variable.or_else(|| node.rest.filter(|_| !(tail.is_empty() && is_empty)))
    }

    fn child(&mut self, at: u32, segment: &path_template::Segment) -> u32 {
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let words = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let Some(node) = self.nodes.get_mut(as_index(at)) else { return at };
        let mut named = |text: &[u8], nodes: &mut Vec<(u32, u32)>| {
            let word = *self.words.entry(text.into()).or_insert(words);
            match nodes.binary_search_by_key(&word, |(word, _)| *word) {
                Ok(_) => child(nodes, word).unwrap_or(at),
                Err(before) => {
                    nodes.insert(before, (word, new));
                    new
                }
            }
        };
        let child = match segment {
            path_template::Segment::Literal(text) => named(text, &mut node.literals),
            path_template::Segment::Ending(text) => {
                self.has_endings = true;
                named(text, &mut node.endings)
            }
            path_template::Segment::Variable => *node.variable.get_or_insert(new),
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }
}

/// The node of a word.
#[inline]
fn child(nodes: &[(u32, u32)], word: u32) -> Option<u32> {
    let index = nodes.binary_search_by_key(&word, |(word, _)| *word).ok()?;
    nodes.get(index).map(|(_, next)| *next)
}

/// Indices are counted in 32 bits to halve the trie.
fn as_index(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Paths;
    use crate::language::path_template::PathTemplate;

    const TEMPLATES: [&str; 13] = [
        "/",
        "/books",
        "/books/{id}",
        "/books/new",
        "/books/{id}/pages/{page}",
        "/books/new/*",
        "/static/*",
        "/{tenant}/health",
        "/items/{id}:check",
        "/items/{id}.json",
        "/items/{id}",
        "/items/{id}.json/raw",
        "/*",
    ];

    fn paths() -> Paths {
        let mut paths = Paths::new();
        for (value, text) in (0..).zip(TEMPLATES) {
            paths.insert(&PathTemplate::new(text).unwrap(), text, value).unwrap();
        }
        paths
    }

    fn find(path: &str) -> Option<&'static str> {
        paths().find(path.as_bytes()).map(|value| TEMPLATES[value as usize])
    }

    #[test]
    fn the_most_specific_wins() {
        assert_eq!(find("/"), Some("/"));
        assert_eq!(find("/books"), Some("/books"));
        assert_eq!(find("/books/42"), Some("/books/{id}"));
        assert_eq!(find("/books/new"), Some("/books/new"));
        assert_eq!(find("/books/new/a/b"), Some("/books/new/*"));
        assert_eq!(find("/books/42/pages/7"), Some("/books/{id}/pages/{page}"));
        // A literal that leads nowhere gives way to the variable.
        assert_eq!(find("/books/new/pages/7"), Some("/books/new/*"));
        assert_eq!(find("/books/health"), Some("/books/{id}"));
        assert_eq!(find("/acme/health"), Some("/{tenant}/health"));
        assert_eq!(find("/items/42"), Some("/items/{id}"));
        assert_eq!(find("/items/42:check"), Some("/items/{id}:check"));
        assert_eq!(find("/items/a:b.json"), Some("/items/{id}.json"));
        assert_eq!(find("/items/42.json/raw"), Some("/items/{id}.json/raw"));
        // What is only an ending, or ends otherwise, is the variable's.
        for other in [":check", "42:checked", ".json", "42.json.gz", "42:Check"] {
            assert_eq!(find(&format!("/items/{other}")), Some("/items/{id}"), "{other}");
        }
        assert_eq!(find("/static/"), Some("/*"));
        assert_eq!(find("/books/"), Some("/*"));
        assert_eq!(find("//books"), Some("/*"));
        assert_eq!(find("/a/b/c"), Some("/*"));
        assert_eq!(find("books"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn every_answer_is_a_template_that_matches() {
        for path in ["/books/1/pages/", "/books/1/pages/2/3", "/\u{ff}/health", "/books//pages/1"] {
            let found = find(path).unwrap();
            assert!(PathTemplate::new(found).unwrap().matches(path.as_bytes()), "{path} {found}");
        }
    }

    /// Templates in which each segment is a literal or a variable, in every combination.
    fn two_ways(depth: u32) -> Paths {
        let mut paths = Paths::new();
        for number in 0u32..1 << depth {
            let text: String =
                (0..depth).map(|bit| if number >> bit & 1 == 1 { "/{x}" } else { "/a" }).collect();
            paths.insert(&PathTemplate::new(&text).unwrap(), &text, number).unwrap();
        }
        paths
    }

    #[test]
    fn a_path_has_few_ways_through() {
        let paths = two_ways(5).bounded().unwrap();
        assert_eq!(paths.find(b"/a/b/a/b/a"), Some(0b01010));
        assert_eq!(paths.find(b"/a/a/a/a/"), None);
        // A literal of 32 segments, with a variable beside each.
        let mut deep = Paths::new();
        let all = "/a".repeat(32);
        deep.insert(&PathTemplate::new(&all).unwrap(), &all, 0).unwrap();
        for at in 0..31 {
            let text = format!("{}/{{x}}", "/a".repeat(at));
            deep.insert(&PathTemplate::new(&text).unwrap(), &text, 1).unwrap();
        }
        assert!(deep.bounded().is_ok());
        let refused = two_ways(10).bounded().unwrap_err().to_string();
        assert!(refused.contains("NRW106") && refused.contains("2047 segments"), "{refused}");
    }

    #[test]
    fn one_shape_twice_is_refused() {
        let mut paths = paths();
        for text in ["/books/{isbn}", "/static/*", "/", "/books/{a}/pages/{b}", "/items/{name}.json"] {
            let refused = paths.insert(&PathTemplate::new(text).unwrap(), text, 9).unwrap_err().to_string();
            assert!(refused.contains("NRW301") && refused.contains(text), "{refused}");
        }
    }
}
