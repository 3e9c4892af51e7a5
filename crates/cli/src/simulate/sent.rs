//! A request as it reaches the filter.

use std::collections::BTreeSet;

use narrows_cases::Send;
use narrows_core::{Policy, Request, Trail};
use narrows_model::{Headers, arrives, request, trail};
use serde_json::Value;

use crate::source::Node;

/// A request as it reaches the filter.
#[derive(Clone, Debug)]
pub struct Sent {
    send: Send,
    pub(super) headers: Headers,
    metadata: Option<Vec<u8>>,
    /// The number of this request; it differs from request to request.
    pub(super) nonce: u64,
}

impl Sent {
    /// The request with that number.
    pub fn new(send: Send, number: u64) -> Self {
        Self { headers: arrives(&send), metadata: send.metadata(), send, nonce: spread(number) }
    }

    /// The request, as a policy sees it.
    pub fn request(&self) -> Request<'_> {
        request(&self.send, &self.headers, self.metadata.as_deref(), self.nonce)
    }

    /// On which side of a workload it passes, and what a proxy under this policy would remember for it.
    pub fn trail<P: Policy>(&self, policy: &P) -> Trail {
        trail(policy, &self.send, &self.request())
    }

    /// The request on that side.
    pub fn on<'s>(&'s self, trail: &'s Trail) -> Request<'s> {
        let mut request = self.request();
        request.known_mut().passage = trail.view();
        request
    }

    /// Whether it has a header of this name, in lower case.
    pub fn has(&self, name: &str) -> bool {
        let named =
            |line: &String| line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name));
        self.send.headers.iter().any(named)
    }

    /// The request in a few words.
    pub fn title(&self) -> String {
        let request = self.request();
        let [method, authority, target] =
            [request.method(), request.authority(), request.target()].map(crate::escape::printable);
        format!("{method} {authority}{target}")
    }
}

/// The headers, in lower case, that conditions, keys and tags of a policy read.
pub fn headers_of(policy: &Node) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, value) in policy.fields() {
        match &*key.name {
            "headers" | "withoutHeaders" => {
                names.extend(value.fields().iter().map(|(name, _)| name.name.to_ascii_lowercase()));
            }
            "header" => names.extend(value.text().map(str::to_ascii_lowercase)),
            "cookie" => names.extend(value.text().map(|_| "cookie".to_owned())),
            "cookies" if !value.fields().is_empty() => _ = names.insert("cookie".to_owned()),
            // These name headers of responses.
            "respond" | "responseHeaders" => {}
            "explain" => names.extend(value.get("when").map(headers_of).unwrap_or_default()),
            _ => names.extend(headers_of(value)),
        }
    }
    names.extend(policy.elements().iter().flat_map(headers_of));
    // What decides by the host is in every line.
    names.retain(|name| !name.starts_with(':') && name != "host");
    names
}

/// A request that is sent for the nth time, from 1: `{n}` in its texts is that number.
pub(super) fn nth(send: &Send, n: u64) -> Send {
    let n = n.to_string();
    let fill = |text: &String| text.replace("{n}", &n);
    let some = |text: &Option<String>| text.as_ref().map(fill);
    let lines = |lines: &Vec<String>| lines.iter().map(fill).collect();
    Send {
        target: fill(&send.target),
        authority: fill(&send.authority),
        headers: lines(&send.headers),
        body: fill(&send.body),
        source: narrows_cases::Source {
            address: some(&send.source.address),
            principal: some(&send.source.principal),
            namespace: some(&send.source.namespace),
            workload: some(&send.source.workload),
            ..send.source.clone()
        },
        server_name: some(&send.server_name),
        cluster: some(&send.cluster),
        virtual_host: some(&send.virtual_host),
        metadata: send.metadata.as_ref().map(|written| filled(written, &n)),
        stripped: some(&send.stripped),
        came_in: send.came_in.iter().map(lines).collect(),
        repeat: None,
        ..send.clone()
    }
}

/// The same of every text of a value; names stay.
fn filled(value: &Value, n: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{n}", n)),
        Value::Array(elements) => elements.iter().map(|element| filled(element, n)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, n))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A number that looks random and is the same in every run (`SplitMix64`).
fn spread(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
