//! A file of requests: YAML or JSON, in the form of the case files.

use narrows_cases::bytes::{absolute, unescape};
use narrows_cases::metadata;
use narrows_core::{Known, Peer, PolicyValue, Request, StreamInfo, inline_headers};

use crate::code;
use crate::finding::{Finding, Level};
use crate::source::{Node, SourceFile, Value};

/// A request as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Names and values in order, pseudo headers first.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    address: Option<String>,
    principal: Option<String>,
    /// Whether the caller's certificate was not verified on this connection.
    unverified: bool,
    namespace: Option<String>,
    workload: Option<String>,
    server_name: Option<String>,
    cluster: Option<String>,
    virtual_host: Option<String>,
    stripped: Option<String>,
    /// The dynamic metadata that filters in front wrote, as Envoy hands it over.
    metadata: Option<Vec<u8>>,
    /// The number of this request; it differs from request to request.
    nonce: u64,
}

impl Sent {
    /// The request, as a policy sees it.
    pub fn request<'s>(&'s self) -> Request<'s> {
        let bytes = |text: &'s Option<String>| text.as_deref().map(str::as_bytes);
        let headers = self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        Request::new(headers).knowing(Known {
            source: Peer { address: bytes(&self.address), principal: bytes(&self.principal) },
            is_verified: !self.unverified,
            stream_info: StreamInfo {
                server_name: bytes(&self.server_name),
                namespace: bytes(&self.namespace),
                workload: bytes(&self.workload),
                cluster: bytes(&self.cluster),
                virtual_host: bytes(&self.virtual_host),
                is_only_route: false,
            },
            stripped: bytes(&self.stripped),
            metadata: self.metadata.as_deref(),
            filter_state: &[],
            nonce: self.nonce,
        })
    }

    /// The request in a few words.
    pub fn title(&self) -> String {
        let request = self.request();
        let [method, authority, target] =
            [request.method(), request.authority(), request.target()].map(super::printable);
        format!("{method} {authority}{target}")
    }
}

/// The header in which Envoy keeps by which scheme a request came.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

const FIELDS: [&str; 14] = [
    "method",
    "scheme",
    "target",
    "authority",
    "headers",
    "body",
    "protocol",
    "source",
    "serverName",
    "cluster",
    "virtualHost",
    "metadata",
    "stripped",
    "repeat",
];
/// More than anyone waits for.
const REPEAT: i64 = 10_000_000;

/// The requests of a file. Each is made when it is needed, because a file of a few bytes may describe
/// millions.
#[derive(Clone, Debug, Default)]
pub struct Requests(Vec<Row>);

/// A request as it is written, and how many times it is sent.
#[derive(Clone, Debug)]
struct Row {
    /// Names and values of the pseudo headers, then of the lines.
    headers: Vec<(String, String)>,
    sent: Sent,
    repeat: Option<u64>,
    /// How many requests are sent before it.
    before: u64,
}

impl Requests {
    /// The requests in order.
    pub fn iter(&self) -> impl Iterator<Item = Sent> {
        self.0.iter().flat_map(|row| (1..=row.times()).map(|n| row.nth(n)))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.last().map_or(0, |last| last.before + last.times())
    }
}

impl Row {
    fn times(&self) -> u64 {
        self.repeat.unwrap_or(1)
    }

    fn nth(&self, n: u64) -> Sent {
        let bytes = |text: &str| match self.repeat {
            Some(_) => unescape(&text.replace("{n}", &n.to_string())),
            None => unescape(text),
        };
        let headers = self.headers.iter().map(|(name, value)| (bytes(name), bytes(value)));
        Sent {
            headers: headers.fold(Vec::new(), hold),
            nonce: spread(self.before + n - 1),
            ..self.sent.clone()
        }
    }
}

/// The requests of a file: a list in each document, or the requests of a case file. A request with
/// `repeat` is sent that many times; `{n}` in its texts counts from 1.
pub fn read(source: &SourceFile) -> Result<Requests, Finding> {
    let mut requests = Requests::default();
    for document in source.documents()? {
        let list = document.get("cases").unwrap_or(&document);
        if !matches!(list.value, Value::List(_)) {
            return Err(fault(list, "expected a list of requests", "write each one as \"- target: /…\""));
        }
        for element in list.elements() {
            let row = one(element.get("send").unwrap_or(element), requests.count())?;
            requests.0.push(row);
        }
    }
    Ok(requests)
}

