//! What the tags read from a request while its headers are there.

use super::registry::{MISSING, OTHER, Registry};
use super::source::Value;
use super::{Captured, Tag};
use crate::matching::request::Request;

impl Tag {
    /// What this tag, at its index, reads from a request.
    pub(super) fn capture(&self, index: usize, request: &Request<'_>, registry: &Registry) -> Captured {
        if !self.used {
            return Captured::Known(MISSING);
        }
        self.captured(self.source.of_request(request), index, registry)
    }

    /// What a source reads from a request, as the registry knows it.
    pub(super) fn captured(&self, value: Value<'_>, index: usize, registry: &Registry) -> Captured {
        match value {
            Value::Later => Captured::Later,
            Value::Constant => Captured::Known(registry.constant(index)),
            Value::Known(value) => Captured::Known(value),
            Value::Captured(captured) => captured,
            Value::Text(text) => text
                .filter(|text| !text.is_empty())
                .map_or(Captured::Known(MISSING), |text| self.known(index, &text, registry)),
        }
    }

    /// A value in its bounded form; a number if the registry knows it.
    fn known(&self, index: usize, text: &[u8], registry: &Registry) -> Captured {
        let text = self.bound.of(text);
        match registry.find(index, &text) {
            Some(value) => Captured::Known(value),
            None if self.bound.values == 0 => Captured::Known(OTHER),
            None => Captured::Text(text.into()),
        }
    }
}
