//! What the fields of the policy language are, and what they mean.

use super::Object;

/// What an object is.
#[derive(Debug)]
pub struct Summary {
    /// Its name in the schema's definitions. No other object of the same filter has this name.
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
    /// What holds without the field.
    pub absent: Absent,
    /// What it means, in one line.
    pub text: &'static str,
    /// The version that added it.
    pub since: &'static str,
}

/// How many of the fields of an object may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Any of them; required ones must be there.
    Any,
    /// Exactly one.
    ExactlyOne,
    /// At least one.
    AtLeastOne,
    /// At most one.
    AtMostOne,
    /// Any, but some only together with others: keywords of JSON Schema.
    Where(&'static str),
}

/// What holds without a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Required,
    /// The field's text describes it.
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
    /// A string, with the minimum and maximum of its bytes.
    Text(usize, usize),
    /// A string that a regular expression matches, with the maximum of its bytes.
    Pattern(&'static str, usize),
    /// One of some strings.
    Words(fn() -> Vec<&'static str>),
    /// A duration such as `30s`, with the minimum and maximum in milliseconds.
    Duration(u64, u64),
    /// `true` or `false`.
    Flag,
    /// `true`.
    True,
    /// An integer, with the minimum and maximum.
    Integer(i64, i64),
    /// A number of things, with the minimum and maximum.
    Count(usize, usize),
    /// One of some numbers.
    Numbers(&'static [u16]),
    /// A table with known fields.
    Table(&'static Object),
    /// A list, with the type of its elements, and their minimum and maximum number.
    List(&'static Self, usize, usize),
    /// A table, with the regular expression of its names, the type of its values, and their maximum
    /// number.
    Map(&'static str, &'static Self, usize),
    /// One type or the other.
    Either(&'static [Self]),
}

/// The words of a reader's table.
pub fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}

/// The name of a rule, split, backend or tag.
pub const NAME: Type = Type::Pattern("^[A-Za-z0-9._/:-]+$", crate::language::limits::NAME);
/// The name of a header or cookie.
pub const TOKEN: &str = "^[!#$%&'+.^_`|~0-9A-Za-z-]+$";
