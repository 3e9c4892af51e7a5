//! The part that every compiled policy has.

use super::head::Head;
use super::needs::Needs;
use super::series::Series;
use crate::action::sanitize::Sanitizer;
use crate::matching::budget::Weight;
use crate::matching::needles::Needles;

/// What every filter's policy compiles to, besides its own rules.
#[derive(Clone, Debug, Default)]
pub struct Common {
    pub(crate) head: Head,
    /// The names that a client must not send.
    pub sanitizer: Sanitizer,
    /// Every series that the policy counts in from the start. A count refers to one by its index here.
    pub series: Vec<Series>,
    /// The labels of the series that get their names while requests are served.
    pub labels: Vec<Box<str>>,
    /// Filter state that later filters, logs and Istio's metrics may read: a label for each, and its
    /// name.
    pub published: Vec<(Box<str>, Box<str>)>,
    /// What must be read of a request for this policy to decide.
    pub needs: Needs,
    /// The objects of filter state that must be read of a request.
    pub filter_state: Vec<Box<str>>,
    pub(crate) needles: Needles,
    /// How much of the allowed weight the policy takes.
    pub weight: Weight,
    /// Whether a name in a certificate counts even if `callers` does not believe it: a deny matches
    /// anyone who presents the name, and only an allow needs proof.
    pub(crate) judges_presented: bool,
}

impl Common {
    /// Whether decisions stay out of the filter state, by `filterState`.
    pub fn is_silent(&self) -> bool {
        self.head.is_silent
    }
}
