//! Calls that an application makes in turn, through its sidecar.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http1::{self, wire, wire::Framing};
use crate::message::{Request, Response};

use super::Received;

/// Whom an application calls, and how it gets there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// Requests below this path cause the call, whole segments.
    pub path_prefix: String,
    /// The `Host` of the call, as the application knows the other one.
    pub authority: String,
    /// What stands in the call for the prefix; the rest of the target follows. The
    /// method is the request's.
    pub path: String,
    /// `host:port` to connect to: the sidecar's outbound listener.
    pub via: String,
}

/// All calls of one application.
#[derive(Debug)]
pub(super) struct Caller {
    calls: Mutex<Vec<Call>>,
    /// What it hands on.
    forward: Vec<String>,
    // Connections that wait for the next call; without them a load test would
    // run out of ports. The key is the address in `via`.
    idle: Mutex<Vec<(String, TcpStream)>>,
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Called {
    /// The other one's status; `None` if there was no answer.
    pub(super) status: Option<u16>,
    pub(super) report: Value,
}

// === impl Call ===

impl Call {
    /// Bob's Books: what `bobbys-front-end` is asked for below its own path, it asks
    /// the stock application for.
    pub fn stock_of_bobs_books(via: &str) -> Self {
        Self {
            path_prefix: "/bobbys-front-end".to_owned(),
            authority: "bobbys-helidon-stock-application:8080".to_owned(),
            path: "/".to_owned(),
            via: via.to_owned(),
        }
    }

    /// Bob's Books: an order that reaches the stock application it places at the
    /// bookstore.
    pub fn order_of_bobs_books(via: &str) -> Self {
        Self {
            path_prefix: "/order".to_owned(),
            authority: "bobs-bookstore-cluster-cluster-1:8001".to_owned(),
            path: "/bobs-bookstore-order-manager/order".to_owned(),
            via: via.to_owned(),
        }
    }

    /// The target of the call that a request for `target` causes, if it does.
    fn target(&self, target: &str) -> Option<String> {
        let rest = target.strip_prefix(&*self.path_prefix)?;
        if !(rest.is_empty() || rest.starts_with(['/', '?'])) {
            return None;
        }
        let path = self.path.trim_end_matches('/');
        let slash = if path.is_empty() && !rest.starts_with('/') { "/" } else { "" };
        Some([path, slash, rest].concat())
    }
}

// === impl Caller ===

impl Caller {
    pub(super) fn new(calls: Vec<Call>, mut forward: Vec<String>, traces: Option<Vec<String>>) -> Self {
        let all = || TRACING.iter().map(|name| (*name).to_owned()).collect();
        forward.extend(traces.unwrap_or_else(all));
        Self { calls: Mutex::new(calls), forward, idle: Mutex::new(Vec::new()) }
    }

    /// One more call to make.
    pub(super) fn add(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Makes the call that this request causes, if it causes one.
    pub(super) async fn call(&self, received: &Received) -> Option<Called> {
        let (call, target) = {
            let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.iter().find_map(|call| Some((call.clone(), call.target(&received.target)?)))?
        };
        let mut request = Request::new(&received.method, &call.authority, &target);
        for (name, value) in received.headers.iter().filter(|(name, _)| self.forwards(name)) {
            request = request.header(name, value);
        }
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(&call.via, &request)).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in time")));
        Some(match answer {
            Ok(response) => {
                let body = response.json().unwrap_or_else(|_| Value::String(response.text()));
                let app = response.headers.text("x-app");
                let report = json!({ "status": response.status, "app": app, "body": body });
                Called { status: Some(response.status), report }
            }
            Err(error) => {
                let error = format!("cannot call {} via {}: {error:#}", call.authority, call.via);
                Called { status: None, report: json!({ "error": error }) }
            }
        })
    }

    fn forwards(&self, name: &[u8]) -> bool {
        self.forward.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    async fn exchange(&self, via: &str, request: &Request) -> anyhow::Result<Response> {
        if let Some(idle) = self.take_idle(via) {
            // The sidecar may have closed it in the meantime: then try anew.
            if let Ok(response) = self.exchange_on(idle, via, request).await {
                return Ok(response);
            }
        }
        let stream = TcpStream::connect(via).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        self.exchange_on(stream, via, request).await
    }

    async fn exchange_on(
        &self,
        mut stream: TcpStream,
        via: &str,
        request: &Request,
    ) -> anyhow::Result<Response> {
        stream.write_all(&http1::request_bytes(request)).await?;
        let mut buffer = Vec::new();
        let head = loop {
            if let Some(head) = wire::take_head(&mut buffer)? {
                break head;
            }
            let count = stream.read_buf(&mut buffer).await?;
            anyhow::ensure!(count > 0, "the connection was closed before an answer");
        };
        let status = head.status()?;
        let framing = Framing::of_response(&request.method, status, &head.headers)?;
        let mut closed = false;
        let body = loop {
            if let Some(body) = wire::take_body(&mut buffer, framing, closed)? {
                break body;
            }
            closed = stream.read_buf(&mut buffer).await? == 0;
        };
        if !closed && !head.has_token("connection", "close") {
            self.idle().push((via.to_owned(), stream));
        }
        Ok(Response { status, headers: head.headers, body: body.bytes, trailers: body.trailers })
    }

    fn take_idle(&self, via: &str) -> Option<TcpStream> {
        let mut idle = self.idle();
        let found = idle.iter().rposition(|(address, _)| address == via)?;
        Some(idle.swap_remove(found).1)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(String, TcpStream)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a traced application hands on, whatever the tracer.
const TRACING: &[&str] = &[
    "b3",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-request-id",
];

const TIMEOUT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::Call;

    #[test]
    fn the_rest_of_the_target_follows() {
        let call = |prefix: &str, path: &str| Call {
            path_prefix: prefix.to_owned(),
            authority: String::new(),
            path: path.to_owned(),
            via: String::new(),
        };
        let front_end = call("/bobbys-front-end", "/");
        for (target, expected) in [
            ("/bobbys-front-end/books?start=0", Some("/books?start=0")),
            ("/bobbys-front-end", Some("/")),
            ("/bobbys-front-end?x", Some("/?x")),
            ("/bobbys-front-ends", None),
            ("/greet", None),
        ] {
            assert_eq!(front_end.target(target).as_deref(), expected, "{target}");
        }
        let order = call("/order", "/bobs-bookstore-order-manager/order");
        assert_eq!(order.target("/order?x=1").as_deref(), Some("/bobs-bookstore-order-manager/order?x=1"));
    }
}
