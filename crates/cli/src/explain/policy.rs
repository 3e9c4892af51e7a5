//! Codes of the policy itself.

use super::Entry;

const fn entry(code: &'static str, title: &'static str, text: &'static str) -> Entry {
    Entry { code, title, text }
}

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "NRW100",
        "the text cannot be read",
        "A filter reads its policy as one JSON object. Istio makes it out of `pluginConfig`; in an Envoy
file it stands as text in a google.protobuf.StringValue. This tool also reads YAML, but what is
inside a StringValue has to be JSON, for nobody translates it on the way to the filter.",
    ),
    entry(
        "NRW101",
        "unknown field",
        "Every field that is not part of the policy language is refused, so that a slip of the pen does
not become a rule that never applies. The message names the nearest known field.",
    ),
    entry(
        "NRW102",
        "wrong type",
        "The field takes another kind of value. In YAML mind the words that are booleans (yes, no, on,
off) and numbers: a header's value is a string, so write it in quotes.",
    ),
    entry("NRW103", "missing field", "The field has no default, so the policy must say it."),
    entry(
        "NRW104",
        "a field stands twice",
        "JSON readers differ in which of two fields of one name they keep, and Istio keeps only one of
them. So neither is taken. The names of headers count as the same whatever their letter case.",
    ),
    entry(
        "NRW105",
        "a name is given twice",
        "Rules, splits and backends are told apart by their names: in metrics, in filter state and in the
explain record.",
    ),
    entry(
        "NRW106",
        "too many",
        "Every list has a limit, so that a policy has a known cost in memory in every proxy. The limits
are documented with each filter.",
    ),
    entry("NRW107", "number out of range", "The message names the range."),
    entry(
        "NRW108",
        "value not allowed",
        "The field takes one of a few words, or a value of a certain form. The message names them.",
    ),
    entry(
        "NRW109",
        "policy for another filter",
        "The policy's \"filter\" names another filter than the one that it is attached to. Attach it to
that one, or correct the name. The field is optional; it is there to catch this very mistake.",
    ),
    entry(
        "NRW110",
        "fields that exclude each other",
        "Only one of the fields can apply, or exactly one of several is needed.",
    ),
    entry("NRW111", "unknown name", "The policy refers to something by a name that it does not define."),
    entry(
        "NRW112",
        "too heavy",
        "Every worker of every proxy holds the whole policy, so what it will take is counted before it is
taken, and has a limit. The sums are bounds from above, the same on every machine; `narrows lint`
prints them from 1 MiB on. A rule weighs about a kilobyte, a condition a quarter, a path or value
of a list 150 bytes, an expression 64 KiB. Split the policy by workload, or write a prefix or
a wildcard for many paths or hosts.",
    ),
    entry(
        "NRW201",
        "weights do not fit",
        "A backend other than the baseline owns a slot of the buckets, as wide as its \"maxWeight\", and
gets as many of them as its \"weight\" says. The slots together cannot be wider than
\"weightTotal\", and no weight can be more than its slot. Where no \"maxWeight\" is written, the
backends share equally what is left. The baseline has no weight: it gets the rest.",
    ),
    entry(
        "NRW202",
        "not exactly one baseline",
        "One backend is the baseline: it serves whatever the others do not, and everyone comes from there
and goes back there. Mark it with \"baseline\": true.",
    ),
    entry(
        "NRW301",
        "two templates or hosts fit equally well",
        "A tag has one value for a request. Where two path templates or hosts fit it equally well, nothing
says which; make one of them more exact.",
    ),
    entry(
        "NRW302",
        "name of a label or metric refused",
        "Prometheus has names of letters, digits and underscores that do not begin with a digit, and keeps
those that begin with two underscores to itself.",
    ),
    entry(
        "NRW303",
        "not a stock label",
        "With \"labels\": \"stock\" a tag is carried by one of the few labels that Istio's bootstrap
knows without configuration. Choose another of them, or write \"labels\": \"stat-tags\" and tell the
proxies the names: narrows render --as extra-stat-tags.",
    ),
    entry(
        "NRW304",
        "condition of an attribute is not understood",
        "Of an attribute-gen configuration only simple conditions are read: comparisons of the request's and
response's attributes, joined. Write other ones as tags.",
    ),
    entry(
        "NRW501",
        "regular expression refused",
        "Expressions have the syntax of RE2, without look-around and back-references, must match the whole
value, and are bounded in size so that no request can make one slow or large.",
    ),
    entry(
        "NRW502",
        "host refused",
        "A host is a name or an address without scheme, port and path, or \"*.\" and a name for all of
its subdomains.",
    ),
    entry(
        "NRW503",
        "name of a header, cookie or parameter refused",
        "Header names are tokens (RFC 9110, section 5.1). Some may be read and not written: those that
frame the message, such as content-length, and those that begin with a colon.",
    ),
    entry(
        "NRW504",
        "header value refused",
        "A header's value cannot contain control characters, nor white space at its ends.",
    ),
    entry(
        "NRW505",
        "path refused",
        "Paths begin with \"/\" and are compared without the query. \"prefix\" goes by characters,
\"pathPrefix\" by whole segments.",
    ),
    entry(
        "NRW506",
        "address refused",
        "Address blocks are written as CIDR: 10.0.0.0/8, fd00::/8, or a single address.",
    ),
];
