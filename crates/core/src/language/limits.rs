//! Every bound of the product in one table, each with its reason.
//!
//! A policy that exceeds a limit is refused when it is loaded. No request can reach a limit here:
//! whatever a request can make grow is capped where it grows.

/// Bytes of one policy. Istio's control plane receives at most 4 MiB per message.
pub const POLICY_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one text of a policy, or of a field's name. A longer text is more than a request can hold,
/// so it could match nothing.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Elements of a list or fields of a table of any kind: more than any list may have.
pub const ELEMENTS: usize = 65_536;
/// Bytes that a policy may take while it is read, before anything is made from it.
pub const TREE_BYTES: usize = 24 * 1024 * 1024;
/// Bytes that every worker may have to hold for one policy: its rules, their index, its expressions.
/// Together with the policy as read, that is less than 64 MiB.
pub const WEIGHT: usize = 32 * 1024 * 1024;
/// Rules of one policy: the number that the index was measured with.
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
/// Conditions of one policy that look at every value of a cookie or query parameter. A client may send
/// ten thousand values, and each such condition is looked up among them.
pub const EACH: usize = 1000;
/// Paths of dynamic metadata in one policy: each is looked for in all metadata of a request.
pub const METADATA_PATHS: usize = 64;
/// Names in one such path: a claim may be in a table in a table.
pub const METADATA_DEPTH: usize = 16;
/// Bytes of one regular expression as written.
pub const REGEX_TEXT: usize = 1024;
/// Bytes of one compiled regular expression.
pub const REGEX_BYTES: usize = 256 * 1024;
/// About the instructions that expressions may take for one value of 60 KiB. It bounds each expression
/// by itself, and together those of a policy that one value can keep busy.
pub const REGEX_WORK: u64 = 100_000_000;
/// About the instructions for each byte that an expression of a rewrite may take.
pub const REWRITE_WORK: u64 = 4_000;
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
/// Quotations of the request in one value that a policy writes.
pub const QUOTATIONS: usize = 8;
/// Values that one quoted destination may have: each is compared with the value of every request.
pub const TO_VALUES: usize = 256;
/// Quotations of query parameters and cookies in one `requestHeaders` or `responseHeaders`. Each of
/// them reads the whole query, or all cookies.
pub const LOOKUPS: usize = 8;
/// Bytes of a value that quotes the request. With a longer value Envoy would refuse the message.
pub const RENDERED: usize = 64 * 1024;
/// Splits of one policy.
pub const SPLITS: usize = 1000;
/// Backends of one split.
pub const BACKENDS: usize = 16;
/// Canaries of one policy that have a rollback: all of them are looked after once a second.
pub const ROLLBACKS: usize = 200;
/// Steps of one ramp: a rollout of four days with a step each hour.
pub const RAMP_STEPS: usize = 100;
/// Key sources of one split, and of one `all`.
pub const KEYS: usize = 8;
/// Key sources of one split, including those of each `all`. Each may be looked for in the whole query,
/// or in all cookies.
pub const KEY_PARTS: usize = 16;
/// Milliseconds from one check of the guards of splits to the next.
pub const GUARD_TICK: u64 = 1_000;
/// Milliseconds from one probe of a guard to the next. Guards are checked once a second.
pub const PROBE_EVERY: std::ops::RangeInclusive<u64> = GUARD_TICK..=3_600_000;
/// Milliseconds for which a guard switches a backend off. A shorter time would give it no rest.
pub const COOLDOWN: std::ops::RangeInclusive<u64> = GUARD_TICK..=3_600_000;
/// Milliseconds for which a rollback does not judge the latency of a canary. A program that takes longer to
/// be warm is slow.
pub const WARMUP: std::ops::RangeInclusive<u64> = 0..=3_600_000;
/// Milliseconds within which no response is slow. A rollback tells apart nothing that takes less than one.
pub const SLOW_ABOVE: std::ops::RangeInclusive<u64> = 1..=60_000;
/// Bytes of a request's body up to which a rollback compares how long its response takes.
pub const BODY_TIMED: u64 = 64 << 10;
/// Milliseconds for which a rollback switches a canary off.
pub const HOLD: std::ops::RangeInclusive<u64> = 1_000..=90 * 86_400_000;
/// Tags of one policy. Each is a label that somebody must understand.
pub const TAGS: usize = 32;
/// Metrics of one policy: each is a host call per request.
pub const METRICS: usize = 16;
/// Tags of one metric: the most that Envoy's own series have.
pub const METRIC_TAGS: usize = 12;
/// Path templates of one tag: twice the number that the trie was measured with.
pub const TEMPLATES: usize = 2000;
/// Segments of a path template that is a tag's value: the depth of the trie.
pub const TEMPLATE_SEGMENTS: usize = 32;
/// Segments of a tag's path templates that one path is compared with at most: as many as 32 literals
/// with a variable beside each have. Then a request costs a quarter more than with a single way.
pub const TEMPLATE_STEPS: usize = 64;
/// Hosts of one `hostMap`.
pub const HOST_MAP: usize = 1000;
/// Rules of one attribute of an attribute-gen configuration.
pub const ATTRIBUTE_RULES: usize = 1000;
/// The largest `maxValues` of a tag, and the default.
pub const TAG_VALUES: (i64, i64) = (1000, 100);
/// The largest `maxLength` of a tag's value, and the default.
pub const TAG_LENGTH: (i64, i64) = (128, 64);
/// The largest `maxSeries`, and the default. Envoy keeps a series as long as the VM that made it, and
/// Prometheus keeps its history longer.
pub const SERIES: (i64, i64) = (10_000, 1000);
/// Dropped values of one tag that each worker logs.
pub const DROPPED_LOGGED: usize = 5;
/// Pages of the series log, which the workers of a proxy share; each has [`SERIES_LOG_PAGE`]
/// bytes. They have room for 10,000 series with five labels.
pub const SERIES_LOG_PAGES: usize = 256;
/// Bytes of one page. A page is copied for every new series, and at no other time.
pub const SERIES_LOG_PAGE: usize = 16 * 1024;
/// Ports of one egress rule.
pub const PORTS: usize = 64;
/// Methods of one egress rule: more than are registered.
pub const METHODS: usize = 64;
/// Readings of one path that egress rules are compared with.
pub const READINGS: usize = 32;
/// Bytes of all readings of one path; two of them are always looked at. A path of 2 kB may have
/// [`READINGS`] readings, a path of 60 kB may have two.
pub const READING_BYTES: usize = 64 * 1024;
/// Destinations that egress counts apart; those beyond are `other`. Envoy keeps a series as
/// long as the VM that made it.
pub const DESTINATIONS: usize = 2000;
/// Hosts that `learn` may remember. Each is a series, and a row of some 100 bytes. A worker reads and
/// writes the rows again whenever it has something new to share.
pub const LEARN_HOSTS: usize = 1000;
/// Milliseconds from one line of `learn` in the log to the next.
pub const LEARN_EVERY: std::ops::RangeInclusive<u64> = 5_000..=86_400_000;
/// Hosts that a worker remembers for `learn` before it shares them: about as many as one log line
/// names.
pub const LEARN_UNSHARED: usize = 50;
/// Lines that `learn` may write in a minute before they are due, so that no host is forgotten before it
/// was logged: about 4 MB, and 24,000 hosts.
pub const LEARN_LINES: u64 = 300;
/// Faults that one refusal reports: more would hide the first.
/// A tool has room for more of them than the log of a proxy.
pub const FAULTS: usize = if cfg!(feature = "describe") { 1_000 } else { 20 };
/// Ports of one backend that are guarded apart; the others count as one. A client may write any port,
/// and each port that failed is kept for ten minutes.
pub const GUARDED_PORTS: usize = 16;
/// Values that one lane may have: each is a series for what is remembered and one for what is restored.
pub const LANE_VALUES: usize = 64;
/// The largest `maxLength` of a lane, and the default: the length is kept in one byte.
pub const LANE_LENGTH: (usize, usize) = (255, 64);
/// Headers with ids of a trace: each costs host calls for each request while lanes are remembered.
pub const TRACE_HEADERS: usize = 8;
/// The largest `maxTraces`, and the default. Each takes some forty bytes and its lane, once for the proxy.
pub const TRACES: (usize, usize) = (1_000_000, 100_000);
/// Milliseconds for which the ids of a request are remembered after it has been served.
pub const LANE_TTL: std::ops::RangeInclusive<u64> = 1_000..=3_600_000;
