//! An HTTP/1.1 client that sends exactly the bytes it is given.
//!
//! Ordinary clients refuse or repair what matters here: duplicate headers,
//! bytes from 0x80, absolute targets, a missing `Host`.

pub(crate) mod wire;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

use crate::message::{Request, Response};

use wire::Framing;

/// One connection; requests follow each other on it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects. Each read and write may take ten seconds.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        Self::connect_within(address, TIMEOUT)
    }

    /// Connects with another limit for the connect, each read and each write.
    pub fn connect_within(address: SocketAddr, limit: Duration) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, limit)
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends one request and waits for its whole answer.
    pub fn exchange(&mut self, request: &Request) -> anyhow::Result<Response> {
        self.send_raw(&request_bytes(request))?;
        self.receive(&request.method)
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).context("cannot send")
    }

    /// Waits for one whole answer; `method` is that of the request, because an
    /// answer to `HEAD` has no body. Interim answers (1xx) are skipped, except
    /// a 101: what follows it is read with [`Self::read_exact`].
    pub fn receive(&mut self, method: &str) -> anyhow::Result<Response> {
        loop {
            let head = loop {
                if let Some(head) = wire::take_head(&mut self.buffer)? {
                    break head;
                }
                anyhow::ensure!(self.fill()?, "the peer closed before it had answered");
            };
            let status = head.status()?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let framing = Framing::of_response(method, status, &head.headers)?;
            let mut closed = false;
            loop {
                if let Some(body) = wire::take_body(&mut self.buffer, framing, closed)? {
                    return Ok(Response {
                        status,
                        headers: head.headers,
                        body: body.bytes,
                        trailers: body.trailers,
                    });
                }
                closed = !self.fill()?;
            }
        }
    }

    /// Reads exactly `count` bytes, for what follows a switch of protocols.
    pub fn read_exact(&mut self, count: usize) -> anyhow::Result<Vec<u8>> {
        while self.buffer.len() < count {
            anyhow::ensure!(self.fill()?, "the peer closed after {} bytes", self.buffer.len());
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Reads until the peer closes.
    pub fn read_to_end(&mut self) -> anyhow::Result<Vec<u8>> {
        while self.fill()? {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&mut self) -> anyhow::Result<()> {
        self.stream.shutdown(Shutdown::Write).context("cannot close for writing")
    }

    /// The address on this side.
    pub fn local_addr(&self) -> anyhow::Result<SocketAddr> {
        self.stream.local_addr().context("the connection has no address")
    }

    /// Reads some more; `false` when the peer has closed.
    fn fill(&mut self) -> anyhow::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(count > 0)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                anyhow::bail!("no answer in time; so far: {:?}", String::from_utf8_lossy(&self.buffer))
            }
            Err(error) => Err(error).context("cannot receive"),
        }
    }
}

/// Sends one request on a connection of its own.
pub fn exchange(address: SocketAddr, request: &Request) -> anyhow::Result<Response> {
    Connection::connect(address)?.exchange(request)
}

/// Sends raw bytes on a connection of its own and returns the first answer.
pub fn exchange_raw(address: SocketAddr, bytes: &[u8]) -> anyhow::Result<Response> {
    let mut connection = Connection::connect(address)?;
    connection.send_raw(bytes)?;
    connection.receive("GET")
}

/// The bytes that a request becomes.
pub fn request_bytes(request: &Request) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    if let Some(authority) = &request.authority {
        wire::push_line(&mut bytes, b"host", authority.as_bytes());
    }
    for (name, value) in request.headers.iter() {
        wire::push_line(&mut bytes, name, value);
    }
    let framed = request.headers.contains("content-length") || request.headers.contains("transfer-encoding");
    if !request.trailers.is_empty() {
        wire::push_line(&mut bytes, b"transfer-encoding", b"chunked");
        bytes.extend_from_slice(b"\r\n");
        wire::push_chunked(&mut bytes, &request.body, &request.trailers);
        return bytes;
    }
    if !request.body.is_empty() && !framed {
        wire::push_line(&mut bytes, b"content-length", request.body.len().to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

const TIMEOUT: Duration = Duration::from_secs(10);
