//! The methods of HTTP.

/// Methods that everybody knows (RFC 9110 §9.3, RFC 5789, and the IETF's "HTTP QUERY method"). Workers
/// share counts in this order.
pub(crate) const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
