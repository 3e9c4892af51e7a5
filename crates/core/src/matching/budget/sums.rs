//! The memory for a policy as it is written, summed up before any of it is read.

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::{ELEMENT, FIELD, PolicyValue, text_bytes};

/// The memory for a policy as it is written and read, and for whatever is kept of it.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) written: usize,
    pub(super) read: usize,
    pub(super) held: usize,
}

impl Sums {
    pub(super) fn add(&mut self, tree: &PolicyValue) -> Result<(), Invalid> {
        match tree {
            PolicyValue::Text(text) => {
                self.text(text)?;
                // A quotation is a piece of its own.
                let quotes = text.bytes().filter(|b| *b == b'%').count();
                self.note(2, text_bytes(text), quotes.saturating_mul(24));
            }
            PolicyValue::List(elements) => {
                for (i, element) in elements.iter().enumerate() {
                    self.note(1, ELEMENT, ELEMENT);
                    self.add(element).map_err(|e| e.in_index(i))?;
                }
                self.note(2, 0, 0);
            }
            PolicyValue::Table(fields) => {
                for (name, value) in fields {
                    self.text(name)?;
                    self.note(4, FIELD.saturating_add(text_bytes(name)), FIELD);
                    self.add(value).map_err(|e| e.in_field(name))?;
                }
                self.note(2, 0, 0);
            }
            PolicyValue::Null | PolicyValue::Flag(_) | PolicyValue::Integer(_) | PolicyValue::Fraction(_) => {
                self.note(1, 0, 0);
            }
        }
        Ok(())
    }

    fn note(&mut self, written: usize, read: usize, held: usize) {
        self.written = self.written.saturating_add(written);
        self.read = self.read.saturating_add(read);
        self.held = self.held.saturating_add(held);
    }

    /// A text is kept at least once.
    fn text(&mut self, text: &str) -> Result<(), Invalid> {
        self.note(text.len(), 0, text_bytes(text));
        if text.len() <= limits::TEXT_BYTES {
            return Ok(());
        }
        Err(Invalid::new(
            Code::TooMany,
            "a text is longer than 65536 bytes",
            "shorten it: no request holds as much",
        ))
    }
}
