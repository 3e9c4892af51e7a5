//! Spellings that try to get past a rule, as raw bytes against a real Envoy.

use narrows_harness::http1::{Connection, exchange_raw};
use narrows_harness::message::Request;
use narrows_runners::files;
use narrows_tests::Bench;

/// Every case of every table, whether the filter refuses it or Envoy itself does:
/// nothing reaches the application.
#[test]
fn no_spelling_gets_out() {
    let mut tried = 0;
    for file in files(Some("egress-policy/cases/evasion-")).unwrap() {
        let bench = Bench::fixed("egress-policy", &file.policy).unwrap();
        for case in &file.cases {
            let send = &case.send;
            let request = Request::new(&send.method, &send.authority, &send.target);
            let answer = Connection::connect(bench.at).unwrap().exchange(&request).unwrap();
            assert!(
                [400, 403].contains(&answer.status),
                "{}: {}: {}",
                file.label(),
                case.name,
                answer.status
            );
            assert_eq!(bench.echo.requests(), 0, "{}: {}", file.label(), case.name);
            tried += 1;
        }
    }
    assert!(tried >= 150, "only {tried} spellings");
}

/// What no client library sends.
#[test]
fn two_hosts_are_none() {
    let policy =
        r#"{ "rules": [ { "name": "one", "action": "allow", "to": { "hosts": ["example.com"] } } ] }"#;
    let bench = Bench::fixed("egress-policy", policy).unwrap();
    let send = |head: &str| {
        exchange_raw(bench.at, format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap().status
    };
    for head in [
        "GET / HTTP/1.1\r\nhost: example.com\r\nhost: evil.net\r\n",
        "GET / HTTP/1.1\r\nhost: evil.net\r\nhost: example.com\r\n",
        "GET / HTTP/1.1\r\nhost: example.com\r\nHost: example.com\r\n",
        "GET / HTTP/1.1\r\nhost: example.com, evil.net\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n",
        "GET / HTTP/1.1\r\nx-forwarded-host: example.com\r\n",
        "GET / HTTP/1.0\r\n",
        "GET http://evil.net/ HTTP/1.1\r\nhost: example.com\r\n",
        "GET http://example.com@evil.net/ HTTP/1.1\r\nhost: example.com\r\n",
        "GET http://evil.net:80/ HTTP/1.1\r\nhost: example.com:80\r\n",
        "GET //example.com/ HTTP/1.1\r\nhost: evil.net\r\n",
        "CONNECT evil.net:443 HTTP/1.1\r\nhost: example.com:443\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: evil.net\r\n",
        "GET / HTTP/1.1\r\nhost: example.com\tevil.net\r\n",
        "GET / HTTP/1.1\r\nhost: ex\u{e4}mple.com\r\n",
        "GET / HTTP/1.1\r\nhost : example.com\r\n",
        "GET / HTTP/1.1\r\nhost: evil.net\r\n host: example.com\r\n",
    ] {
        let status = send(head);
        assert!([400, 403, 426, 404].contains(&status), "{head:?}: {status}");
        assert_eq!(bench.echo.requests(), 0, "{head:?}");
    }
    assert_eq!(send("GET http://example.com/ HTTP/1.1\r\nhost: evil.net\r\n"), 200, "the target is the host");
    assert_eq!(send("GET / HTTP/1.1\r\nhost: Example.COM:80\r\n"), 200);
}
