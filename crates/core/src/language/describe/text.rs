//! What the fields of the policy language are and mean.

use super::Object;

/// What an object is.
#[derive(Debug)]
pub struct Summary {
    /// Its name, which no other object of the same filter has: a definition of the schema.
    pub name: &'static str,
    /// What it is, in one line.
    pub text: &'static str,
    /// How many of its own fields may be there.
    pub choice: Choice,
}

/// What a field means.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What may be written.
    pub kind: Type,
    /// What holds without it.
    pub absent: Absent,
    /// What it means, in one line.
    pub text: &'static str,
    /// The version that brought it.
    pub since: &'static str,
}

/// How many of the fields of an object may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Any, but for those that are required.
    Any,
    /// One and no other.
    ExactlyOne,
    /// One at least.
    AtLeastOne,
    /// One or none.
    AtMostOne,
    /// Any, and some only with others: keywords of JSON Schema.
    Where(&'static str),
}

/// What holds without a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Required,
    /// What its text says.
    Optional,
    /// As if this string were written.
    Says(&'static str),
    /// As if this number were written.
    Counts(i64),
    /// As if this were written.
    Holds(bool),
}

/// What may be written as a value.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A string of at least and at most so many bytes.
    Text(usize, usize),
    /// A string of at most so many bytes that a regular expression matches.
    Pattern(&'static str, usize),
    /// One of some strings.
    Words(fn() -> Vec<&'static str>),
    /// A duration from and to so many milliseconds, such as `30s`.
    Duration(u64, u64),
    /// `true` or `false`.
    Flag,
    /// `true`.
    True,
    /// An integer from and to.
    Integer(i64, i64),
    /// A number of things, from and to.
    Count(usize, usize),
    /// One of some numbers.
    Numbers(&'static [u16]),
    /// A table with known fields.
    Table(&'static Object),
    /// A list of at least and at most so many.
    List(&'static Self, usize, usize),
    /// A table of at most so many values, under names that a regular expression matches.
    Map(&'static str, &'static Self, usize),
    /// One type or the other.
    Either(&'static [Self]),
}

/// The words of a table by which a reader knows them.
pub fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}

/// The name of a rule, split, backend or tag.
pub const NAME: Type = Type::Pattern("^[A-Za-z0-9._/:-]+$", crate::language::limits::NAME);
/// The name of a header or cookie.
pub const TOKEN: &str = "^[!#$%&'+.^_`|~0-9A-Za-z-]+$";
