//! A filter's reply as Envoy writes it to the client (`Utility::sendLocalReply`).

use super::abi::MapType;
use super::exchange::Response;
use super::local_reply::LocalReply;
use super::stream::Stream;

/// The response that a reply becomes: a gRPC client gets its status in trailers-only form.
pub(super) fn to_client(reply: &LocalReply, stream: &Stream) -> Response {
    let request = stream.held(MapType::RequestHeaders);
    let asked = |name: &str| request.and_then(|headers| headers.get(name)).unwrap_or_default();
    let details = reply.details.as_str();
    let kind = asked("content-type");
    // gRPC-Web is something else, and gets a plain answer.
    if kind == b"application/grpc" || kind.starts_with(b"application/grpc+") {
        let status = reply.grpc_status.unwrap_or(grpc_status(reply.status));
        let mut response = Response::from_envoy(200, 0, details)
            .header("content-type", "application/grpc")
            .header("grpc-status", status.to_string());
        if !reply.body.is_empty() {
            response = response.header("grpc-message", &reply.body);
        }
        for (name, value) in reply.headers.iter() {
            response = response.header(name, value);
        }
        return response;
    }
    let mut response = Response::from_envoy(0, 0, details);
    response.headers.set(b":status", reply.status.to_string().as_bytes());
    for (name, value) in reply.headers.iter() {
        response.headers.add(name, value);
    }
    if !reply.body.is_empty() {
        response.headers.set(b"content-length", reply.body.len().to_string().as_bytes());
        if response.headers.get("content-type").is_none() {
            response.headers.add(b"content-type", b"text/plain");
        }
        if asked(":method") != b"HEAD" {
            response.body.clone_from(&reply.body);
        }
    }
    response
}

/// Envoy's `httpToGrpcStatus`.
fn grpc_status(http: u32) -> u32 {
    match http {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}
