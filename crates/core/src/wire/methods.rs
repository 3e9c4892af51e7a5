//! The methods of HTTP.

/// Methods that everybody knows (RFC 9110 §9.3, RFC 5789). Workers share counts in this order.
pub(crate) const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
