//! Requests through an Envoy, and what can be read about them afterwards.

use std::time::{Duration, Instant};

use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Call, Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::http2;
use narrows_harness::message::Request;
use narrows_harness::prometheus;
use serde_json::json;

use crate::{manager, plain};

#[test]
fn requests_arrive_byte_for_byte() -> anyhow::Result<()> {
    for upstream_http2 in [false, true] {
        let echo = Echo::start("stock", EchoOptions::default())?;
        let envoy = Envoy::start(plain(&echo, upstream_http2), EnvoyOptions::default())?;
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut client = Client::connect(protocol, envoy.listener("http")?)?;
            let request = Request::new("POST", "stock:8080", "/books?start=%20&x=%ff")
                .header("x-one", "first")
                .header("x-two", b"\x80\xff")
                .header("x-one", "second")
                .header("x-empty", "")
                .body("a body");
            let response = envoy.context(client.exchange(&request))?;
            assert_eq!(response.headers.text("x-app").as_deref(), Some("stock"));
            let received = Received::from_response(&response)?;
            assert_eq!(received, echo.last().unwrap(), "JSON keeps every byte");
            let version = if upstream_http2 { "HTTP/2" } else { "HTTP/1.1" };
            assert_eq!(received.protocol, version);
            assert_eq!(received.method, "POST");
            assert_eq!(received.target, "/books?start=%20&x=%ff");
            assert_eq!(received.authority, "stock:8080");
            assert_eq!(received.headers.all("x-one"), [b"first".as_slice(), b"second"]);
            assert_eq!(received.headers.first("x-two"), Some(b"\x80\xff".as_slice()));
            assert_eq!(received.headers.first("x-empty"), Some(b"".as_slice()));
            assert_eq!(received.body_bytes, 6);
            // Another one on the same connection, and bytes on the way back.
            let request = Request::get("stock", "/status/418").header("x-echo-header", b"x-back=\xfe");
            let response = envoy.context(client.exchange(&request))?;
            assert_eq!(response.status, 418);
            assert_eq!(response.headers.first("x-back"), Some(b"\xfe".as_slice()));
        }
        assert_eq!(echo.requests(), 4);
    }
    Ok(())
}

#[test]
fn many_streams_share_a_connection() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, true), EnvoyOptions::default())?;
    let requests: Vec<Request> =
        (0..50).map(|number| Request::get("stock", &format!("/books/{number}"))).collect();
    let responses = http2::Connection::connect(envoy.listener("http")?)?.exchange_all(&requests)?;
    for (number, response) in responses.iter().enumerate() {
        assert_eq!(Received::from_response(response)?.target, format!("/books/{number}"));
    }
    assert_eq!(envoy.stat("http.http.downstream_cx_total")?, 1);
    Ok(())
}

#[test]
fn grpc_is_answered_in_its_own_way() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, true), EnvoyOptions::default())?;
    let request = Request::new("POST", "stock", "/books.Stock/List")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(b"\0\0\0\0\0");
    let response = http2::send(envoy.listener("http")?, &request)?;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.text("grpc-status").as_deref(), Some("0"));
    assert_eq!(echo.last().unwrap().body_bytes, 5);
    Ok(())
}

#[test]
fn an_upgrade_becomes_a_tunnel() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let mut config = plain(&echo, false);
    manager(&mut config)["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    let envoy = Envoy::start(config, EnvoyOptions::default())?;
    let mut connection = http1::Connection::connect(envoy.listener("http")?)?;
    let request =
        Request::get("stock", "/socket").header("connection", "upgrade").header("upgrade", "websocket");
    assert_eq!(connection.exchange(&request)?.status, 101);
    connection.send_raw(b"\x00\xffping")?;
    assert_eq!(connection.read_exact(6)?, b"\x00\xffping");
    Ok(())
}

#[test]
fn applications_fail_on_request() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    for upstream_http2 in [false, true] {
        let envoy = Envoy::start(plain(&echo, upstream_http2), EnvoyOptions::default())?;
        let address = envoy.listener("http")?;
        let reset = Request::get("stock", "/").header("x-echo-fault", "reset");
        assert_eq!(http1::exchange(address, &reset)?.status, 503);
        let truncate = Request::get("stock", "/").header("x-echo-fault", "truncate");
        assert!(http1::exchange(address, &truncate).is_err());
    }
    echo.force_status(Some(500));
    assert_eq!(http1::exchange(echo.addr(), &Request::get("stock", "/"))?.status, 500);
    echo.force_status(None);
    let slow = Request::get("stock", "/").header("x-echo-delay-ms", "30");
    let start = Instant::now();
    assert_eq!(http1::exchange(echo.addr(), &slow)?.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(30));
    Ok(())
}

