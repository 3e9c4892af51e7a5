//! Why a policy was refused: what, where, and what to do about it.

use std::fmt;

use crate::language::limits;

/// A refused policy: one fault or more, in the order of the policy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    faults: Vec<Fault>,
}

/// One fault of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable code, the same in every release.
    pub code: Code,
    /// The place in the policy; empty for the policy as a whole.
    pub place: FieldPath,
    /// What is wrong: a lower-case phrase.
    pub message: String,
    /// What to do about it: a lower-case phrase.
    pub help: String,
}

/// A place in a policy, written `splits[0].backends[1].weight`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath {
    /// Innermost segment first: the place of a fault grows outwards while the fault is returned.
    segments: Vec<PathSegment>,
}

/// One segment from a table or list into its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// Into a field of a table.
    Field(String),
    /// Into an element of a list, from 0.
    Index(usize),
}

/// The kinds of fault. A code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The text is not JSON.
    NotJson,
    /// A field that the policy language does not know.
    UnknownField,
    /// A value of the wrong type.
    WrongType,
    /// A field that must be there and is not.
    MissingField,
    /// One field written twice in one table.
    RepeatedField,
    /// One name given to two things of a kind.
    RepeatedName,
    /// A policy that would cost too much memory, or too much work on a request.
    TooHeavy,
    /// More elements than the documented limit.
    TooMany,
    /// A number outside its range.
    OutOfRange,
    /// A value that is not one of those allowed, or not well formed.
    BadValue,
    /// A policy for another filter.
    WrongFilter,
    /// Fields that exclude each other, or a group of fields that needs exactly one and has another
    /// number.
    Conflict,
    /// Weights that do not fit their total or slot.
    WeightsDoNotFit,
    /// Not exactly one baseline among the backends.
    Baseline,
    /// A name of a backend, tag or rule that does not exist.
    UnknownName,
    /// Two path templates or hosts of one tag that fit the same request equally well.
    Ambiguous,
    /// A name that cannot be a label or a metric in Prometheus.
    BadLabel,
    /// A tag that the chosen label encoding cannot carry.
    BadStockLabel,
    /// A condition of an attribute-gen configuration that is not understood.
    BadCondition,
    /// A regular expression that does not compile or is too large.
    BadRegex,
    /// A host that is not a host name or one leading wildcard.
    BadHost,
    /// A header, cookie or parameter name that is not well formed or may not be written.
    BadHeaderName,
    /// A value that a header cannot have, or that the filter must not write.
    BadHeaderValue,
    /// A path, prefix or template that cannot match.
    BadPath,
    /// An address block that is not CIDR.
    BadAddress,
    /// Something that is accepted and never acts. A warning.
    NoEffect,
    /// A policy that lets everything pass, although its filter is there to stop something. A warning.
    EverythingPasses,
}

impl Invalid {
    /// One fault at the policy's current place.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(code, message.into(), help.into())
    }

    /// The part of [`Self::new`] that is the same for every type. It is compiled once.
    #[inline(never)]
    fn of(code: Code, message: String, help: String) -> Self {
        let (message, help) = (shortened(message, LONGEST), shortened(help, LONGEST));
        Self { faults: vec![Fault { code, place: FieldPath::default(), message, help }] }
    }

    /// The faults; never empty.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The same faults, seen from the table that holds `field`.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        self.in_segment(&PathSegment::Field(field.to_owned()))
    }

    /// The same, but a fault in a field that stands `outside` of the part stays there.
    #[must_use]
    pub(crate) fn in_part(mut self, part: &str, outside: impl Fn(&str) -> bool) -> Self {
        for fault in &mut self.faults {
            let is_outside =
                matches!(fault.place.segments.last(), Some(PathSegment::Field(name)) if outside(name));
            if !is_outside {
                fault.place.segments.push(PathSegment::Field(part.to_owned()));
            }
        }
        self
    }

    /// The same faults, seen from the list that holds element `index`.
    #[must_use]
    pub fn in_index(self, index: usize) -> Self {
        self.in_segment(&PathSegment::Index(index))
    }

    /// Adds the faults of `other` after these, up to the number that is reported.
    pub fn append(&mut self, other: Self) {
        let room = limits::FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(other.faults.into_iter().take(room));
    }

    /// The faults without missing fields of this table itself: where a field is misspelt, the field that
    /// is missing is the same fault again.
    #[must_use]
    pub(crate) fn without_missing(mut self) -> Self {
        self.faults.retain(|fault| fault.code != Code::MissingField || !fault.place.is_policy());
        self
    }

    fn in_segment(mut self, segment: &PathSegment) -> Self {
        for fault in &mut self.faults {
            fault.place.segments.push(segment.clone());
        }
        self
    }
}

