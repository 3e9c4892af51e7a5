//! What an application answers, before a protocol puts it on the wire.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::message::Headers;

use super::call::Caller;
use super::{EchoOptions, Received};

/// One application: its name, its behaviour and what it remembers.
#[derive(Debug)]
pub(super) struct App {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) caller: Caller,
    pub(super) requests: AtomicU64,
    pub(super) last: Mutex<Option<Received>>,
    /// Zero means: no status is forced.
    pub(super) forced_status: AtomicU16,
}

/// An answer as data.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    pub(super) fault: Option<Fault>,
}

/// How an answer goes wrong on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Reset,
    Truncate,
}

// === impl App ===

impl App {
    pub(super) fn new(name: &str, options: EchoOptions) -> Self {
        Self {
            name: name.to_owned(),
            version: options.version,
            forced_status: AtomicU16::new(options.status.unwrap_or(0)),
            caller: Caller::new(options.calls, options.forward, options.traces),
            requests: AtomicU64::new(0),
            last: Mutex::new(None),
        }
    }

    pub(super) async fn answer(&self, received: Received) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(received.clone());
        if let Some(delay) = number(&received.headers, "x-echo-delay-ms") {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let mut headers = Headers::default();
        headers.push("x-app", &self.name);
        for wanted in received.headers.all("x-echo-header") {
            if let Some(equals) = wanted.iter().position(|byte| *byte == b'=') {
                headers.push(&wanted[..equals], &wanted[equals + 1..]);
            }
        }
        let fault = match received.headers.first("x-echo-fault") {
            Some(b"reset") => Some(Fault::Reset),
            Some(b"truncate") => Some(Fault::Truncate),
            _ => None,
        };
        let mut status = self.status(&received);
        if is_grpc(&received) {
            headers.push("content-type", "application/grpc");
            let said = received.headers.text("x-echo-grpc-status");
            headers.push("grpc-status", said.as_deref().unwrap_or("0"));
            return Answer { status, headers, body: Vec::new(), fault };
        }
        let mut report = received.to_json();
        if let Some(called) = self.caller.call(&received).await {
            // A failure behind this application is its failure too.
            status = called.status.unwrap_or(502);
            report["called"] = called.report;
        }
        headers.push("content-type", "application/json");
        Answer { status, headers, body: format!("{report}\n").into_bytes(), fault }
    }

    fn status(&self, received: &Received) -> u16 {
        let forced = self.forced_status.load(Ordering::Relaxed);
        if forced != 0 {
            return forced;
        }
        let path = received.target.split('?').next().unwrap_or_default();
        let in_path = path.strip_prefix("/status/").and_then(|status| status.parse().ok());
        in_path
            .or_else(|| number(&received.headers, "x-echo-status"))
            .and_then(|status| u16::try_from(status).ok())
            // Below 200 is not a final answer, from 600 not HTTP.
            .filter(|status| (200..600).contains(status))
            .unwrap_or(200)
    }
}

fn number(headers: &Headers, name: &str) -> Option<u64> {
    headers.text(name)?.trim().parse().ok()
}

fn is_grpc(received: &Received) -> bool {
    received.headers.first("content-type").is_some_and(|kind| kind.starts_with(b"application/grpc"))
}
