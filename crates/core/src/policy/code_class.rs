//! The class of a response code, as a label.

/// The classes: `none` without a response, then `1xx` to `5xx` by the first digit.
pub const CODE_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
