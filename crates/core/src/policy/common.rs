//! The part that every compiled policy has.

use super::Needs;
use super::head::Head;
use super::series::Series;
use crate::action::strip::Strip;
use crate::matching::budget::Weight;
use crate::matching::needles::Needles;

/// What every filter's policy compiles to, beside its own rules.
#[derive(Clone, Debug, Default)]
pub struct Common {
    pub(crate) head: Head,
    /// The names that a client must not send.
    pub strip: Strip,
    /// Every series that the policy counts in from the start; a count names one by its index here.
    pub series: Vec<Series>,
    /// The labels of the series that are named as requests are served.
    pub labels: Vec<Box<str>>,
    /// Filter state that later filters, logs and Istio's metrics may read: a label for each, and its
    /// name.
    pub published: Vec<(Box<str>, Box<str>)>,
    /// What must be read of a request for this policy to decide.
    pub needs: Needs,
    pub(crate) needles: Needles,
    /// What the policy takes of what one may.
    pub weight: Weight,
    /// Whether the name in a certificate counts that `callers` does not believe: a deny matches
    /// whoever presents it, and only an allow needs proof.
    pub(crate) judges_presented: bool,
}
