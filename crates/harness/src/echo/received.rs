//! The report on a request: what reached an application.

use anyhow::Context;
use serde_json::{Value, json};

use crate::message::{Headers, Response};
use narrows_cases::bytes as escape;

/// A request as an application saw it, and who that was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// The application's name.
    pub app: String,
    /// The application's version.
    pub version: String,
    /// `HTTP/1.1` (as on its request line) or `HTTP/2`.
    pub protocol: String,
    /// The method.
    pub method: String,
    /// The target: a path with its query, mostly.
    pub target: String,
    /// The `Host` header or `:authority`; empty if there was none.
    pub authority: String,
    /// The header lines, `Host` included, pseudo-headers not. Over HTTP/2 the
    /// values of a name stand together.
    pub headers: Headers,
    /// The size of the body.
    pub body_bytes: usize,
    /// The trailers.
    pub trailers: Headers,
}

impl Received {
    /// Reads the report out of an answer.
    pub fn from_response(response: &Response) -> anyhow::Result<Self> {
        Self::from_json(&response.json()?)
    }

    /// Reads the report out of its JSON form.
    pub fn from_json(report: &Value) -> anyhow::Result<Self> {
        let text = |key: &str| -> anyhow::Result<String> {
            let value = report.get(key).and_then(Value::as_str);
            Ok(value.with_context(|| format!("no `{key}` in the report {report}"))?.to_owned())
        };
        let size = report.get("body_bytes").and_then(Value::as_u64);
        Ok(Self {
            app: text("app")?,
            version: text("version")?,
            protocol: text("protocol")?,
            method: text("method")?,
            target: text("target")?,
            authority: text("authority")?,
            headers: lines_from(&report["headers"])?,
            body_bytes: usize::try_from(size.context("no `body_bytes` in the report")?)?,
            trailers: lines_from(&report["trailers"])?,
        })
    }

    /// The JSON form; values are escaped as in [`narrows_cases::bytes`].
    pub fn to_json(&self) -> Value {
        json!({
            "app": self.app,
            "version": self.version,
            "protocol": self.protocol,
            "method": self.method,
            "target": self.target,
            "authority": self.authority,
            "headers": lines_to(&self.headers),
            "body_bytes": self.body_bytes,
            "trailers": lines_to(&self.trailers),
        })
    }
}

fn lines_to(headers: &Headers) -> Value {
    headers.iter().map(|(name, value)| json!([escape::escape(name), escape::escape(value)])).collect()
}

fn lines_from(lines: &Value) -> anyhow::Result<Headers> {
    let mut headers = Headers::default();
    for line in lines.as_array().context("no header lines in the report")? {
        let text = |index: usize| line[index].as_str().context("a header line is [name, value]");
        headers.push(escape::unescape(text(0)?), escape::unescape(text(1)?));
    }
    Ok(headers)
}
