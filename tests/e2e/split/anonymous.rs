//! Ids for browsers: each gets one, with its first page, and keeps it whatever the weights are.

use std::collections::BTreeSet;

use narrows_core::split::bucket::bucket;
use narrows_harness::bootstrap::wasm_config;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::Envoy;
use narrows_harness::message::{Request, Response};
use narrows_harness::temp::TempDir;
use serde_json::{Value, json};

use narrows_tests::books::{Books, STABLE, allow_any, app, filter, module, policy, routes};

const AUTHORITY: &str = "stock:8080";
const COOKIE: &str = "__Host-nrw-id";
/// What a browser asks for besides the page, all at once, as it says in `sec-fetch-dest`.
const PARTS: [&str; 19] = [
    "script", "script", "script", "style", "style", "image", "image", "image", "image", "image", "image",
    "font", "font", "empty", "empty", "empty", "iframe", "manifest", "worker",
];

fn counted(result: &str) -> String {
    format!("wasmcustom.split=.=stock;.;result=.={result};.;narrows_split_anonymous_ids_total")
}

fn request(destination: &str) -> Request {
    Request::get(AUTHORITY, "/books")
        .header("x-forwarded-proto", "https")
        .header("sec-fetch-dest", destination)
}

fn clients(envoy: &Envoy) -> anyhow::Result<Vec<Client>> {
    (0..4).map(|_| Client::connect(Protocol::Http1, envoy.listener("http")?)).collect()
}

/// What a browser keeps.
#[derive(Default)]
struct Jar {
    id: Option<String>,
    given: usize,
}

impl Jar {
    /// Asks for something; returns which application answered.
    fn ask(&mut self, client: &mut Client, destination: &str) -> anyhow::Result<String> {
        let request = match &self.id {
            Some(id) => request(destination).header("cookie", format!("theme=dark; {COOKIE}={id}")),
            None => request(destination),
        };
        let answer = client.exchange(&request)?;
        self.keep(&answer)?;
        app(&answer)
    }

    fn keep(&mut self, answer: &Response) -> anyhow::Result<()> {
        for line in answer.headers.all("set-cookie") {
            let line = std::str::from_utf8(line)?;
            let (pair, attributes) = line.split_once("; ").expect("it has attributes");
            assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax");
            let (name, id) = pair.split_once('=').expect("it has a value");
            assert_eq!(name, COOKIE);
            self.id = Some(id.to_owned());
            self.given += 1;
        }
        Ok(())
    }

    fn bucket(&self) -> u32 {
        bucket(b"stock", self.id.as_ref().expect("it got one").as_bytes())
    }
}

#[test]
fn a_thousand_browsers_keep_one_id_each() -> anyhow::Result<()> {
    let books = Books::new()?;
    let directory = TempDir::new("anonymous")?;
    let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/books.canary-split")?;
    let module = module()?;
    let config = |weight: u32| {
        let policy = policy(weight, &json!({ "anonymousId": {} }));
        wasm_config("canary-split", &module, &policy.to_string(), None, "FAIL_RELOAD")
    };
    ecds.push(&config(10))?;
    let envoy = books.sidecar(ecds.filter_entry(&[WASM]), &routes(&allow_any()))?;
    let mut jars: Vec<Jar> = (0..1000).map(|_| Jar::default()).collect();
    let mut clients = clients(&envoy)?;
    for (number, jar) in jars.iter_mut().enumerate() {
        // None of the first requests has a cookie: the browser sends them before it has an answer.
        let mut page = Jar::default();
        page.ask(&mut clients[number % 4], "document")?;
        for (at, part) in PARTS.iter().enumerate() {
            let mut first = Jar::default();
            first.ask(&mut clients[(number + at) % 4], part)?;
            assert_eq!(first.given, 0, "{part}");
        }
        *jar = page;
    }
    let mut before: BTreeSet<usize> = BTreeSet::new();
    let mut last = 0;
    for weight in [10, 20, 5, 50] {
        if last > 0 {
            anyhow::ensure!(ecds.push_to(&envoy, &config(weight))?, "the weight {weight} was refused");
        }
        let mut canary = BTreeSet::new();
        for (number, jar) in jars.iter_mut().enumerate() {
            let destination = if number % 2 == 0 { "document" } else { "image" };
            if jar.ask(&mut clients[(number + 1) % 4], destination)? == "canary" {
                canary.insert(number);
            }
        }
        let owned = (0..jars.len()).filter(|number| jars[*number].bucket() < weight * 10_000);
        assert_eq!(canary, owned.collect(), "at {weight} percent");
        let (fewer, more) = if weight > last { (&before, &canary) } else { (&canary, &before) };
        assert!(fewer.is_subset(more), "from {last} to {weight}");
        println!("weight {weight}: {} of 1000 on the canary", canary.len());
        (before, last) = (canary, weight);
    }
    assert!(jars.iter().all(|jar| jar.given == 1));
    let ids: BTreeSet<_> = jars.iter().map(|jar| jar.id.clone()).collect();
    assert_eq!(ids.len(), jars.len());
    assert_eq!(envoy.stat(&counted("issued"))?, 1000);
    Ok(())
}

