//! What no request can carry, `narrows lint` says (NRW660); Envoy has the last word. Every ASCII character is
//! sent in every place over HTTP/1.1 and HTTP/2, as it is, in the query percent-encoded: a text that is called
//! impossible never arrives.

use std::net::SocketAddr;
use std::time::Duration;

use narrows::lint::wire::{Carrier, Part};
use narrows_core::router::Router;
use narrows_core::{Policy, PolicyValue};
use narrows_harness::http1;
use narrows_tests::Bench;
use serde_json::{Value, json};

use crate::hosts::spellings::raw;

const CARRIERS: [Carrier; 5] =
    [Carrier::Path, Carrier::Method, Carrier::Header, Carrier::Cookie, Carrier::Query];

/// The texts of a carrier: each character within others, and at both ends.
fn texts(carrier: Carrier) -> Vec<String> {
    let (start, rest) = match carrier {
        Carrier::Path => ("/a", "b"),
        Carrier::Method => ("GE", "T"),
        Carrier::Header | Carrier::Cookie | Carrier::Query => ("a", "b"),
    };
    let all = (0..=0x7f).map(char::from);
    all.flat_map(|c| [format!("{start}{c}{rest}"), format!("{c}{start}{rest}"), format!("{start}{rest}{c}")])
        .collect()
}

/// A rule for each text that answers with its number.
fn policy(all: &[(Carrier, String)]) -> String {
    let rules: Vec<Value> = all
        .iter()
        .enumerate()
        .filter_map(|(i, (carrier, text))| {
            let test = json!({ "exact": text });
            let condition = match carrier {
                Carrier::Path => json!({ "path": test }),
                Carrier::Method => json!({ "method": test }),
                Carrier::Header => json!({ "headers": { "x-a": test } }),
                Carrier::Cookie => json!({ "cookies": { "a": test } }),
                Carrier::Query => json!({ "queryParams": { "a": test } }),
            };
            let body = format!("{i}");
            let rule = json!({ "name": format!("r{i}"), "matches": [condition], "respond": { "status": 200, "body": body } });
            // What the filter refuses nobody can write.
            let alone = json!({ "rules": [rule] }).to_string();
            Router::compile(&PolicyValue::parse(alone.as_bytes()).ok()?).ok().map(|_| rule)
        })
        .collect();
    assert!(rules.len() >= 900, "{} rules", rules.len());
    json!({ "rules": rules }).to_string()
}

#[test]
fn what_is_called_impossible_never_arrives() {
    let all: Vec<(Carrier, String)> =
        CARRIERS.into_iter().flat_map(|one| texts(one).into_iter().map(move |text| (one, text))).collect();
    let bench = Bench::fixed("header-router", &policy(&all)).unwrap();
    // Some are never answered, so they are asked side by side.
    let parts = std::thread::scope(|scope| {
        let ask = |part: &'_ [(Carrier, String)]| {
            part.iter().flat_map(|one| numbers(bench.at, one)).collect::<Vec<_>>()
        };
        let threads: Vec<_> =
            all.chunks(all.len().div_ceil(64)).map(|part| scope.spawn(move || ask(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut arrived = vec![false; all.len()];
    for number in parts.concat() {
        arrived[number] = true;
    }
    let mut wrong = Vec::new();
    for ((carrier, text), arrived) in all.iter().zip(&arrived) {
        if *arrived && let Some(why) = carrier.lacks(Part::Whole, text) {
            wrong.push(format!("{carrier:?} {text:?} arrives, and lint says: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The test asks for what arrives too, so that it would see if nothing did.
    for carrier in CARRIERS {
        let count = |of: fn(&(&(Carrier, String), &bool)) -> bool| {
            all.iter().zip(&arrived).filter(|(one, _)| one.0 == carrier).filter(of).count()
        };
        let (there, possible) =
            (count(|(_, arrived)| **arrived), count(|((of, text), _)| of.lacks(Part::Whole, text).is_none()));
        assert!(there >= 60 && there <= possible, "{carrier:?}: {there} of {possible} texts arrive");
    }
}

/// The numbers of the texts that arrive when this one is sent, over HTTP/1.1 and over HTTP/2.
fn numbers(at: SocketAddr, (carrier, text): &(Carrier, String)) -> Vec<usize> {
    let [method, path, header, cookie] = sent(*carrier, text);
    let (start, end) = (b" HTTP/1.1\r\nhost: a.example\r\nx-a: ", b"\r\nconnection: close\r\n\r\n");
    let bytes = [&method[..], b" ", &path, start, &header, b"\r\ncookie: ", &cookie, end].concat();
    let mut client = http1::Connection::connect_within(at, Duration::from_secs(3)).unwrap();
    let first = client.send_raw(&bytes).and_then(|()| client.receive("GET")).ok().map(|answer| answer.text());
    let lines: [(&str, &[u8]); 6] = [
        (":method", &method),
        (":scheme", b"http"),
        (":path", &path),
        (":authority", b"a.example"),
        ("x-a", &header),
        ("cookie", &cookie),
    ];
    let second = raw::Connection::connect(at).unwrap().ask_lines(&lines);
    [first, second].into_iter().flatten().filter_map(|text| text.parse().ok()).collect()
}

/// The method, path, header and cookie of a request with that text.
fn sent(carrier: Carrier, text: &str) -> [Vec<u8>; 4] {
    let of = |one: Carrier, usual: &str| {
        if carrier == one { text.as_bytes().to_vec() } else { usual.as_bytes().to_vec() }
    };
    let cookie = if carrier == Carrier::Cookie { format!("a=\"{text}\"") } else { "z=z".to_owned() };
    let path = if carrier == Carrier::Query {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("/?a={encoded}").into_bytes()
    } else {
        of(Carrier::Path, "/")
    };
    [of(Carrier::Method, "GET"), path, of(Carrier::Header, "z"), cookie.into_bytes()]
}
