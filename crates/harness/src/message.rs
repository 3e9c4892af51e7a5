//! Requests and answers as bytes, the same for both versions of HTTP.

/// Header lines in order, with their duplicates. Names and values are bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(Vec<u8>, Vec<u8>)>);

/// What to ask. Nothing is added to it but `Host` and a body's length.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, `GET` at first.
    pub method: String,
    /// `Host` or `:authority`; `None` sends neither.
    pub authority: Option<String>,
    /// The target as it goes on the wire: a path with its query, an absolute
    /// form, or `*`.
    pub target: String,
    /// The other header lines.
    pub headers: Headers,
    /// The body; empty means none.
    pub body: Vec<u8>,
    /// Trailers; if there are any, an HTTP/1.1 body is chunked.
    pub trailers: Headers,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: Headers,
    /// The whole body, without its framing.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Headers,
}

// === impl Headers ===

impl Headers {
    /// Appends a line.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.0.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The first value of `name`, whatever its case.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).first().copied()
    }

    /// All values of `name` in order, whatever its case.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
            .collect()
    }

    /// The first value of `name` as text; bytes that are not UTF-8 become `\u{fffd}`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Whether there is a line with this name.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Request ===

impl Request {
    /// A request with no header but the authority.
    pub fn new(method: &str, authority: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            authority: Some(authority.to_owned()),
            target: target.to_owned(),
            headers: Headers::default(),
            body: Vec::new(),
            trailers: Headers::default(),
        }
    }

    /// A `GET`.
    pub fn get(authority: &str, target: &str) -> Self {
        Self::new("GET", authority, target)
    }

    /// Appends a header line; a name may come again.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Appends a trailer.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers.push(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Leaves out `Host` or `:authority`.
    #[must_use]
    pub fn without_authority(mut self) -> Self {
        self.authority = None;
        self
    }
}

// === impl Response ===

impl Response {
    /// The body as text; bytes that are not UTF-8 become `\u{fffd}`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; the error shows status and body.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            anyhow::anyhow!("status {} with a body that is not JSON ({error}): {}", self.status, self.text())
        })
    }
}