#[test]
fn a_front_end_calls_through_its_sidecar() -> anyhow::Result<()> {
    let stock = Echo::start("stock", EchoOptions::default())?;
    let sidecar = Envoy::start(plain(&stock, false), EnvoyOptions::named("sidecar"))?;
    let via = sidecar.listener("http")?.to_string();
    let options = EchoOptions {
        calls: vec![Call::stock_of_bobs_books(&via)],
        forward: vec!["x-user-id".to_owned()],
        ..EchoOptions::default()
    };
    let front_end = Echo::start("bobbys-front-end", options)?;
    let request = Request::get("bobs-books.example.com", "/bobbys-front-end/books?start=20")
        .header("x-user-id", b"u-\xff")
        .header("traceparent", "00-1-2-01")
        .header("x-secret", "1");
    let mut client = http1::Connection::connect(front_end.addr())?;
    for _ in 0..3 {
        let answer = client.exchange(&request)?.json()?;
        assert_eq!(answer["called"]["status"], 200, "{answer}");
        let received = Received::from_json(&answer["called"]["body"])?;
        assert_eq!(received.app, "stock");
        assert_eq!(received.authority, "bobbys-helidon-stock-application:8080");
        assert_eq!(received.target, "/books?start=20");
        assert_eq!(received.headers.first("x-user-id"), Some(b"u-\xff".as_slice()));
        assert!(received.headers.contains("traceparent"));
        assert!(!received.headers.contains("x-secret"));
    }
    assert_eq!(sidecar.stat("http.http.downstream_cx_total")?, 1, "the connection is kept");
    stock.force_status(Some(503));
    assert_eq!(client.exchange(&request)?.status, 503);
    drop(sidecar);
    let answer = client.exchange(&request)?;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("cannot call bobbys-helidon-stock-application:8080"));
    Ok(())
}

#[test]
fn what_is_counted_can_be_read() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, false), EnvoyOptions::default())?;
    let address = envoy.listener("http")?;
    for status in [200, 200, 404] {
        let target = format!("/status/{status}");
        assert_eq!(http1::exchange(address, &Request::get("stock", &target))?.status, status);
    }
    envoy.wait_for_stat("http.http.downstream_rq_2xx", |count| count == 2)?;
    let stats = envoy.stats()?;
    assert_eq!(stats["http.http.downstream_rq_4xx"], 1);
    let samples = envoy.prometheus()?;
    let labels = [("envoy_cluster_name", "stock"), ("envoy_response_code_class", "2")];
    assert_eq!(prometheus::sum(&samples, "envoy_cluster_upstream_rq_xx", &labels), Some(2.0));
    let duration = "envoy_http_downstream_rq_time_count";
    let labels = [("envoy_http_conn_manager_prefix", "http")];
    assert_eq!(prometheus::sum(&samples, duration, &labels), Some(3.0), "histograms are merged");
    Ok(())
}

#[test]
fn raw_bytes_go_as_they_are() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, false), EnvoyOptions::default())?;
    let address = envoy.listener("http")?;
    let refused: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nhost: stock\r\nx-nul: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nno host: stock\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ];
    for bytes in refused {
        assert_eq!(http1::exchange_raw(address, bytes)?.status, 400);
    }
    assert_eq!(echo.requests(), 0);
    let absolute = b"GET http://stock:8080/books HTTP/1.1\r\nHost: else\r\nX-A: 1\r\nx-a:2\r\n\r\n";
    let received = Received::from_response(&http1::exchange_raw(address, absolute)?)?;
    assert_eq!((&*received.authority, &*received.target), ("stock:8080", "/books"));
    assert_eq!(received.headers.all("x-a"), [b"1", b"2"]);
    // Without a proxy between: case and order are kept too.
    let received = Received::from_response(&http1::exchange_raw(echo.addr(), absolute)?)?;
    let lines: Vec<_> = received.headers.iter().collect();
    let expected: [(&[u8], &[u8]); 3] = [(b"Host", b"else"), (b"X-A", b"1"), (b"x-a", b"2")];
    assert_eq!(lines, expected);
    assert_eq!(received.target, "http://stock:8080/books");
    Ok(())
}

#[test]
fn trailers_go_both_ways() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, true), EnvoyOptions::default())?;
    let request = Request::new("POST", "stock", "/").body("a body").trailer("x-sum", b"\x80");
    let response = http2::send(envoy.listener("http")?, &request)?;
    let received = Received::from_response(&response)?;
    assert_eq!(received.trailers.first("x-sum"), Some(b"\x80".as_slice()));
    assert_eq!(received.body_bytes, 6);
    // HTTP/1.1 keeps them too when there is no proxy between.
    let received = Received::from_response(&http1::exchange(echo.addr(), &request)?)?;
    assert_eq!(received.trailers.first("x-sum"), Some(b"\x80".as_slice()));
    Ok(())
}
