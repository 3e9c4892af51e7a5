//! Applications for a mesh: an HTTP server that says who it is and what
//! reached it, byte for byte.
//!
//! It speaks HTTP/1.1 and HTTP/2 on the same port. What a request asks for:
//!
//! | in the request | the answer |
//! |---|---|
//! | path `/status/NNN` or `x-echo-status: NNN` | has that status |
//! | `x-echo-delay-ms: N` | comes N milliseconds later |
//! | `x-echo-header: name=value` | has that header; may be repeated |
//! | `x-echo-fault: reset` | never comes: the stream or connection breaks |
//! | `x-echo-fault: truncate` | breaks off in the middle of its body |
//! | `content-type: application/grpc…` | is a gRPC status 0 in the headers, or that of `x-echo-grpc-status: N` |
//! | `connection: upgrade` (HTTP/1.1) | is 101, then all bytes come back |
//!
//! With [`Call`]s it is an application that calls another one through its
//! sidecar, and hands back what that one answered.

mod answer;
mod call;
mod h1;
mod h2;
mod received;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use answer::App;

pub use call::Call;
pub use received::Received;

/// How an application is set up; the default listens on a free loopback port
/// and calls nobody.
#[derive(Clone, Debug)]
pub struct EchoOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The version that it reports.
    pub version: String,
    /// Whom it calls in turn.
    pub calls: Vec<Call>,
    /// Headers that it hands on in its calls, besides those of tracing.
    pub forward: Vec<String>,
    /// The headers of tracing that it hands on; none for all of them.
    pub traces: Option<Vec<String>>,
    /// The status of every answer, whatever the request wants.
    pub status: Option<u16>,
}

/// A running application; it stops when dropped.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    app: Arc<App>,
    runtime: Option<Runtime>,
}

// === impl EchoOptions ===

impl Default for EchoOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            version: "v1".to_owned(),
            calls: Vec::new(),
            forward: Vec::new(),
            traces: None,
            status: None,
        }
    }
}

// === impl Echo ===

impl Echo {
    /// Starts an application that calls itself `name`.
    pub fn start(name: &str, options: EchoOptions) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("echo-{name}"))
            .enable_all()
            .build()?;
        let listener = runtime
            .block_on(TcpListener::bind(options.listen))
            .with_context(|| format!("{name} cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(name, options));
        runtime.spawn(accept(listener, Arc::clone(&app)));
        Ok(Self { address, app, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// From now on it makes this call too. For two that lead to each other: one of them
    /// has to listen before the other's address is known.
    pub fn calls(&self, call: Call) {
        self.app.caller.add(call);
    }

    /// How many requests have reached it.
    pub fn requests(&self) -> u64 {
        self.app.requests.load(Ordering::Relaxed)
    }

    /// The last request that reached it. For answers that cannot hold the
    /// report: gRPC, `HEAD`, 304.
    pub fn last(&self) -> Option<Received> {
        self.app.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on every answer has this status, whatever the request wants;
    /// `None` ends that.
    pub fn force_status(&self, status: Option<u16>) {
        self.app.forced_status.store(status.unwrap_or(0), Ordering::Relaxed);
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

async fn accept(listener: TcpListener, app: Arc<App>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = Arc::clone(&app);
                // A broken connection is the peer's business; it sees it too.
                tokio::spawn(async move {
                    let _ = serve(stream, app).await;
                });
            }
            // Out of file descriptors, mostly: wait for some to come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, app: Arc<App>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    if speaks_http2(&stream).await? { h2::serve(stream, app).await } else { h1::serve(stream, app).await }
}

/// Looks at the first bytes: no HTTP/1.1 method begins like HTTP/2's preface.
async fn speaks_http2(stream: &TcpStream) -> anyhow::Result<bool> {
    let mut seen = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut seen).await?;
        if count == 0 || seen[..count] != PREFACE[..count] {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0";
