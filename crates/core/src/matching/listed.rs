//! A value that a policy lists, perhaps with one `*` in it.

use crate::language::invalid::{Code, Invalid};
use crate::language::names;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

/// A value that a policy lists.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The value, or what is before the `*`.
    start: Box<[u8]>,
    /// What is behind the `*`, if there is one.
    end: Option<Box<[u8]>>,
}

impl Listed {
    /// Reads a value; `what` is what it is to be, such as "a destination".
    pub(crate) fn read(tree: &PolicyValue, what: &str) -> Result<Self, Invalid> {
        let written = read::text(tree)?;
        names::header_value(written)?;
        let (start, end) = match written.split_once('*') {
            Some((start, end)) => (start, Some(end)),
            None => (written, None),
        };
        if written.is_empty() || written == "*" || end.is_some_and(|end| end.contains('*')) {
            return Err(Invalid::new(
                Code::BadValue,
                format!("{written:?} cannot be {what}"),
                "write a value, or one with one \"*\" in it: \"pr-*\"",
            ));
        }
        Ok(Self { start: start.as_bytes().into(), end: end.map(|end| end.as_bytes().into()) })
    }

    /// Whether a value is this one. A `*` stands for one character or more of a name.
    pub(crate) fn covers(&self, value: &[u8]) -> bool {
        let Some(rest) = value.strip_prefix(&*self.start) else { return false };
        let Some(end) = &self.end else { return rest.is_empty() };
        rest.strip_suffix(&**end).is_some_and(|name| !name.is_empty() && name.iter().copied().all(is_of_name))
    }
}

/// Whether a byte may be in a name.
pub(crate) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}
