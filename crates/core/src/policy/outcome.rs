//! What was decided, for tools: they show it, and count how often each outcome came.

use crate::action::sanitize;
use crate::policy::decision::Decision;
use crate::policy::state;

/// What was decided on a request. Values are bytes: a request may be quoted in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The requests among which a share makes sense: those of one split, or all.
    pub scope: String,
    /// What is counted.
    pub outcome: Vec<u8>,
    /// The rule, split, backend, reason and bucket, as far as there are any.
    pub details: Vec<(String, Vec<u8>)>,
}

impl Outcome {
    pub(crate) fn new(scope: &str, outcome: &str) -> Self {
        Self { scope: scope.to_owned(), outcome: outcome.into(), details: Vec::new() }
    }

    /// With one more fact.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.details.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The filter state that a decision writes, or would write.
    pub(crate) fn of_state(decision: &Decision<'_>) -> Self {
        let written = decision
            .state
            .iter()
            .chain(&decision.unpublished)
            .filter(|(name, _)| *name != sanitize::PROVENANCE);
        let details: Vec<_> = written
            .map(|(name, value)| (name.strip_prefix(state::TAG).unwrap_or(name).to_owned(), value.to_vec()))
            .collect();
        let mut outcome = Vec::new();
        for (index, (_, value)) in details.iter().enumerate() {
            outcome.extend((index > 0).then_some(b' '));
            outcome.extend_from_slice(value);
        }
        Self { scope: "requests".to_owned(), outcome, details }
    }
}
