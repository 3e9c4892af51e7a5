//! A client inside a cluster: its requests come from a pod, through the pod's own sidecar.
//!
//! `narrows-call http://HOST:PORT/PATH ['NAME: VALUE']...` sends one request, and prints the answer as it is.
//!
//! Without arguments the first line of standard input is the [`Plan`]. Each request of it is sent once, in order, and each
//! answer is printed as one line of JSON. With `connections` they are sent over and over, on so many
//! connections, until standard input ends; then one line sums up. With `held` so many connections are opened
//! and never replaced: the first request is sent on each, and again for each further line of standard input.
//! One line sums up each round.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use narrows_harness::http1::Connection;
use narrows_harness::message::{Request, Response};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [url, headers @ ..] = arguments.as_slice() {
        return once(url, headers);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let plan = Plan::read(&line)?;
    if plan.held > 0 {
        return hold(&plan);
    }
    if plan.connections == 0 {
        let mut caller = Caller::new(plan.connect);
        for request in &plan.requests {
            println!("{}", caller.exchange(request).as_ref().map_or_else(failure, report));
        }
        return Ok(());
    }
    println!("{}", load(&plan).to_json());
    Ok(())
}

/// One request, for people.
fn once(url: &str, headers: &[String]) -> anyhow::Result<()> {
    let rest = url.strip_prefix("http://").context("write http://HOST:PORT/PATH")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let asked = json!({ "authority": authority, "target": format!("/{path}"), "headers": headers });
    let answer = Caller::new(address(authority)?).exchange(&request(&asked)?)?;
    println!("{}", answer.status);
    for (name, value) in answer.headers.iter() {
        println!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    }
    println!("\n{}", answer.text());
    Ok(())
}

fn address(authority: &str) -> anyhow::Result<SocketAddr> {
    let mut found = authority.to_socket_addrs().with_context(|| format!("cannot find {authority}"))?;
    found.next().with_context(|| format!("{authority} has no address"))
}

/// What to send, where.
struct Plan {
    connect: SocketAddr,
    requests: Vec<Request>,
    /// How many connections send over and over; 0 sends each once.
    connections: usize,
    /// How many connections are held; 0 holds none.
    held: usize,
}

/// Connects when it must: after a failure, and when the peer has said that it will close.
struct Caller {
    connect: SocketAddr,
    connection: Option<Connection>,
}

/// What a load has seen.
#[derive(Default)]
struct Seen {
    requests: u64,
    statuses: BTreeMap<u16, u64>,
    /// By the application's version: how many answers, and when the last one came, in milliseconds since 1970.
    versions: BTreeMap<String, (u64, u128)>,
    /// Requests without an answer: how many, and what the first ones said.
    lost: u64,
    errors: Vec<String>,
}

/// As many errors are told: they are mostly the same.
const TOLD: usize = 5;
/// A request that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(15);

fn load(plan: &Plan) -> Seen {
    let (seen, is_over) = (Mutex::new(Seen::default()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for first in 0..plan.connections {
            let (seen, is_over) = (&seen, &is_over);
            scope.spawn(move || {
                let mut caller = Caller::new(plan.connect);
                for request in plan.requests.iter().cycle().skip(first) {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let answer = caller.exchange(request);
                    seen.lock().unwrap_or_else(PoisonError::into_inner).add(answer);
                }
            });
        }
        // Nothing follows the plan: this waits for its end.
        _ = std::io::stdin().lock().lines().count();
        is_over.store(true, Ordering::Relaxed);
    });
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Holds connections open between rounds of requests. One that the peer closes is not replaced.
fn hold(plan: &Plan) -> anyhow::Result<()> {
    let request = plan.requests.first().context("`requests` is empty")?;
    let mut callers: Vec<Caller> = (0..plan.held).map(|_| Caller::new(plan.connect)).collect();
    for caller in &mut callers {
        caller.connection = Some(Connection::connect_within(plan.connect, PATIENCE)?);
    }
    let mut lines = std::io::stdin().lock().lines();
    loop {
        callers.retain(|caller| caller.connection.is_some());
        let mut seen = Seen::default();
        for caller in &mut callers {
            seen.add(caller.exchange(request));
        }
        println!("{}", seen.to_json());
        if lines.next().transpose()?.is_none() {
            return Ok(());
        }
    }
}

// === impl Plan ===

impl Plan {
    fn read(line: &str) -> anyhow::Result<Self> {
        let plan: Value =
            serde_json::from_str(line).context("the first line of standard input is no JSON")?;
        let connect = plan["connect"].as_str().context("`connect` names no host and port")?;
        let requests = plan["requests"].as_array().context("`requests` is no list")?;
        Ok(Self {
            connect: address(connect)?,
            requests: requests.iter().map(request).collect::<anyhow::Result<_>>()?,
            connections: usize::try_from(plan["connections"].as_u64().unwrap_or(0))?,
            held: usize::try_from(plan["held"].as_u64().unwrap_or(0))?,
        })
    }
}

fn request(plan: &Value) -> anyhow::Result<Request> {
    let text = |key: &str| plan[key].as_str();
    let authority = text("authority").context("a request has no `authority`")?;
    let mut request = Request::new(text("method").unwrap_or("GET"), authority, text("target").unwrap_or("/"));
    for line in plan["headers"].as_array().into_iter().flatten() {
        let (name, value) =
            line.as_str().and_then(|line| line.split_once(": ")).context("a header is `name: value`")?;
        request = request.header(name, value);
    }
    Ok(request)
}

// === impl Caller ===

impl Caller {
    fn new(connect: SocketAddr) -> Self {
        Self { connect, connection: None }
    }

    fn exchange(&mut self, request: &Request) -> anyhow::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::connect_within(self.connect, PATIENCE)?,
        };
        let answer = connection.exchange(request)?;
        let closes =
            answer.headers.text("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

// === impl Seen ===

impl Seen {
    fn add(&mut self, answer: anyhow::Result<Response>) {
        self.requests += 1;
        match answer {
            Ok(answer) => {
                *self.statuses.entry(answer.status).or_default() += 1;
                if let Ok(body) = answer.json()
                    && let Some(version) = body["version"].as_str()
                {
                    let seen = self.versions.entry(version.to_owned()).or_default();
                    *seen = (seen.0 + 1, now());
                }
            }
            Err(error) => {
                self.lost += 1;
                if self.errors.len() < TOLD {
                    self.errors.push(format!("{error:#}"));
                }
            }
        }
    }

    fn to_json(&self) -> Value {
        let versions: serde_json::Map<String, Value> = self
            .versions
            .iter()
            .map(|(version, (count, last))| {
                (version.clone(), json!({ "answers": count, "last_ms": u64::try_from(*last).unwrap_or(0) }))
            })
            .collect();
        let statuses: serde_json::Map<String, Value> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect();
        json!({
            "requests": self.requests,
            "statuses": statuses,
            "versions": versions,
            "lost": self.lost,
            "errors": self.errors,
        })
    }
}

fn now() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()
}

fn report(answer: &Response) -> Value {
    let headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
        .collect();
    json!({ "status": answer.status, "headers": headers, "body": answer.text() })
}

fn failure(error: &anyhow::Error) -> Value {
    json!({ "error": format!("{error:#}") })
}