fn one(node: &Node, before: u64) -> Result<Row, Finding> {
    known(node, &FIELDS)?;
    if node.fields().is_empty() {
        return Err(fault(node, "expected a request", "write it as a table with a \"target\""));
    }
    let text = |name: &str| match node.get(name) {
        None => Ok(None),
        Some(value) => value
            .text()
            .map(Some)
            .ok_or_else(|| fault(value, &format!("{name:?} is not a string"), "put it in quotes")),
    };
    let method = text("method")?.unwrap_or("GET");
    let target = text("target")?.unwrap_or("/");
    let authority = text("authority")?.unwrap_or("example.com");
    let scheme = text("scheme")?.unwrap_or("http");
    let (authority, target) = absolute(target).unwrap_or((authority, target));
    let mut lines = Vec::new();
    for line in node.get("headers").map(Node::elements).unwrap_or_default() {
        let split = line.text().and_then(|line| line.split_once(':')).filter(|(name, _)| !name.is_empty());
        let (name, value) =
            split.ok_or_else(|| fault(line, "this is not a header line", "write \"name: value\""))?;
        lines.push((name.to_ascii_lowercase(), value));
    }
    if let Some(source) = node.get("source") {
        known(source, &["address", "principal", "verified", "namespace", "workload"])?;
    }
    let unverified = match node.get("source.verified") {
        None => false,
        Some(flag) => match &flag.value {
            Value::Scalar(PolicyValue::Flag(verified)) => !verified,
            _ => return Err(fault(flag, "expected true or false", "leave it out: true")),
        },
    };
    let metadata = node.get("metadata").map(metadata).transpose()?;
    let repeat = match node.get("repeat") {
        None => None,
        Some(times) => match &times.value {
            Value::Scalar(PolicyValue::Integer(n @ 1..=REPEAT)) => Some(n.unsigned_abs()),
            _ => return Err(fault(times, "expected how often to send it", "write 1 to 10000000")),
        },
    };
    let pseudo = [(":method", method), (":authority", authority), (":path", target), (":scheme", scheme)];
    // Envoy writes it where nobody has.
    let is_said = lines.iter().any(|(name, _)| name == FORWARDED_PROTO);
    let said = (!is_said).then(|| (FORWARDED_PROTO.to_owned(), scheme.to_owned()));
    let pseudo = pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let lines = lines.into_iter().map(|(name, value)| (name, value.trim_matches([' ', '\t']).to_owned()));
    let sent = Sent {
        headers: Vec::new(),
        address: node.text_at("source.address").map(str::to_owned),
        principal: node.text_at("source.principal").map(str::to_owned),
        unverified,
        namespace: node.text_at("source.namespace").map(str::to_owned),
        workload: node.text_at("source.workload").map(str::to_owned),
        server_name: text("serverName")?.map(str::to_owned),
        cluster: text("cluster")?.map(str::to_owned),
        virtual_host: text("virtualHost")?.map(str::to_owned),
        stripped: text("stripped")?.map(str::to_owned),
        metadata,
        nonce: 0,
    };
    Ok(Row { headers: pseudo.chain(lines).chain(said).collect(), sent, repeat, before })
}

/// Reads a table of tables, by the names of the filters that wrote them.
fn metadata(node: &Node) -> Result<Vec<u8>, Finding> {
    let is_table = |node: &Node| matches!(node.value, Value::Table(_));
    if let Some(other) = [node].into_iter().chain(node.children()).find(|node| !is_table(node)) {
        let help = "write { my.filter: { group: beta } }: the filter that wrote it, then names and values";
        return Err(fault(other, "expected a table", help));
    }
    Ok(node.data().as_object().map(metadata::message).unwrap_or_default())
}

/// Adds a line to those that are there, as Envoy does before a filter sees them.
fn hold(mut headers: Vec<(Vec<u8>, Vec<u8>)>, (name, value): (Vec<u8>, Vec<u8>)) -> Vec<(Vec<u8>, Vec<u8>)> {
    match headers.iter_mut().find(|(other, _)| *other == name) {
        Some((_, held)) if inline_headers::once_in_request(&name) => {
            // Empty values are dropped (`appendToHeader`).
            if !held.is_empty() && !value.is_empty() {
                held.push(b',');
            }
            held.extend_from_slice(&value);
        }
        _ => headers.push((name, value)),
    }
    headers
}

/// A number that looks random and is the same in every run (`SplitMix64`).
fn spread(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn known(table: &Node, names: &[&str]) -> Result<(), Finding> {
    match table.fields().iter().find(|(key, _)| !names.contains(&key.name.as_str())) {
        None => Ok(()),
        Some((key, value)) => Err(Finding {
            at: key.at.clone(),
            ..fault(
                value,
                &format!("unknown field {:?}", key.name),
                &format!("known here: {}", names.join(", ")),
            )
        }),
    }
}

fn fault(node: &Node, message: &str, help: &str) -> Finding {
    Finding {
        code: code::BAD_REQUESTS,
        level: Level::Error,
        at: node.head(),
        place: String::new(),
        message: message.to_owned(),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::source::SourceFile;

    #[test]
    fn bytes_are_those_of_a_case_file() {
        let text = r"- headers: ['x-a: a\\b\xff']".to_owned();
        let sent: Vec<_> = read(&SourceFile { path: String::new(), text }).unwrap().iter().collect();
        assert_eq!(sent[0].headers[4], (b"x-a".to_vec(), b"a\\b\xff".to_vec()));
    }

    #[test]
    fn what_envoy_holds_once_is_joined() {
        let text = "- headers: ['X-A: 1', 'User-Agent: a', 'x-a: 2', 'user-agent: b']\n";
        let requests = read(&SourceFile { path: String::new(), text: text.to_owned() }).unwrap();
        let sent: Vec<_> = requests.iter().collect();
        assert_eq!(requests.count(), sent.len() as u64);
        let lines: Vec<String> = sent[0]
            .headers
            .iter()
            .skip(4)
            .map(|(n, v)| format!("{}: {}", n.escape_ascii(), v.escape_ascii()))
            .collect();
        assert_eq!(lines, ["x-a: 1", "user-agent: a,b", "x-a: 2", "x-forwarded-proto: http"]);
    }

    #[test]
    fn repeats_count() {
        let text = "- target: /a/{n}\n  headers: ['X-User-Id: u{n}']\n  repeat: 2\n- target: '/{n}'\n";
        let requests = read(&SourceFile { path: String::new(), text: text.to_owned() }).unwrap();
        let sent: Vec<_> = requests.iter().collect();
        assert_eq!(requests.count(), sent.len() as u64);
        let titles: Vec<_> = sent.iter().map(super::Sent::title).collect();
        assert_eq!(titles, ["GET example.com/a/1", "GET example.com/a/2", "GET example.com/{n}"]);
        assert_eq!(sent[1].headers[4], (b"x-user-id".to_vec(), b"u2".to_vec()));
        assert_ne!(sent[0].nonce, sent[1].nonce);
    }
}
