//! What the tags read of a request while its headers are there.

use std::borrow::Cow;

use super::book::{Book, MISSING, OTHER};
use super::source::Source;
use super::{Captured, Tag};
use crate::matching::request::Request;

impl Tag {
    /// What this tag, at its place, reads of a request.
    pub(super) fn capture(&self, place: usize, request: &Request<'_>, book: &Book) -> Captured {
        if !self.used {
            return Captured::Known(MISSING);
        }
        let text: Option<Cow<'_, [u8]>> = match &self.source {
            Source::Fixed(value) => return Captured::Known(*value),
            Source::Constant => return Captured::Known(book.constant(place)),
            // A host that is none is another one.
            Source::HostMap(_) | Source::Host if request.host().is_missing() => {
                return Captured::Known(OTHER);
            }
            Source::HostMap(map) => return Captured::Known(map.find(request.host().name()).unwrap_or(OTHER)),
            Source::Paths(paths) => return Captured::Known(paths.find(request.path()).unwrap_or(OTHER)),
            Source::Rules(rules) => return rules.capture(request),
            Source::Header(name) => request.header(name).value().map(|value| value.to_vec().into()),
            Source::Cookie(name) => request.cookie_values(name).next().map(|value| value.to_vec().into()),
            Source::Query(name) => request.query_values(name).next().map(|value| value.to_vec().into()),
            Source::Method => Some(request.method().into()),
            Source::Host => Some(request.host().name().into()),
            _ => return Captured::Later,
        };
        match text.filter(|text| !text.is_empty()) {
            Some(text) => self.known(place, &text, book),
            None => Captured::Known(MISSING),
        }
    }

    /// A value in its bounded form; as a number if the book has it.
    pub(super) fn known(&self, place: usize, text: &[u8], book: &Book) -> Captured {
        let text = self.bound.of(text);
        match book.find(place, &text) {
            Some(value) => Captured::Known(value),
            None if self.bound.values == 0 => Captured::Known(OTHER),
            None => Captured::Text(text.into()),
        }
    }
}
