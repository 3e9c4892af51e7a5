//! A request as written, in a case file and in a file of requests. It is read strictly: whatever is
//! not understood is refused, because a condition on it would silently not hold.

use std::fmt;

use narrows_core::moment;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::bytes::unescape;
use crate::expect::Values;
use crate::metadata;
use crate::sender::{Direction, Protocol, Source};

/// More requests than anyone waits for.
pub const MOST_REPEATS: u64 = 10_000_000;
/// What the request is for if nothing says so.
pub const AUTHORITY: &str = "shop.example.com";

/// A request as written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Send {
    /// The method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The target as on the wire.
    pub target: String,
    /// `Host` or `:authority`.
    pub authority: String,
    /// Header lines in order, bytes as `\xNN`.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
    /// The version of HTTP.
    pub protocol: Protocol,
    /// Who sends it.
    pub source: Source,
    /// The SNI of the connection.
    pub server_name: Option<String>,
    /// The cluster of the route that Envoy has found, for a sidecar.
    pub cluster: Option<String>,
    /// The virtual host of that route.
    pub virtual_host: Option<String>,
    /// The dynamic metadata that filters in front wrote: a table for each.
    pub metadata: Option<Value>,
    /// The filter state `narrows_stripped` that an earlier filter left.
    pub stripped: Option<String>,
    /// When it is sent, in seconds since the epoch; a ramp depends on it.
    pub at: Option<u64>,
    /// On which side of a workload it passes.
    pub direction: Option<Direction>,
    /// Requests that came in to the workload before and have been served: the header lines of each.
    pub came_in: Vec<Vec<String>>,
    /// How often it is sent; `{n}` in its texts then counts from 1.
    pub repeat: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Written {
    method: Option<String>,
    scheme: Option<String>,
    target: Option<String>,
    authority: Option<String>,
    headers: Lines,
    body: String,
    protocol: Protocol,
    source: Source,
    server_name: Option<String>,
    cluster: Option<String>,
    virtual_host: Option<String>,
    metadata: Option<Value>,
    stripped: Option<String>,
    at: Option<String>,
    direction: Option<Direction>,
    came_in: Option<Vec<Lines>>,
    #[serde(deserialize_with = "crate::number::optional")]
    repeat: Option<u64>,
}

impl TryFrom<Written> for Send {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Lines(mut headers) = written.headers;
        let authority = authority(written.authority, &mut headers)?;
        if written.repeat.is_some_and(|times| !(1..=MOST_REPEATS).contains(&times)) {
            return Err(format!("\"repeat\" is 1 to {MOST_REPEATS}"));
        }
        let at = written.at.map(|at| {
            let help = "is not a moment: write it as \"2026-12-01T09:00:00Z\" or with an offset";
            moment::parse(&at).ok_or_else(|| format!("{at:?} {help}"))
        });
        let is_table =
            |value: &Value| value.as_object().is_some_and(|all| all.values().all(Value::is_object));
        if written.metadata.as_ref().is_some_and(|value| !is_table(value)) {
            return Err("\"metadata\" is a table of tables, one for each filter that wrote some".to_owned());
        }
        if written.direction.is_none() && written.came_in.is_some() {
            return Err(
                "\"cameIn\" needs \"direction\": write \"outbound\" for a call of the workload".to_owned()
            );
        }
        Ok(Self {
            method: written.method.unwrap_or_else(|| "GET".to_owned()),
            scheme: written.scheme.unwrap_or_else(|| "http".to_owned()),
            target: written.target.unwrap_or_else(|| "/".to_owned()),
            authority,
            headers,
            body: written.body,
            protocol: written.protocol,
            source: written.source,
            server_name: written.server_name,
            cluster: written.cluster,
            virtual_host: written.virtual_host,
            metadata: written.metadata,
            stripped: written.stripped,
            at: at.transpose()?,
            direction: written.direction,
            came_in: written.came_in.into_iter().flatten().map(|Lines(lines)| lines).collect(),
            repeat: written.repeat,
        })
    }
}

/// The authority: a line `host` says it too, as on the wire.
fn authority(written: Option<String>, headers: &mut Vec<String>) -> Result<String, String> {
    let is_host =
        |line: &String| line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("host"));
    let mut hosts = headers.extract_if(.., |line| is_host(line));
    let host = hosts.next();
    if hosts.next().is_some() || (host.is_some() && written.is_some()) {
        return Err("the host is said twice: keep \"authority\", or one header \"host\"".to_owned());
    }
    let of_line =
        |line: String| line.split_once(':').map(|(_, value)| value.trim_matches([' ', '\t']).to_owned());
    Ok(written.or_else(|| of_line(host?)).unwrap_or_else(|| AUTHORITY.to_owned()))
}

