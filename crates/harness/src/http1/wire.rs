//! HTTP/1.1 on the wire, for the client and the echo server alike.
//!
//! Every function looks at the bytes received so far and takes what is
//! complete; the caller reads more when there was not enough. That makes the
//! same code serve blocking and asynchronous readers.

use anyhow::Context;

use crate::message::Headers;

/// The first line and the header lines of a message.
#[derive(Debug)]
pub(crate) struct Head {
    /// The request or status line.
    pub(crate) start: Vec<u8>,
    /// Lines as received: case, order, duplicates and bytes are kept.
    pub(crate) headers: Headers,
}

/// A body without its framing.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) trailers: Headers,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

// === impl Head ===

impl Head {
    /// The status of an answer.
    pub(crate) fn status(&self) -> anyhow::Result<u16> {
        let line = String::from_utf8_lossy(&self.start);
        line.strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("not a status line: {line:?}"))
    }

    /// Whether a header holds this token, in a list with commas.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers
            .all(name)
            .iter()
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

// === impl Framing ===

impl Framing {
    /// The framing of a request: without a header there is no body.
    pub(crate) fn of_request(headers: &Headers) -> anyhow::Result<Self> {
        Ok(declared(headers)?.unwrap_or(Self::Length(0)))
    }

    /// The framing of an answer to `method`.
    pub(crate) fn of_response(method: &str, status: u16, headers: &Headers) -> anyhow::Result<Self> {
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Ok(Self::Length(0));
        }
        Ok(declared(headers)?.unwrap_or(Self::UntilClose))
    }
}

/// Takes the head of a message from the front of `buffer`, if it is all there.
pub(crate) fn take_head(buffer: &mut Vec<u8>) -> anyhow::Result<Option<Head>> {
    let blank = buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    buffer.drain(..blank);
    let Some(end) = find(buffer, b"\r\n\r\n") else {
        anyhow::ensure!(buffer.len() <= MAX_HEAD, "more than {MAX_HEAD} bytes of header lines");
        return Ok(None);
    };
    let (start, headers) = {
        let mut lines = lines(&buffer[..end]);
        let start = lines.next().unwrap_or_default().to_vec();
        (start, parse_lines(lines)?)
    };
    buffer.drain(..end + 4);
    Ok(Some(Head { start, headers }))
}

/// Takes a body from the front of `buffer`, if it is all there. `closed` says
/// that nothing more will come.
pub(crate) fn take_body(
    buffer: &mut Vec<u8>,
    framing: Framing,
    closed: bool,
) -> anyhow::Result<Option<Body>> {
    let taken = match framing {
        Framing::Chunked => chunks(buffer)?,
        Framing::Length(length) if buffer.len() >= length => {
            Some((Body { bytes: buffer[..length].to_vec(), ..Body::default() }, length))
        }
        Framing::UntilClose if closed => {
            Some((Body { bytes: buffer.clone(), ..Body::default() }, buffer.len()))
        }
        Framing::Length(_) | Framing::UntilClose => None,
    };
    let Some((body, used)) = taken else {
        anyhow::ensure!(!closed, "the peer closed within the body, after {} bytes", buffer.len());
        return Ok(None);
    };
    buffer.drain(..used);
    Ok(Some(body))
}

/// Appends a header line.
pub(crate) fn push_line(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Appends a body as one chunk, then the trailers.
pub(crate) fn push_chunked(bytes: &mut Vec<u8>, body: &[u8], trailers: &Headers) {
    if !body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.iter() {
        push_line(bytes, name, value);
    }
    bytes.extend_from_slice(b"\r\n");
}

fn declared(headers: &Headers) -> anyhow::Result<Option<Framing>> {
    if let Some(coding) = headers.all("transfer-encoding").last() {
        let coding = coding.trim_ascii();
        anyhow::ensure!(
            coding.to_ascii_lowercase().ends_with(b"chunked"),
            "unknown transfer-encoding {:?}",
            String::from_utf8_lossy(coding)
        );
        return Ok(Some(Framing::Chunked));
    }
    let Some(length) = headers.text("content-length") else {
        return Ok(None);
    };
    let length =
        length.trim().parse().with_context(|| format!("content-length {length:?} is not a number"))?;
    Ok(Some(Framing::Length(length)))
}

/// Reads a chunked body; returns it with the number of bytes it took.
fn chunks(buffer: &[u8]) -> anyhow::Result<Option<(Body, usize)>> {
    let mut body = Body::default();
    let mut at = 0;
    loop {
        let Some(end) = find(&buffer[at..], b"\r\n") else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(&buffer[at..at + end]).into_owned();
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).with_context(|| format!("chunk size {line:?}"))?;
        at += end + 2;
        if size == 0 {
            // No trailer: an empty line follows at once.
            if buffer[at..].starts_with(b"\r\n") {
                return Ok(Some((body, at + 2)));
            }
            let Some(end) = find(&buffer[at..], b"\r\n\r\n") else {
                return Ok(None);
            };
            body.trailers = parse_lines(lines(&buffer[at..at + end]))?;
            return Ok(Some((body, at + end + 4)));
        }
        if buffer.len() < at + size + 2 {
            return Ok(None);
        }
        body.bytes.extend_from_slice(&buffer[at..at + size]);
        at += size + 2;
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn parse_lines<'a>(lines: impl Iterator<Item = &'a [u8]>) -> anyhow::Result<Headers> {
    let mut headers = Headers::default();
    for line in lines {
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .with_context(|| format!("header line without a colon: {:?}", String::from_utf8_lossy(line)))?;
        headers.push(&line[..colon], trim(&line[colon + 1..]));
    }
    Ok(headers)
}

/// Removes the optional white space around a value: blanks and tabs only.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

const MAX_HEAD: usize = 1 << 20;

#[cfg(test)]
mod tests;