/// A route whose answer says something to caches.
fn said(path: &str, caching: &str) -> Value {
    json!({ "match": { "path": path }, "route": { "cluster": STABLE },
        "response_headers_to_add": [{ "header": { "key": "cache-control", "value": caching } }] })
}

/// The cookie and `cache-control` of the answer to a page.
fn page(envoy: &Envoy, request: &Request) -> anyhow::Result<(bool, String)> {
    let answer = Client::connect(Protocol::Http1, envoy.listener("http")?)?.exchange(request)?;
    let mut jar = Jar::default();
    jar.keep(&answer)?;
    Ok((jar.given > 0, answer.headers.text("cache-control").unwrap_or_default()))
}

#[test]
fn no_answer_that_a_cache_keeps_has_a_cookie() -> anyhow::Result<()> {
    let books = Books::new()?;
    let mut routes = routes(&allow_any());
    let own = routes["virtual_hosts"][0]["routes"].as_array_mut().expect("routes");
    own.insert(0, said("/public", "public, max-age=60"));
    own.insert(0, said("/private", "private, max-age=60"));
    own.insert(0, json!({ "match": { "path": "/kept" }, "direct_response": { "status": 304 } }));
    let to = |path: &str| {
        let to = Request::get(AUTHORITY, path).header("sec-fetch-dest", "document");
        to.header("x-forwarded-proto", "https")
    };
    let by = |method: &str| Request::new(method, AUTHORITY, "/books").header("x-forwarded-proto", "https");
    for (cacheable, public) in
        [("skip", (false, "public, max-age=60")), ("private", (true, "private, max-age=60"))]
    {
        // Whom the id sends to the canary at once would find other routes there.
        let policy = policy(0, &json!({ "anonymousId": { "cacheable": cacheable } }));
        let envoy = books.sidecar(filter(&policy)?, &routes)?;
        assert_eq!(page(&envoy, &to("/public"))?, (public.0, public.1.to_owned()), "{cacheable}");
        assert_eq!(page(&envoy, &to("/private"))?, (true, "private, max-age=60".to_owned()));
        assert_eq!(page(&envoy, &to("/books"))?, (true, String::new()));
        assert_eq!(page(&envoy, &to("/kept"))?, (false, String::new()));
        for method in ["OPTIONS", "HEAD", "POST"] {
            let asked = by(method).header("sec-fetch-dest", "document");
            assert_eq!(page(&envoy, &asked)?, (false, String::new()), "{method}");
        }
        let plain = Request::get(AUTHORITY, "/books").header("sec-fetch-dest", "document");
        assert_eq!(page(&envoy, &plain.header("x-forwarded-proto", "http"))?, (false, String::new()));
        assert_eq!(envoy.stat(&counted("insecure"))?, 1);
        let withheld = if cacheable == "skip" { 2 } else { 1 };
        assert_eq!(envoy.stat(&counted("cacheable"))?, withheld);
    }
    Ok(())
}