impl Send {
    /// The dynamic metadata, as Envoy hands it to a filter.
    pub fn metadata(&self) -> Option<Vec<u8>> {
        self.metadata.as_ref().and_then(Value::as_object).map(metadata::message)
    }

    /// Whether a proxy would take it as far as the filters.
    ///
    /// # Errors
    /// What it would not take.
    pub fn check(&self) -> Result<(), String> {
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            return Err(format!("{:?} is no method: write a word such as \"GET\"", self.method));
        }
        if !matches!(&*self.scheme, "http" | "https") {
            return Err(format!("{:?} is no scheme of HTTP: write \"http\" or \"https\"", self.scheme));
        }
        for (what, text) in [("target", &self.target), ("authority", &self.authority)] {
            if let Some(byte) = text.bytes().find(|byte| *byte <= b' ' || *byte == 0x7f) {
                return Err(format!("no proxy takes the byte 0x{byte:02x} in a {what}: percent-encode it"));
            }
        }
        self.check_target()?;
        if let Some(address) = self.source.address.as_ref().filter(|text| !Source::is_address(text)) {
            return Err(format!("{address:?} is no address: write it as \"10.0.0.7:41000\""));
        }
        self.headers.iter().chain(self.came_in.iter().flatten()).try_for_each(|line| check_line(line))
    }

    /// What a request of this method may be for.
    fn check_target(&self) -> Result<(), String> {
        let target = &self.target;
        let is_absolute = ["/", "http://", "https://"].iter().any(|begin| target.starts_with(begin));
        let is_other = match &*self.method {
            "OPTIONS" => target == "*",
            "CONNECT" => !target.is_empty(),
            _ => false,
        };
        if is_absolute || is_other {
            return Ok(());
        }
        Err(format!("{target:?} is no target: it begins with \"/\", or with \"http://\" or \"https://\""))
    }

    /// A request that came in before with these header lines.
    #[must_use]
    pub fn earlier(lines: &[String]) -> Self {
        Self { headers: lines.to_vec(), direction: Some(Direction::Inbound), ..Self::default() }
    }

    /// Whether only a decision can have it: no runner's connection is like this.
    pub(crate) fn is_pretended(&self) -> bool {
        self.scheme != "http"
            || self.server_name.is_some()
            || self.cluster.is_some()
            || self.virtual_host.is_some()
            || self.source.namespace.is_some()
            || self.source.workload.is_some()
    }
}

/// Whether a text is a header line: a name of HTTP, a colon, and a value that can be on a line.
pub(crate) fn check_line(line: &str) -> Result<(), String> {
    let Some((name, value)) = line.split_once(':') else {
        return Err(format!("{line:?} is not a header line: write \"name: value\""));
    };
    let name = unescape(name);
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(format!("{line:?} is not a header line: its name is not one of HTTP"));
    }
    if unescape(value).iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        return Err(format!("{line:?} is not a header line: a value has no NUL, CR or LF"));
    }
    Ok(())
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Default for Send {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            scheme: "http".to_owned(),
            target: "/".to_owned(),
            authority: AUTHORITY.to_owned(),
            headers: Vec::new(),
            body: String::new(),
            protocol: Protocol::Http1,
            source: Source::default(),
            server_name: None,
            cluster: None,
            virtual_host: None,
            metadata: None,
            stripped: None,
            at: None,
            direction: None,
            came_in: Vec::new(),
            repeat: None,
        }
    }
}

/// Header lines: a list of them, or a table of names and values.
#[derive(Default)]
struct Lines(Vec<String>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinesVisitor)
    }
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Lines;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of lines \"name: value\", or a table of names and values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(line) = list.next_element::<String>()? {
            check_line(&line).map_err(A::Error::custom)?;
            lines.push(line);
        }
        Ok(Lines(lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some((name, values)) = table.next_entry::<String, Values>()? {
            let values = match values {
                Values::Joined(value) => vec![value],
                Values::Each(values) => values,
            };
            for value in values {
                let line = format!("{name}: {value}");
                // A colon in the name would divide the line elsewhere.
                let name_is_whole = !name.contains(':');
                check_line(&line)
                    .ok()
                    .filter(|()| name_is_whole)
                    .ok_or_else(|| A::Error::custom(format!("{name:?} with this value is not a header")))?;
                lines.push(line);
            }
        }
        Ok(Lines(lines))
    }
}

#[cfg(test)]
mod tests;
