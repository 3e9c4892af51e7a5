//! What the tags read from a request while its headers are there.

use super::registry::{MISSING, OTHER, Registry};
use super::source::Value;
use super::{Captured, Tag};
use crate::matching::request::Request;

impl Tag {
    /// What this tag, at its place, reads from a request.
    pub(super) fn capture(&self, place: usize, request: &Request<'_>, book: &Registry) -> Captured {
        if !self.used {
            return Captured::Known(MISSING);
        }
        self.captured(self.source.of_request(request), place, book)
    }

    /// What a source reads from a request, as the registry knows it.
    pub(super) fn captured(&self, value: Value<'_>, place: usize, book: &Registry) -> Captured {
        match value {
            Value::Later => Captured::Later,
            Value::Constant => Captured::Known(book.constant(place)),
            Value::Known(value) => Captured::Known(value),
            Value::Captured(captured) => captured,
            Value::Text(text) => text
                .filter(|text| !text.is_empty())
                .map_or(Captured::Known(MISSING), |text| self.known(place, &text, book)),
        }
    }

    /// A value in its bounded form; a number if the registry knows it.
    fn known(&self, place: usize, text: &[u8], book: &Registry) -> Captured {
        let text = self.bound.of(text);
        match book.find(place, &text) {
            Some(value) => Captured::Known(value),
            None if self.bound.values == 0 => Captured::Known(OTHER),
            None => Captured::Text(text.into()),
        }
    }
}
