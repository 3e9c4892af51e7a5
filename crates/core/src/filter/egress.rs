//! `egress-policy`: decides what may leave, and reports what tried to.
//!
//! Everything that a rule compares is first brought to one form ([`destination`]), or is refused: a
//! rule that one spelling gets past is worthless. Denying beats allowing, and what is ambiguous is
//! denied.

mod act;
mod address;
pub mod ambiguity;
mod caller;
mod compile;
#[cfg(any(test, feature = "describe"))]
mod dead;
mod decide;
pub mod destination;
mod explain;
pub mod learn;
mod measure;
mod outbound;
mod outbound_headers;
mod path;
mod private;
mod route;
mod rule;
mod server_name;
#[cfg(test)]
mod tests;

use crate::language::modes::Callers;
use crate::matching::hosts::HostSet;
use crate::matching::index::Index;
use crate::matching::source::Cidr;
use crate::policy::common::Common;
pub use outbound::{Outbound, RouteAsk};

use learn::Learning;
use measure::SeriesIndices;
use outbound_headers::OutboundHeaders;
use private::Private;
use rule::{Rule, RuleMatch};
use server_name::ServerName;

/// A compiled `egress-policy` policy.
#[derive(Clone, Debug)]
pub struct Egress {
    common: Common,
    /// Which certificates identify a caller. A deny always matches the presented one.
    callers: Callers,
    /// Whether it has no field of its own: then it is a pass-through.
    says_nothing: bool,
    default: Action,
    rules: Vec<Rule>,
    /// A rule's paths, one match each; a rule without any has one match.
    rule_matches: Vec<RuleMatch>,
    /// Whether a rule in force has a path.
    reads_paths: bool,
    enforced: Deciders,
    /// Rules in report mode: they change nothing.
    trial: Deciders,
    private: Private,
    server_name: ServerName,
    refusal: Refusal,
    outbound_headers: OutboundHeaders,
    learn: Option<Learning>,
    /// The hosts that rules name, for `learn`.
    listed: HostSet,
    /// The blocks of addresses that rules name, for `learn`.
    listed_blocks: Vec<Cidr>,
    series_indices: SeriesIndices,
}

/// Rules of one mode, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
struct Deciders {
    deny: Index,
    /// The same without paths, for a path that has no reading.
    deny_any_path: Index,
    allow: Index,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The request may leave.
    Allow,
    /// It may not.
    Deny,
}

/// `response` of a policy: how a request is refused.
#[derive(Clone, Debug)]
struct Refusal {
    /// Without it the status that the reason has.
    status: Option<u16>,
    body: Box<str>,
}

/// What decided: a rule by its index, or something that is not a rule of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// A rule of the policy.
    Rule(usize),
    /// No rule: the policy's default.
    Default,
    /// `denyPrivateAddresses`.
    PrivateAddress,
    /// The host does not have one form.
    AmbiguousHost,
    /// A rule would allow the request, if its path had a reading.
    AmbiguousPath,
    /// The TLS connection was opened to another name than the request is for.
    SniMismatch,
    /// The request stays in the cluster: only rules that deny concern it.
    InCluster,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may leave, whatever the mode of the policy.
    pub action: Action,
    /// Why.
    pub ruling: Ruling,
    /// The rule in report mode that would have decided otherwise.
    pub trial: Option<usize>,
}

impl Egress {
    /// The name of what decided.
    pub fn ruling(&self, ruling: Ruling) -> &str {
        match ruling {
            Ruling::Rule(index) => self.rules.get(index).map_or("", |rule| &rule.name),
            Ruling::Default => "default",
            Ruling::PrivateAddress => "private-address",
            Ruling::AmbiguousHost => "ambiguous-host",
            Ruling::AmbiguousPath => "ambiguous-path",
            Ruling::SniMismatch => "sni-mismatch",
            Ruling::InCluster => "in-cluster",
        }
    }
}

/// Names that no rule may have: they name what is not a rule.
const RESERVED: [&str; 6] =
    ["default", "private-address", "ambiguous-host", "ambiguous-path", "sni-mismatch", "in-cluster"];
