//! Header edits: what a policy sets, adds and removes.

use std::borrow::Cow;

use crate::invalid::{Code, Invalid};
use crate::limits;
use crate::names::{self, NamePattern};
use crate::read::{self, Fields};
use crate::request::Request;
use crate::text::Text;
use crate::tree::Tree;

/// One change to a message's headers, in the order to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Takes out every header of that name.
    Remove(Cow<'a, str>),
    /// Replaces every header of that name by one.
    Set(&'a str, Cow<'a, [u8]>),
    /// Appends one header.
    Add(&'a str, Cow<'a, [u8]>),
}

impl Edit<'_> {
    /// The header's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Remove(name) => name,
            Self::Set(name, _) | Self::Add(name, _) => name,
        }
    }
}

/// `requestHeaders` or `responseHeaders` of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderEdits {
    set: Vec<(Box<str>, Text)>,
    add: Vec<(Box<str>, Text)>,
    remove: Vec<NamePattern>,
}

impl HeaderEdits {
    pub(crate) fn read(tree: &Tree) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["set", "add", "remove"])?;
        let values = |name: &str| {
            let read =
                |t| read::entries(t, limits::EDITS, names::writable_header, |v| Text::new(read::text(v)?));
            fields.optional(name, read).map(Option::unwrap_or_default)
        };
        Ok(Self {
            set: values("set")?,
            add: values("add")?,
            remove: fields
                .optional("remove", |t| read::list(t, limits::EDITS, removable))?
                .unwrap_or_default(),
        })
    }

    /// The edits for a request: removals, then what is set, then what is added, as
    /// in Gateway API. A value that quotes something missing is not written.
    pub(crate) fn apply<'a>(
        &'a self,
        request: &Request<'a>,
        present: &[(&'a [u8], &'a [u8])],
        edits: &mut Vec<Edit<'a>>,
    ) {
        self.removals(present, edits);
        let value = |text: &'a Text| text.render(request);
        edits.extend(self.set.iter().filter_map(|(name, text)| Some(Edit::Set(name, value(text)?))));
        edits.extend(self.add.iter().filter_map(|(name, text)| Some(Edit::Add(name, value(text)?))));
    }

    /// The removals alone; `present` are the headers that a wildcard can cover.
    fn removals<'a>(&'a self, present: &[(&'a [u8], &'a [u8])], edits: &mut Vec<Edit<'a>>) {
        for pattern in &self.remove {
            if pattern.as_str().ends_with('*') {
                for (name, _) in present.iter().filter(|(name, _)| pattern.covers(name)) {
                    let removal = Edit::Remove(String::from_utf8_lossy(name));
                    if !name.starts_with(b":") && !edits.contains(&removal) {
                        edits.push(removal);
                    }
                }
            } else {
                edits.push(Edit::Remove(Cow::Borrowed(pattern.as_str())));
            }
        }
    }
}

/// Reads the name, or the prefix of names, of headers that a policy may remove.
pub(crate) fn removable(tree: &Tree) -> Result<NamePattern, Invalid> {
    let pattern = NamePattern::read(tree)?;
    if pattern.as_str() == "*" {
        return Err(Invalid::new(
            Code::BadHeaderName,
            "\"*\" would remove every header",
            "name a prefix, such as \"x-internal-*\"",
        ));
    }
    if !pattern.as_str().ends_with('*') {
        names::writable_header(pattern.as_str())?;
    }
    Ok(pattern)
}
