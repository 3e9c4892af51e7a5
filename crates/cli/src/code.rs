//! Codes of findings, each with what `narrows explain` prints about it.
//!
//! A finding holds its code, and a code holds its explanation, so nothing without an explanation can be
//! reported. Codes of the policy language are in [`policy`]. Codes of rules are beside their rule, in
//! `crate::lint::rules`. Here are the codes of faults that are found while files are read.

pub mod example;
pub mod policy;

use std::fmt;

/// A kind of finding. Its id never changes its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The id, such as `NRW614`.
    pub id: &'static str,
    /// The fault, in a phrase.
    pub title: &'static str,
    /// Why it is wrong, and what to do.
    pub text: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// Declares codes and the list of them, so that the list misses none.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal, $text:literal;)+) => {
        $($(#[$doc])* pub const $name: &Code = &Code { id: $id, title: $title, text: $text };)+

        /// The codes of faults that are found while files are read.
        pub const READING: &[&Code] = &[$($name),+];
    };
}

codes! {
    /// No field, module or option names the filter of a policy.
    UNKNOWN_FILTER = "NRW600",
        "unknown filter",
        "A policy in a file of its own names its filter in the field \"filter\", or the command line does
with --filter. In the configuration of Istio and Envoy the name of the module names the filter:
.../canary-split:0.1.0, canary-split.wasm.";
    /// A configuration that does not reach the filter as JSON.
    NOT_A_STRING = "NRW610",
        "configuration that does not reach the filter as JSON",
        "Envoy hands a google.protobuf.StringValue to the filter as text. Any other message, such as
google.protobuf.Struct, arrives as the bytes of protobuf, which the filter cannot read.";
    /// A file of requests that cannot be read.
    BAD_REQUESTS = "NRW612",
        "requests cannot be read",
        "A file of requests is a list. Each request has any of these fields: method, target, authority,
headers (a list of \"name: value\" lines in order, \\xNN for a byte, or a table of names and values),
metadata (a table for each filter that wrote some), body, protocol (http1 or http2), scheme, source (address, principal, verified, namespace, workload),
serverName, cluster, virtualHost, stripped and repeat. If there is a repeat, {n} in the texts counts
from 1. Without an authority, a header host or an absolute target, a request is for shop.example.com.
What no proxy would take is refused: a method with a blank, a target with a control character.";
    /// A case file that cannot be read.
    BAD_CASES = "NRW690",
        "case file cannot be read",
        "A case file has a policy (policy, or policyFile) and lists of cases and of refused policies. A field
that it does not have is refused, so that a misspelt expectation does not pass.";
    /// A number that readers of YAML read in different ways.
    DISPUTED = "NRW630",
        "a number that readers of YAML disagree on",
        "YAML 1.1 and 1.2 differ in what these are: 010 is 8 or 10, 1_000 is 1000 or a text, 12:30 is 750 or a
text, 1e3 is a text or 1000, 0o17 is a text or 15. Kubernetes, Python and this program do not read them
alike, so what is checked would not be what is applied. Write the digits alone: weight: 10. A text
that looks like such a number is written in quotes: exact: \"010\". In JSON the question does not arise.";
}
