//! Explains decisions in the words of the policy.

use narrows_core::Outcome;

use crate::escape::printable;

/// What decided on a request, and why, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The requests among which a share makes sense: those of one split, or all.
    pub scope: String,
    /// The outcome that is counted.
    pub counted: Vec<u8>,
    /// The rule, split, backend, reason and bucket, if there are any.
    pub details: Vec<(String, String)>,
}

impl Explanation {
    /// The explanation of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        let details = outcome.details.iter().map(|(name, value)| (name.clone(), printable(value)));
        Self { scope: outcome.scope.clone(), counted: outcome.outcome.clone(), details: details.collect() }
    }
}
