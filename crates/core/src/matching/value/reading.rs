//! What the readers of value tests share.

use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::budget::Budget;

/// A value matcher that is being read.
pub(crate) struct Reading<'r> {
    pub(crate) fields: Fields<'r>,
    pub(crate) ignore_case: bool,
    pub(crate) budget: &'r Budget,
}

/// What may be written in a test of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfPath {
    /// A path from its root.
    Whole,
    /// A list of paths from their root.
    Wholes,
    /// A piece of a path.
    Part,
    /// A path from its root, with variables.
    Template,
    /// Something else.
    AsWritten,
}

impl Reading<'_> {
    /// A text, in lower case if letter case is ignored.
    pub(super) fn text(&self, tree: &PolicyValue) -> Result<Box<[u8]>, Invalid> {
        let text = read::text(tree)?;
        let text = if self.ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        Ok(text.into_bytes().into())
    }

    /// A text that is not empty, under `name`.
    pub(super) fn part(&self, name: &str) -> Result<Box<[u8]>, Invalid> {
        self.fields.required(name, |tree| {
            let text = self.text(tree)?;
            if text.is_empty() {
                return Err(Invalid::new(
                    Code::BadValue,
                    format!("an empty {name:?} matches everything"),
                    "use \"present\": true",
                ));
            }
            Ok(text)
        })
    }
}