impl Fault {
    /// A warning about the policy as a whole: nothing is wrong, but it is probably not meant.
    pub(crate) fn warning(code: Code, message: &str, help: &str) -> Self {
        Self { code, place: FieldPath::default(), message: message.to_owned(), help: help.to_owned() }
    }

    /// The same fault, seen from the table that holds `field`.
    #[must_use]
    pub(crate) fn in_field(mut self, field: &str) -> Self {
        self.place.segments.push(PathSegment::Field(field.to_owned()));
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: ", self.code)?;
        if !self.place.is_policy() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl FieldPath {
    /// The segments from the policy inwards.
    pub fn segments(&self) -> impl Iterator<Item = &PathSegment> {
        self.segments.iter().rev()
    }

    /// Whether the fault is about the policy as a whole.
    pub fn is_policy(&self) -> bool {
        self.segments.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |name: &str| shortened(name.to_owned(), LONGEST_NAME);
        for (i, segment) in self.segments().enumerate() {
            match segment {
                PathSegment::Index(index) => write!(f, "[{index}]")?,
                PathSegment::Field(name) if !plain(name) => write!(f, "[{:?}]", short(name))?,
                PathSegment::Field(name) if i == 0 => f.write_str(&short(name))?,
                PathSegment::Field(name) => write!(f, ".{}", short(name))?,
            }
        }
        Ok(())
    }
}

impl Code {
    /// The code as users see it and search for it, such as `NRW101`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "NRW100",
            Self::UnknownField => "NRW101",
            Self::WrongType => "NRW102",
            Self::MissingField => "NRW103",
            Self::RepeatedField => "NRW104",
            Self::RepeatedName => "NRW105",
            Self::TooMany => "NRW106",
            Self::OutOfRange => "NRW107",
            Self::BadValue => "NRW108",
            Self::WrongFilter => "NRW109",
            Self::Conflict => "NRW110",
            Self::UnknownName => "NRW111",
            Self::TooHeavy => "NRW112",
            Self::WeightsDoNotFit => "NRW201",
            Self::Baseline => "NRW202",
            Self::Ambiguous => "NRW301",
            Self::BadLabel => "NRW302",
            Self::BadStockLabel => "NRW303",
            Self::BadCondition => "NRW304",
            Self::BadRegex => "NRW501",
            Self::BadHost => "NRW502",
            Self::BadHeaderName => "NRW503",
            Self::BadHeaderValue => "NRW504",
            Self::BadPath => "NRW505",
            Self::BadAddress => "NRW506",
            Self::NoEffect => "NRW611",
            Self::EverythingPasses => "NRW616",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The most bytes of a message, and of a help text; a longer one loses its middle. Either may quote
/// what was written, and goes into the log of every worker.
const LONGEST: usize = 400;
/// The most bytes of a name in a place.
const LONGEST_NAME: usize = 100;

/// A text without its middle, if it is too long: what is wrong is in the text before and after a
/// quotation.
fn shortened(text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let half = longest / 2;
    let mut parts = (half, text.len().saturating_sub(half));
    while !text.is_char_boundary(parts.0) {
        parts.0 = parts.0.saturating_sub(1);
    }
    while !text.is_char_boundary(parts.1) {
        parts.1 = parts.1.saturating_add(1);
    }
    let (head, tail) = (text.get(..parts.0), text.get(parts.1..));
    [head.unwrap_or_default(), "\u{2026}", tail.unwrap_or_default()].concat()
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
