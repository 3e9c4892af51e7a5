//! Every bound of the product in one table, each with its reason.
//!
//! A limit that is exceeded is an error when the policy is loaded. Nothing here
//! is reached by a request: what a request can make grow is capped where it grows.

use crate::split::guard::TICK;

/// Bytes of one policy. Istio's control plane receives at most 4 MiB a message.
pub const POLICY_BYTES: usize = 4 * 1024 * 1024;
/// Rules of one policy: what the index was measured with.
pub const RULES: usize = 10_000;
/// Matches (the OR) of one rule, as in Gateway API.
pub const MATCHES: usize = 64;
/// Conditions of one kind (headers, cookies, …) in one match, as in Gateway API.
pub const CONDITIONS: usize = 16;
/// Hosts of one match or one split.
pub const HOSTS: usize = 256;
/// Values of an `in` list.
pub const VALUES: usize = 1024;
/// Regular expressions of one policy: each holds up to [`REGEX_BYTES`] in every worker.
pub const REGEXES: usize = 256;
/// Bytes of one regular expression as written.
pub const REGEX_TEXT: usize = 1024;
/// Bytes of one compiled regular expression, and of its lazily built DFA.
pub const REGEX_BYTES: usize = 256 * 1024;
/// CIDR blocks or principals of one match.
pub const SOURCES: usize = 256;
/// Header edits of one kind (set, add, remove) in one rule, as in Gateway API.
pub const EDITS: usize = 16;
/// Names of the `strip` list.
pub const STRIP: usize = 64;
/// Characters of a name (rule, split, backend): it becomes a metric label.
pub const NAME: usize = 63;
/// Bytes of a header value, path or body that a policy writes.
pub const VALUE_BYTES: usize = 4096;
/// Splits of one policy.
pub const SPLITS: usize = 1000;
/// Backends of one split.
pub const BACKENDS: usize = 16;
/// Key sources of one split.
pub const KEYS: usize = 8;
/// Milliseconds from one probe of a guard to the next. Guards are looked after once a second.
pub const PROBE_EVERY: std::ops::RangeInclusive<u64> = TICK..=3_600_000;
/// Milliseconds for which a guard switches a backend off: shorter would be no rest.
pub const COOLDOWN: std::ops::RangeInclusive<u64> = TICK..=3_600_000;
/// Tags of one policy. Each is a label that somebody has to understand.
pub const TAGS: usize = 32;
/// Metrics of one policy: each is a host call per request.
pub const METRICS: usize = 16;
/// Tags of one metric, as Envoy's own series have at most.
pub const METRIC_TAGS: usize = 12;
/// Path templates of one tag: what the trie was measured with, twice over.
pub const TEMPLATES: usize = 2000;
/// Segments of a path template that is a tag's value: the depth of the trie.
pub const TEMPLATE_SEGMENTS: usize = 32;
/// Segments of a tag's path templates that one path is compared with at most: as many
/// as 32 literals with a variable beside each. Then a request costs a quarter more than
/// if there were one way.
pub const TEMPLATE_STEPS: usize = 64;
/// Hosts of one `hostMap`.
pub const HOST_MAP: usize = 1000;
/// Rules of one attribute of an attribute-gen configuration.
pub const ATTRIBUTE_RULES: usize = 1000;
/// The largest `maxValues` of a tag, and what it is if nothing is said.
pub const TAG_VALUES: (i64, i64) = (1000, 100);
/// The largest `maxLength` of a tag's value, and what it is if nothing is said.
pub const TAG_LENGTH: (i64, i64) = (128, 64);
/// The largest `maxSeries`, and what it is if nothing is said: Envoy keeps a series,
/// and Prometheus a history of it, until the proxy ends.
pub const SERIES: (i64, i64) = (10_000, 1000);
/// Dropped values of one tag that each worker logs.
pub const DROPPED_LOGGED: usize = 5;
/// Bytes of what workers tell each other about series, in pages of [`LEDGER_PAGE`]:
/// 10,000 series with five labels have room.
pub const LEDGER_PAGES: usize = 256;
/// Bytes of one page: it is copied at every new series, and at no other time.
pub const LEDGER_PAGE: usize = 16 * 1024;
/// Ports of one egress rule.
pub const PORTS: usize = 64;
/// Methods of one egress rule: more than are registered.
pub const METHODS: usize = 64;
/// Destinations that egress counts apart; beyond, they are `other`. A series is never
/// forgotten by Envoy.
pub const DESTINATIONS: usize = 2000;
/// Hosts that `learn` may remember: each is a series, and a row of some 100 bytes.
pub const LEARN_HOSTS: usize = 5000;
/// Faults that one refusal reports: more would bury the first.
pub const FAULTS: usize = 20;
/// Ports of one backend that are guarded apart; the others are one. A client may write any
/// port, and each that failed is kept for ten minutes.
pub const GUARDED_PORTS: usize = 16;
