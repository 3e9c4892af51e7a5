//! What must hold for a request, in the words that all old configurations share.

/// What must hold at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::migrate) struct Match {
    /// Other hosts than those of the group.
    pub(in crate::migrate) host: Option<String>,
    /// The path.
    pub(in crate::migrate) path: Option<PathTest>,
    /// The rest.
    pub(in crate::migrate) conditions: Vec<Condition>,
}

/// A test of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct PathTest {
    /// How it is compared.
    pub(in crate::migrate) how: PathKind,
    /// With what.
    pub(in crate::migrate) text: String,
    /// In any letter case.
    pub(in crate::migrate) ignore_case: bool,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum PathKind {
    /// The whole path.
    Exact,
    /// Characters at its start.
    Prefix,
    /// Whole segments at its start.
    Segments,
    /// An expression for the whole path.
    Regex,
}

/// A test of something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct Condition {
    /// Of what.
    pub(in crate::migrate) on: On,
    /// The test.
    pub(in crate::migrate) test: Test,
    /// In any letter case.
    pub(in crate::migrate) ignore_case: bool,
    /// How it must come out.
    pub(in crate::migrate) sense: Sense,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum On {
    /// A header.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
    /// The method.
    Method,
    /// Whether the request came by http or https.
    Scheme,
    /// Dynamic metadata.
    Metadata(Vec<String>),
}

/// A test of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum Test {
    /// Is this text.
    Exact(String),
    /// Starts with it.
    Prefix(String),
    /// Ends with it.
    Suffix(String),
    /// Has it.
    Contains(String),
    /// Is one of them.
    In(Vec<String>),
    /// Is what this expression describes, as a whole.
    Regex(String),
    /// Is a whole number from the first, below the second.
    Range(i64, i64),
    /// Is there.
    Present,
}

/// How a test must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum Sense {
    /// It holds.
    Holds,
    /// It fails; a missing value is an empty one.
    Fails,
    /// There is a value, and it fails.
    Differs,
}

impl Match {
    /// Whether it holds for every request of the group.
    pub(in crate::migrate) fn is_everything(&self) -> bool {
        let any_path =
            |path: &PathTest| path.text == "/" && matches!(path.how, PathKind::Prefix | PathKind::Segments);
        self.host.is_none() && self.conditions.is_empty() && self.path.as_ref().is_none_or(any_path)
    }
}
