//! Codes of the policy language ([`narrows_core::Code`]) and what they mean.

use narrows_core::Code as Fault;

use super::Code;

/// Used for policies and for resources: the rule is in [`crate::lint`].
pub const NO_EFFECT: Code = Code {
    id: Fault::NoEffect.as_str(),
    title: "no effect",
    text: "The field is accepted and has no effect.",
};

/// Also used for policies and for resources.
pub const EVERYTHING_PASSES: Code = Code {
    id: Fault::EverythingPasses.as_str(),
    title: "everything passes",
    text:
        "A policy of egress-policy without \"default\" and rules lets every call leave. With only \"trust\" or
\"labels\" it looks as if it stopped something, but an egress gateway with it is open. Write
\"default\": \"deny\" and rules, or \"default\": \"allow\" if that is what you want.",
};

/// Writes the list of codes and the explanation of each. A code of the core that is missing here
/// does not compile.
macro_rules! explain {
    ($($fault:ident: $title:literal, $text:literal;)+) => {
        /// All of them, in order.
        pub const ALL: &[Fault] = &[$(Fault::$fault),+];

        /// The code of a fault, with its explanation.
        pub fn of(fault: Fault) -> &'static Code {
            match fault {
                $(Fault::$fault => {
                    const { &Code { id: Fault::$fault.as_str(), title: $title, text: $text } }
                })+
                Fault::NoEffect => const { &NO_EFFECT },
                Fault::EverythingPasses => const { &EVERYTHING_PASSES },
            }
        }
    };
}

explain! {
    NotJson:
        "the text cannot be read",
        "A filter reads its policy as one JSON object. Istio makes that out of `pluginConfig`. In an Envoy
file it is the text of a google.protobuf.StringValue. This tool reads YAML too, but the text of a
StringValue must be JSON: it reaches the filter as it is.";
    UnknownField:
        "unknown field",
        "A field that the policy language does not have is refused, so that a misspelt condition does not
become a rule that never applies. The message names the nearest known field.";
    WrongType:
        "wrong type",
        "The field takes another type of value. In YAML some unquoted words are booleans (yes, no, on,
off), and digits are numbers. The value of a header is a string: put it in quotes.";
    MissingField:
        "missing field",
        "The field has no default, so the policy must have it.";
    RepeatedField:
        "duplicate field",
        "JSON readers differ in which of two fields with one name they keep, and Istio keeps only one of
them. So both are refused. Names of headers are compared without letter case.";
    RepeatedName:
        "duplicate name",
        "Metrics, filter state and the explain record identify rules, splits and backends by their names.";
    TooMany:
        "too many elements",
        "Every list has a limit, so that the memory that a policy takes in every proxy is known. The
README of each filter lists the limits.";
    OutOfRange:
        "number out of range",
        "The message gives the range.";
    BadValue:
        "value not allowed",
        "The field takes one of a few words, or a value of a certain form. The message lists them.";
    WrongFilter:
        "policy for another filter",
        "The field \"filter\" of the policy names another filter than the one that the policy is attached
to. Attach it to that filter, or correct the name. The field is optional: it exists to catch this
mistake.";
    Conflict:
        "fields that exclude each other",
        "Only one of the fields can apply, or exactly one of several is needed.";
    UnknownName:
        "unknown name",
        "The policy refers to a name that it does not define.";
    TooHeavy:
        "policy too large",
        "A policy costs memory and work, and each has a limit of its own: the memory of its rules, the steps of
its expressions and rewrites over one long value, and the conditions that look at every value of a
parameter. The message names the limit that was reached. Every worker of every proxy holds the whole
policy, so its memory is computed before it is loaded. The sums are upper bounds, the same on every machine; `narrows lint` prints them
from 1 MiB on. A rule takes about a kilobyte, a condition a quarter of that, a path or value of a
list 150 bytes, a regular expression 64 KiB. Split the policy by workload, or write a prefix or a
wildcard for many paths or hosts.";
    WeightsDoNotFit:
        "weights do not fit",
        "Every backend but the baseline has a slot of the buckets. Its \"maxWeight\" is the width of the
slot, and its \"weight\" says how much of the slot it gets. The sum of all slots cannot be more than
\"weightTotal\", and no weight can be more than its slot. Backends without \"maxWeight\" share the
rest of the buckets equally. The baseline has no weight: it gets every bucket that is left.";
    Baseline:
        "not exactly one baseline",
        "One backend is the baseline: it serves every user whom no other backend serves, before, during
and after a rollout. Mark it with \"baseline\": true.";
    Ambiguous:
        "two templates or hosts match equally well",
        "A tag has one value for a request. If two path templates or hosts match it equally well, the value
is not defined; make one of them more specific.";
    BadLabel:
        "name of a label or metric refused",
        "Names in Prometheus consist of letters, digits and underscores and do not begin with a digit.
Those that begin with two underscores are reserved.";
    BadStockLabel:
        "not a stock label",
        "With \"labels\": \"stock\" a tag must use one of the few labels that Istio's default bootstrap
extracts. Choose another of them, or write \"labels\": \"stat-tags\" and configure the proxies:
narrows render --as pod-annotation.";
    BadCondition:
        "condition of an attribute is not supported",
        "Of an attribute-gen configuration only simple conditions are supported: comparisons of attributes
of the request and the response, joined. Write other conditions as tags.";
    BadRegex:
        "regular expression refused",
        "Regular expressions have the syntax of RE2, without look-around and back-references. They must
match the whole value, and their size is limited, so that no request can make one slow or large.";
    BadHost:
        "host refused",
        "A host is a name or an address without scheme, port and path, or \"*.\" and a name, which matches
all of its subdomains.";
    BadHeaderName:
        "name of a header, cookie or parameter refused",
        "Header names are tokens (RFC 9110, section 5.1). Some headers can be read but not written: those
that frame the message, such as content-length, and those that begin with a colon.";
    BadHeaderValue:
        "header value refused",
        "The value of a header cannot contain control characters other than tab, such as a line break, and
its length has a limit. White space at its ends is accepted.";
    BadPath:
        "path refused",
        "Paths begin with \"/\" and are compared without the query. \"prefix\" compares characters,
\"pathPrefix\" whole segments.";
    BadAddress:
        "address refused",
        "Address blocks are written as CIDR: 10.0.0.0/8, fd00::/8, or a single address.";
}
