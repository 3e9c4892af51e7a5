//! What a conversion has to say about an old configuration, with the place that it is about.

use std::ops::Range;

/// Of which kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It cannot be converted, so nothing is.
    Refused,
    /// It is converted, and some requests are treated in another way than before.
    Differs,
    /// It is not a matter of a policy: it stays where it is, or in the routes.
    Stays,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of which kind it is.
    pub kind: Kind,
    /// The number of the file, in the order given.
    pub file: usize,
    /// The bytes of the file.
    pub at: Range<usize>,
    /// What it is: a lower-case phrase.
    pub what: String,
    /// What to do about it: a lower-case phrase.
    pub help: String,
}

/// Collects what is said about one file.
pub(super) struct Log {
    /// The number of the file.
    pub(super) file: usize,
    /// What was said, in the order of the reading.
    pub(super) said: Vec<Difference>,
}

impl Kind {
    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Differs => "differs",
            Self::Stays => "stays",
        }
    }
}

impl Log {
    pub(super) fn new(file: usize) -> Self {
        Self { file, said: Vec::new() }
    }

    pub(super) fn refuse(&mut self, at: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.say(Kind::Refused, at, what.into(), help.into());
    }

    pub(super) fn differs(&mut self, at: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.say(Kind::Differs, at, what.into(), help.into());
    }

    pub(super) fn stays(&mut self, at: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.say(Kind::Stays, at, what.into(), help.into());
    }

    fn say(&mut self, kind: Kind, at: &Range<usize>, what: String, help: String) {
        let new = Difference { kind, file: self.file, at: at.clone(), what, help };
        if !self.said.contains(&new) {
            self.said.push(new);
        }
    }
}
