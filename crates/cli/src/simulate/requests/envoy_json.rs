//! An access log of JSON lines: Istio's fields, and those that operators name after headers.

use narrows_cases::bytes::escape;
use narrows_cases::{Protocol, Send, Source};
use serde_json::{Map, Value};

use super::sink::{Sink, Stopped};

/// The names that a fact goes by, in the order in which they are asked.
const AUTHORITY: &[&str] = &["authority", ":authority", "host"];
const METHOD: &[&str] = &["method", ":method"];
const PATH: &[&str] = &["x-envoy-original-path", "x_envoy_original_path", "path", ":path"];
const SCHEME: &[&str] = &["scheme", ":scheme", "x-forwarded-proto", "x_forwarded_proto"];
/// Headers that do not begin with `x-`.
const HEADERS: [&str; 6] = ["user-agent", "referer", "cookie", "content-type", "accept", "traceparent"];

/// Reads one line. A line of another kind is counted and passed over: a proxy's log has both.
pub(super) fn line(line: &str, number: u64, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    if let Some(send) = serde_json::from_str(line).ok().and_then(|object| request(&object)) {
        return sink.send(&send);
    }
    sink.skip(number);
    Ok(())
}

fn request(object: &Map<String, Value>) -> Option<Send> {
    let text = |names: &[&str]| {
        let known = |name: &&str| object.get(*name)?.as_str().filter(|text| !matches!(*text, "" | "-"));
        names.iter().find_map(known).map(str::to_owned)
    };
    let mut send = Send {
        method: text(METHOD)?,
        target: text(PATH)?,
        authority: text(AUTHORITY)?,
        server_name: text(&["requested_server_name"]),
        ..Send::default()
    };
    if let Some(scheme) = text(SCHEME) {
        send.scheme = scheme;
    }
    if text(&["protocol"]).is_some_and(|protocol| !protocol.starts_with("HTTP/1")) {
        send.protocol = Protocol::Http2;
    }
    send.source.address = text(&["downstream_remote_address"]).filter(|text| Source::is_address(text));
    send.source.principal = text(&["downstream_peer_uri_san"]);
    for (name, value) in object {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let is_header = HEADERS.contains(&&*name)
            || name == "request-id"
            || (name.starts_with("x-") && !name.starts_with("x-envoy-"));
        if let (true, Some(value)) = (is_header, value.as_str().filter(|value| *value != "-")) {
            let name = if name == "request-id" { "x-request-id" } else { &name };
            send.headers.push(format!("{name}: {}", escape(value.as_bytes())));
        }
    }
    send.check().is_ok().then_some(send)
}
