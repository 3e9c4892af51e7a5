//! Does a condition on a header mean what Envoy's own matcher means?
//!
//! Every request is judged twice on the same listener: by a rule of header-router and by a route of
//! Envoy's with the same condition. The answer's status says what the route found, a header of it
//! what the rule found. An oracle that shares no code with either judges a third time: it decides
//! about `invert`, which is stricter than Envoy's on purpose, and where the two may differ.

mod condition;
mod sent;

use std::net::SocketAddr;

use anyhow::Context;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::envoy::Envoy;
use narrows_harness::http1::Connection;
use narrows_harness::http2;
use narrows_harness::message::{Request, Response};
use narrows_oracle::Random;
use narrows_tests::{Bench, lacks};
use serde_json::{Value, json};

use condition::{Condition, Place};
use sent::Sent;

const CONDITIONS: usize = 240;
const REQUESTS: usize = 100;
/// As many as are on their way at once.
const BATCH: usize = 50;

/// What the route of a condition answers if Envoy's matcher holds, and what the last one does.
const HOLDS: u64 = 201;
const FAILS: u64 = 202;

#[test]
fn conditions_mean_what_envoys_matchers_mean() {
    let mut random = Random::new(1);
    let conditions: Vec<Condition> =
        (0..CONDITIONS).map(|number| Condition::generate(&mut random, number)).collect();
    let envoy = start(&conditions, true).unwrap();
    let at = envoy.listener("main").unwrap();
    let mut tally = Tally { joins: lacks(39, "looking at each line of a header alone"), ..Tally::default() };
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut wire = Wire::connect(protocol, at).unwrap();
        for (number, condition) in conditions.iter().enumerate() {
            for _ in 0..REQUESTS / 2 / BATCH {
                let sent: Vec<Sent> =
                    (0..BATCH).map(|_| Sent::generate(&mut random, condition, protocol)).collect();
                let requests: Vec<Request> = sent.iter().map(|sent| sent.request(number)).collect();
                for (sent, answer) in sent.iter().zip(wire.ask(&requests).unwrap()) {
                    tally.judge(condition, sent, &answer);
                }
            }
        }
    }
    tally.check();
}

/// What was found, and where the two differ.
#[derive(Debug, Default)]
struct Tally {
    /// Whether Envoy joins the lines, so that the two need not agree.
    joins: bool,
    /// For each place: pairs, and those of which the condition held.
    judged: [(usize, usize); 3],
    /// The differences that the README lists.
    blanks: usize,
    expressions: usize,
    stricter: usize,
}

impl Tally {
    fn judge(&mut self, condition: &Condition, sent: &Sent, answer: &Response) {
        let shown = || format!("{condition:?}\n{sent:?}\n{answer:?}");
        let status = u64::from(answer.status);
        assert!(status == HOLDS || status == FAILS, "{}", shown());
        let by_envoy = status == HOLDS;
        let by_filter = answer.headers.contains("x-held");
        assert_eq!(by_filter, condition.holds(&sent.bare()), "the oracle: {}", shown());
        let (pairs, held) = &mut self.judged[condition.place as usize];
        *pairs += 1;
        *held += usize::from(by_filter);
        // The same condition, as Envoy reads it.
        let native = condition.holds_natively(&if self.joins { sent.joined() } else { sent.raw() });
        if condition.is_expression() && !sent.is_ascii() {
            self.expressions += usize::from(by_filter != by_envoy);
            return;
        }
        assert_eq!(by_envoy, native, "Envoy's own: {}", shown());
        if by_filter == by_envoy || self.joins {
            return;
        }
        if condition.place == Place::Invert && condition.holds_natively(&sent.bare()) != by_filter {
            assert!(by_filter, "less strict: {}", shown());
            self.stricter += 1;
        } else {
            assert!(sent.is_padded() && sent.protocol == Protocol::Http2, "not listed: {}", shown());
            self.blanks += 1;
        }
    }

    fn check(&self) {
        println!("{self:?}");
        let pairs: usize = self.judged.iter().map(|(pairs, _)| pairs).sum();
        assert!(pairs >= 20_000, "{self:?}");
        for (pairs, held) in self.judged {
            assert!(held > pairs / 8 && held < pairs * 7 / 8, "a generator that proves little: {self:?}");
        }
        // What never happens need not be listed.
        let is_listed = self.blanks > 0 && self.expressions > 0 && self.stricter > 0;
        assert!(is_listed || self.joins, "{self:?}");
    }
}

