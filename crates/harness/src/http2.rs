//! An HTTP/2 client over clear text with prior knowledge.
//!
//! It blocks: the connection makes progress while a call waits.

use std::io::Cursor;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::message::{Headers, Request, Response};

/// One connection that carries any number of requests.
#[derive(Debug)]
pub struct Connection {
    // Before the runtime: it holds the stream that the runtime drives.
    sender: SendRequest<Cursor<Vec<u8>>>,
    runtime: Runtime,
}

impl Connection {
    /// Connects and shakes hands.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sender = runtime.block_on(within("connect", async {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .with_context(|| format!("cannot connect to {address}"))?;
            stream.set_nodelay(true)?;
            let (sender, connection) = h2::client::Builder::new().handshake(stream).await?;
            tokio::spawn(connection);
            Ok(sender)
        }))?;
        Ok(Self { sender, runtime })
    }

    /// Sends one request and waits for its whole answer.
    pub fn exchange(&mut self, request: &Request) -> anyhow::Result<Response> {
        self.runtime.block_on(within("answer", exchange(self.sender.clone(), request.clone())))
    }

    /// Sends all requests at once, each on a stream of its own; the answers
    /// come in the order of the requests.
    pub fn exchange_all(&mut self, requests: &[Request]) -> anyhow::Result<Vec<Response>> {
        let sender = &self.sender;
        self.runtime.block_on(within("answers", async {
            let mut streams = JoinSet::new();
            for (index, request) in requests.iter().enumerate() {
                let exchange = exchange(sender.clone(), request.clone());
                streams.spawn(async move { exchange.await.map(|response| (index, response)) });
            }
            let mut answers = Vec::with_capacity(requests.len());
            while let Some(answer) = streams.join_next().await {
                answers.push(answer??);
            }
            answers.sort_by_key(|(index, _)| *index);
            Ok(answers.into_iter().map(|(_, response)| response).collect())
        }))
    }
}

/// Sends one request on a connection of its own.
pub fn send(address: SocketAddr, request: &Request) -> anyhow::Result<Response> {
    Connection::connect(address)?.exchange(request)
}

async fn exchange(sender: SendRequest<Cursor<Vec<u8>>>, request: Request) -> anyhow::Result<Response> {
    let mut sender = sender.ready().await.context("the connection takes no more requests")?;
    let mut head = http::Request::new(());
    *head.method_mut() = Method::from_bytes(request.method.as_bytes())?;
    *head.uri_mut() = uri(&request)?;
    *head.headers_mut() = header_map(&request.headers)?;
    let only_head = request.body.is_empty() && request.trailers.is_empty();
    let (answer, mut stream) = sender.send_request(head, only_head)?;
    if !only_head {
        stream.send_data(Cursor::new(request.body), request.trailers.is_empty())?;
        if !request.trailers.is_empty() {
            stream.send_trailers(header_map(&request.trailers)?)?;
        }
    }
    let (head, mut stream) = answer.await.context("no answer")?.into_parts();
    let body = read_body(&mut stream).await?;
    let trailers = stream.trailers().await.context("the trailers broke off")?;
    Ok(Response {
        status: head.status.as_u16(),
        headers: headers(&head.headers),
        body,
        trailers: trailers.as_ref().map(headers).unwrap_or_default(),
    })
}

/// Reads a body to its end and gives the window back.
pub(crate) async fn read_body(stream: &mut h2::RecvStream) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.context("the body broke off")?;
        stream.flow_control().release_capacity(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Lines from a map: names in the order of their first appearance, the values
/// of a name in their own order. (A map keeps no more than that.)
pub(crate) fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in map {
        headers.push(name, value);
    }
    headers
}

/// A map from lines; a name or value that HTTP/2 cannot carry is an error.
pub(crate) fn header_map(headers: &Headers) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        let refused = || format!("HTTP/2 cannot carry {}", narrows_cases::bytes::escape(name));
        let name = HeaderName::from_bytes(name).with_context(refused)?;
        map.append(name, HeaderValue::from_bytes(value).with_context(refused)?);
    }
    Ok(map)
}

fn uri(request: &Request) -> anyhow::Result<Uri> {
    let Some(authority) = &request.authority else {
        return request.target.parse().with_context(|| format!("not a target: {}", request.target));
    };
    let mut builder = Uri::builder().authority(authority.as_str());
    // CONNECT names an authority and nothing else.
    if request.method != "CONNECT" {
        builder = builder.scheme("http").path_and_query(request.target.as_str());
    }
    builder.build().with_context(|| format!("not a target: {authority} {}", request.target))
}

async fn within<T>(what: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let answer = tokio::time::timeout(TIMEOUT, work).await;
    answer.unwrap_or_else(|_| anyhow::bail!("no {what} within {} s", TIMEOUT.as_secs()))
}

const TIMEOUT: Duration = Duration::from_secs(10);
