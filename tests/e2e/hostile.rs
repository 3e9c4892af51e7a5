//! Can a request stop a filter? After each bad one, a good one must be served.

mod mix;

use std::fmt::Write;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::http1::{Connection, exchange_raw};
use narrows_harness::http2;
use narrows_harness::message::Request;
use narrows_tests::{Bench, filters};

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];
/// Headers that one policy or another reads, and one that none does.
const PLACES: [&str; 7] =
    ["x-user", "cookie", "x-canary", "x-internal-a", "x-explain", "x-narrows-route", "x-other"];

#[test]
fn every_byte_that_is_no_text_and_every_other_oddity() {
    for (filter, policy) in filters() {
        let bench = Bench::fixed(filter, &policy).unwrap();
        for protocol in PROTOCOLS {
            let mut client = Client::connect(protocol, bench.at).unwrap();
            let mut ask = |request: Request| {
                let answer = client.exchange(&request).unwrap();
                assert!(served(filter, answer.status), "{filter}: {request:?}: {}", answer.text());
            };
            for name in PLACES {
                for byte in 0x80..=0xff {
                    // Alone, within text, and where the cookie's own key is.
                    for value in [vec![byte], vec![b'a', byte, b'b'], vec![b'u', b'i', b'd', b'=', byte]] {
                        ask(Request::get("a", "/").header(name, value));
                    }
                }
                for value in [&b"\x80\xff"[..], b"uid=\xff; uid=\x80", b"", b"\"", b"=;=;", b"\t \t"] {
                    ask(Request::get("a", "/").header(name, value));
                    // Twice, with and without another value.
                    ask(Request::get("a", "/").header(name, value).header(name, value));
                    ask(Request::get("a", "/").header(name, value).header(name, b"other\xff"));
                    ask(Request::get("a", "/?q=1").header(name, "good"));
                }
            }
        }
        let mut client = Connection::connect(bench.at).unwrap();
        let mut ask = |request: Request| {
            let answer = client.exchange(&request).unwrap();
            assert!(served(filter, answer.status), "{filter}: {request:?}: {}", answer.text());
        };
        for target in ["/?q=%ff%00%", "/%ff%80?&&=&q", "/?", "//"] {
            ask(Request::get("a", target));
        }
        for authority in ["", ".", "a..b", "[::1]:80", "[", ":80", "A.B:99999999", "*"] {
            let answer = client.exchange(&Request::get(authority, "/")).unwrap();
            let refused = answer.status == 400;
            assert!(refused || served(filter, answer.status), "{filter}: {authority:?}: {}", answer.status);
            if refused {
                client = Connection::connect(bench.at).unwrap();
            }
        }
        still_works(&bench, filter);
    }
}

#[test]
fn headers_at_the_limit() {
    for (filter, policy) in filters() {
        let bench = Bench::fixed(filter, &policy).unwrap();
        let long = vec![b'a'; 60_000];
        for (name, protocol) in
            ["x-user", "cookie", "x-canary"].into_iter().flat_map(|name| PROTOCOLS.map(|p| (name, p)))
        {
            let value = if name == "cookie" { [b"uid=", long.as_slice()].concat() } else { long.clone() };
            let mut client = Client::connect(protocol, bench.at).unwrap();
            for value in [value, b"good".to_vec()] {
                let answer = client.exchange(&Request::get("a", "/").header(name, &value)).unwrap();
                assert_eq!(answer.status, 200, "{filter}: {name}: {} bytes, {protocol:?}", value.len());
            }
        }
        // As many headers as Envoy takes, one name over and over.
        let many = (0..95).fold(Request::get("a", "/"), |r, n| r.header("x-user", format!("v{n}")));
        assert!(served(filter, http2::send(bench.at, &many).unwrap().status));
        let target = format!(
            "/{}?{}",
            "a/".repeat(2000),
            (0..2000).fold(String::new(), |mut q, n| {
                _ = write!(q, "q{n}=%41&");
                q
            })
        );
        assert!(served(filter, http2::send(bench.at, &Request::get("a", &target)).unwrap().status));
        still_works(&bench, filter);
    }
}

#[test]
fn what_no_client_library_sends() {
    for (filter, policy) in filters() {
        let bench = Bench::fixed(filter, &policy).unwrap();
        for raw in [
            &b"GET / HTTP/1.0\r\n\r\n"[..],
            b"GET http://other.example/a?b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx-user: a\r\n b\r\nconnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx-user: a\0b\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx-\xff: a\r\n\r\n",
            b"GET /\xff\x80 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            b"BREW / HTTP/1.1\r\nhost: \xff\xfe\r\nconnection: close\r\n\r\n",
            b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
        ] {
            // Envoy may refuse it, the filter may not fall over it.
            if let Ok(answer) = exchange_raw(bench.at, raw) {
                assert_ne!(answer.status, 503, "{filter}: {}: {}", raw.escape_ascii(), answer.text());
            }
            still_works(&bench, filter);
        }
    }
}

/// Whether a request was decided on: what is ambiguous, the egress policy refuses.
fn served(filter: &str, status: u16) -> bool {
    status == 200 || (["egress-policy", "narrows"].contains(&filter) && status == 403)
}

/// A good request is served, and no VM was lost on the way.
fn still_works(bench: &Bench, filter: &str) {
    let answer =
        narrows_harness::http1::exchange(bench.at, &Request::get("a", "/").header("x-user", "good")).unwrap();
    assert_eq!(answer.status, 200, "{filter}: {}", answer.text());
    for (name, value) in bench.envoy.stats().unwrap() {
        assert!(!name.contains("vm_reload") || value == 0, "{filter}: {name} = {value}");
    }
    assert!(!bench.envoy.log_contains("panicked"), "{filter}: {}", bench.envoy.log());
}
