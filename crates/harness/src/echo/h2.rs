//! An application's side of HTTP/2.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use ::h2::server::SendResponse;
use ::h2::{Reason, RecvStream};
use http::header::{HeaderName, HeaderValue};
use tokio::net::TcpStream;

use crate::http2;

use super::Received;
use super::answer::{Answer, App, Fault};

pub(super) async fn serve(stream: TcpStream, app: Arc<App>) -> anyhow::Result<()> {
    let mut connection = ::h2::server::Builder::new().handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        let app = Arc::clone(&app);
        // A broken stream is the peer's business; it sees it too.
        tokio::spawn(async move {
            let _ = stream_of(request, respond, &app).await;
        });
    }
    Ok(())
}

async fn stream_of(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Cursor<Vec<u8>>>,
    app: &App,
) -> anyhow::Result<()> {
    let (head, mut stream) = request.into_parts();
    let body = http2::read_body(&mut stream).await?;
    let trailers = stream.trailers().await?;
    let target = head.uri.path_and_query().map(ToString::to_string);
    let received = Received {
        app: app.name.clone(),
        version: app.version.clone(),
        protocol: "HTTP/2".to_owned(),
        method: head.method.to_string(),
        target: target.unwrap_or_default(),
        authority: head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        headers: http2::headers(&head.headers),
        body_bytes: body.len(),
        trailers: trailers.as_ref().map(http2::headers).unwrap_or_default(),
    };
    let head_only = received.method == "HEAD";
    let answer = app.answer(received).await;
    if answer.fault == Some(Fault::Reset) {
        respond.send_reset(Reason::INTERNAL_ERROR);
        return Ok(());
    }
    send(answer, head_only, &mut respond).await
}

async fn send(
    mut answer: Answer,
    head_only: bool,
    respond: &mut SendResponse<Cursor<Vec<u8>>>,
) -> anyhow::Result<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(answer.status)?;
    for (name, value) in answer.headers.iter() {
        // A header that was asked for and that HTTP/2 cannot carry is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            head.headers_mut().append(name, value);
        }
    }
    let empty = head_only || answer.body.is_empty() || matches!(answer.status, 204 | 304);
    let mut stream = respond.send_response(head, empty)?;
    if empty {
        return Ok(());
    }
    if answer.fault == Some(Fault::Truncate) {
        answer.body.truncate(answer.body.len() / 2);
        stream.send_data(Cursor::new(answer.body), false)?;
        // A reset throws away what still waits to be sent.
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.send_reset(Reason::INTERNAL_ERROR);
        return Ok(());
    }
    stream.send_data(Cursor::new(answer.body), true)?;
    Ok(())
}
