//! How a request looks to a filter once Envoy has read it.

use super::file::Send;
use crate::escape::unescape;
use crate::wasm::Headers;

impl Send {
    /// The headers that Envoy hands to a filter: pseudo headers first, names in lower case, an
    /// absolute target divided, the cookies of HTTP/2 put together again, headers that Envoy holds
    /// once joined.
    pub(super) fn arrives(&self) -> Headers {
        let (authority, target) = absolute(&self.target).unwrap_or((&self.authority, &self.target));
        let mut headers = Headers::of_request()
            .with(":authority", authority)
            .with(":path", target)
            .with(":method", &self.method)
            .with(":scheme", "http");
        let mut cookies: Vec<u8> = Vec::new();
        for (name, value) in self.lines() {
            if self.protocol == super::file::Protocol::Http2 && name.eq_ignore_ascii_case(b"cookie") {
                if !cookies.is_empty() {
                    cookies.extend_from_slice(b"; ");
                }
                cookies.extend_from_slice(&value);
            } else {
                headers.add(&name, &value);
            }
        }
        if !cookies.is_empty() {
            headers.add(b"cookie", &cookies);
        }
        headers
    }

    /// The header lines, as bytes.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        self.headers.iter().map(|line| split_line(line))
    }
}

/// A header line's name and value.
pub(super) fn split_line(line: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.trim_matches([' ', '\t']);
    (unescape(name), unescape(value))
}

/// The authority and the path of `http://host/path`.
fn absolute(target: &str) -> Option<(&str, &str)> {
    let rest = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"))?;
    Some(rest.find(['/', '?']).map_or((rest, "/"), |end| rest.split_at(end)))
}