/// What Envoy up to 1.38 does, and the same binary when it is told to: it looks at the lines as one
/// text. The filter does not ask.
#[test]
fn the_filter_is_the_same_where_envoy_joins_the_lines() {
    let admin = Condition::exact("x-role", "admin");
    let lines = ["user", "admin"];
    let by_default = if lacks(39, "looking at each line of a header alone") { FAILS } else { HOLDS };
    for (individually, status) in [(true, by_default), (false, FAILS)] {
        let envoy = start(std::slice::from_ref(&admin), individually).unwrap();
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut client = Client::connect(protocol, envoy.listener("main").unwrap()).unwrap();
            let request = lines.iter().fold(Request::get("a", "/0"), |r, line| r.header("x-role", line));
            let answer = client.exchange(&request).unwrap();
            assert_eq!(u64::from(answer.status), status, "{protocol:?}");
            assert!(answer.headers.contains("x-held"), "{protocol:?}");
        }
    }
}

/// Of a pseudo header Envoy takes no blanks, or drops them, so nobody else needs to.
#[test]
fn no_pseudo_header_comes_with_blanks() {
    let envoy = start(&[Condition::exact("x-role", "admin")], true).unwrap();
    let at = envoy.listener("main").unwrap();
    for line in [" GET /0", "GET  /0", "GET\t/0", "GET \t/0", "GET /0 ", "GET /0\t", "\tGET /0"] {
        let raw = format!("{line} HTTP/1.1\r\nhost: a\r\nx-role: admin\r\nconnection: close\r\n\r\n");
        let Ok(answer) = narrows_harness::http1::exchange_raw(at, raw.as_bytes()) else { continue };
        if answer.status != 400 {
            assert_eq!(u64::from(answer.status), HOLDS, "{line:?}");
            assert!(answer.headers.contains("x-held"), "{line:?}");
        }
    }
}

/// Both on one listener: a rule and a route for each condition, by its path.
fn start(conditions: &[Condition], individually: bool) -> anyhow::Result<Envoy> {
    let rule = |(number, condition): (usize, &Condition)| {
        let mut one = condition.written();
        one["path"] = json!({ "exact": format!("/{number}") });
        json!({ "name": format!("c{number}"), "matches": [one], "responseHeaders": { "set": { "x-held": "1" } } })
    };
    let rules: Vec<Value> = conditions.iter().enumerate().map(rule).collect();
    let policy = json!({ "trust": "mesh", "rules": rules }).to_string();
    let route = |(number, condition): (usize, &Condition)| {
        json!({ "match": { "path": format!("/{number}"), "headers": [condition.native()] },
                "direct_response": { "status": HOLDS } })
    };
    let mut routes: Vec<Value> = conditions.iter().enumerate().map(route).collect();
    routes.push(json!({ "match": { "prefix": "/" }, "direct_response": { "status": FAILS } }));
    let flag = "envoy.reloadable_features.match_headers_individually";
    let layers = json!({ "layers": [{ "name": "flags", "static_layer": { flag: individually } }] });
    let plan = Bench::of(&[("header-router", &policy)]).named("headers").routes(&routes);
    Ok(plan.bootstrap("layered_runtime", layers).start()?.envoy)
}

/// A connection on which many requests are on their way at once.
enum Wire {
    Http1(Connection),
    Http2(http2::Connection),
}

impl Wire {
    fn connect(protocol: Protocol, at: SocketAddr) -> anyhow::Result<Self> {
        Ok(match protocol {
            Protocol::Http1 => Self::Http1(Connection::connect(at)?),
            Protocol::Http2 => Self::Http2(http2::Connection::connect(at)?),
        })
    }

    fn ask(&mut self, requests: &[Request]) -> anyhow::Result<Vec<Response>> {
        match self {
            Self::Http1(connection) => {
                let exchange = |request| {
                    let answer = connection.exchange(request).with_context(|| format!("{request:?}"))?;
                    anyhow::ensure!(answer.status != 400, "Envoy takes no such request: {request:?}");
                    Ok(answer)
                };
                requests.iter().map(exchange).collect()
            }
            Self::Http2(connection) => connection.exchange_all(requests),
        }
    }
}
