//! An application's side of HTTP/1.1.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http1::wire::{self, Framing, Head};
use narrows_cases::bytes as escape;

use super::Received;
use super::answer::{Answer, App, Fault};

pub(super) async fn serve(mut stream: TcpStream, app: Arc<App>) -> anyhow::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(head) = wire::take_head(&mut buffer)? {
                break head;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        if head.has_token("expect", "100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if head.has_token("connection", "upgrade") && head.headers.contains("upgrade") {
            return tunnel(stream, buffer, &head, &app).await;
        }
        let framing = Framing::of_request(&head.headers)?;
        let mut closed = false;
        let body = loop {
            if let Some(body) = wire::take_body(&mut buffer, framing, closed)? {
                break body;
            }
            closed = stream.read_buf(&mut buffer).await? == 0;
        };
        let mut received = report(&app, &head);
        received.body_bytes = body.bytes.len();
        received.trailers = body.trailers;
        let last = head.has_token("connection", "close") || received.protocol == "HTTP/1.0";
        let head_only = received.method == "HEAD";
        let answer = app.answer(received).await;
        if answer.fault == Some(Fault::Reset) {
            return Ok(());
        }
        stream.write_all(&bytes(&answer, head_only, last)).await?;
        if last || answer.fault.is_some() {
            return Ok(());
        }
    }
}

fn report(app: &App, head: &Head) -> Received {
    let start = escape::escape(&head.start);
    let mut words = start.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    Received {
        app: app.name.clone(),
        version: app.version.clone(),
        method: word(),
        target: word(),
        protocol: word(),
        authority: head.headers.first("host").map(escape::escape).unwrap_or_default(),
        headers: head.headers.clone(),
        body_bytes: 0,
        trailers: crate::message::Headers::default(),
    }
}

fn bytes(answer: &Answer, head_only: bool, last: bool) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Echo\r\n", answer.status).into_bytes();
    for (name, value) in answer.headers.iter() {
        wire::push_line(&mut bytes, name, value);
    }
    let bodiless = matches!(answer.status, 204 | 304);
    if !bodiless {
        let length = answer.body.len().to_string();
        wire::push_line(&mut bytes, b"content-length", length.as_bytes());
    }
    if last {
        wire::push_line(&mut bytes, b"connection", b"close");
    }
    bytes.extend_from_slice(b"\r\n");
    if !bodiless && !head_only {
        let end =
            if answer.fault == Some(Fault::Truncate) { answer.body.len() / 2 } else { answer.body.len() };
        bytes.extend_from_slice(&answer.body[..end]);
    }
    bytes
}

/// Switches protocols and sends everything back as it comes.
async fn tunnel(mut stream: TcpStream, early: Vec<u8>, head: &Head, app: &App) -> anyhow::Result<()> {
    let answer = app.answer(report(app, head)).await;
    let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    wire::push_line(&mut bytes, b"connection", b"upgrade");
    wire::push_line(&mut bytes, b"upgrade", head.headers.first("upgrade").unwrap_or_default());
    for (name, value) in answer.headers.iter().filter(|(name, _)| *name != b"content-type") {
        wire::push_line(&mut bytes, name, value);
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&early);
    stream.write_all(&bytes).await?;
    let (mut from, mut to) = stream.split();
    tokio::io::copy(&mut from, &mut to).await?;
    Ok(())
}
