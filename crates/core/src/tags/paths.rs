//! Path templates as a trie of segments: a thousand cost what ten do.
//!
//! The most specific template wins: segment by segment from the left, a literal before
//! a variable before the rest. Two templates of one shape would be a matter of luck,
//! so they are refused.

use crate::invalid::{Code, Invalid};
use crate::names::Places;
use crate::template::{Segment, Template};

/// A set of templates, each with the value that stands for it.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: Places,
    variable: Option<u32>,
    /// The value of a template that ends here.
    end: Option<u32>,
    /// The value of a template whose `*` takes what is left.
    rest: Option<u32>,
}

impl Paths {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Adds a template. `written` is what an error says.
    pub(super) fn insert(&mut self, template: &Template, written: &str, value: u32) -> Result<(), Invalid> {
        let (segments, rest) = template.segments();
        let mut at = 0;
        for segment in segments {
            at = self.child(at, segment);
        }
        let place =
            self.nodes.get_mut(as_index(at)).map(|node| if rest { &mut node.rest } else { &mut node.end });
        match place {
            Some(place) if place.is_none() => {
                *place = Some(value);
                Ok(())
            }
            _ => Err(Invalid::new(
                Code::Ambiguous,
                format!("{written:?} has the shape of an earlier template: no path could tell them apart"),
                "keep one of them",
            )),
        }
    }

    /// The value of the most specific template that a path without query fits.
    pub(super) fn find(&self, path: &[u8]) -> Option<u32> {
        self.descend(0, path.strip_prefix(b"/").map(Some)?)
    }

    /// `left` is `None` after the last segment. There are no more steps than templates
    /// have segments, whatever the path.
    fn descend(&self, at: u32, left: Option<&[u8]>) -> Option<u32> {
        let node = self.nodes.get(as_index(at))?;
        let Some(left) = left else { return node.end };
        let end = left.iter().position(|b| *b == b'/');
        let (segment, tail) = left.split_at(end.unwrap_or(left.len()));
        let tail = end.and_then(|_| tail.get(1..));
        let literal = node.literals.get(segment).and_then(|next| self.descend(*next, tail));
        let variable =
            || node.variable.filter(|_| !segment.is_empty()).and_then(|next| self.descend(next, tail));
        literal.or_else(variable).or_else(|| node.rest.filter(|_| !left.is_empty()))
    }

    fn child(&mut self, at: u32, segment: &Segment) -> u32 {
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let Some(node) = self.nodes.get_mut(as_index(at)) else { return at };
        let child = match segment {
            Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(new),
            Segment::Variable => *node.variable.get_or_insert(new),
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }
}

/// Places are counted in 32 bits to halve the trie.
fn as_index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Paths;
    use crate::template::Template;

    const TEMPLATES: [&str; 9] = [
        "/",
        "/books",
        "/books/{id}",
        "/books/new",
        "/books/{id}/pages/{page}",
        "/books/new/*",
        "/static/*",
        "/{tenant}/health",
        "/*",
    ];

    fn paths() -> Paths {
        let mut paths = Paths::new();
        for (value, text) in (0..).zip(TEMPLATES) {
            paths.insert(&Template::new(text).unwrap(), text, value).unwrap();
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
            assert!(Template::new(found).unwrap().matches(path.as_bytes()), "{path} {found}");
        }
    }

    #[test]
    fn one_shape_twice_is_refused() {
        let mut paths = paths();
        for text in ["/books/{isbn}", "/static/*", "/", "/books/{a}/pages/{b}"] {
            let refused = paths.insert(&Template::new(text).unwrap(), text, 9).unwrap_err().to_string();
            assert!(refused.contains("NRW301") && refused.contains(text), "{refused}");
        }
    }
}
