//! Does a redirect lead where Envoy's own leads?

use narrows_harness::client::Protocol;
use narrows_harness::message::{Request, Response};
use narrows_oracle::Random;
use narrows_tests::Bench;
use serde_json::{Value, json};

const REDIRECTS: usize = 60;
const REQUESTS: usize = 20;

/// What a redirect changes.
#[derive(Debug)]
struct Redirect {
    number: usize,
    https: bool,
    host: Option<&'static str>,
    port: Option<u16>,
    path: Option<Path>,
    drops_query: bool,
    status: u16,
}

#[derive(Debug)]
enum Path {
    Full(&'static str),
    Prefix(&'static str),
    Regex(&'static str, &'static str),
}

/// The prefix that every redirect matches.
const FROM: &str = "/docs";

impl Redirect {
    fn generate(random: &mut Random, number: usize) -> Self {
        let path = match number % 4 {
            0 => None,
            1 => Some(Path::Full(random.pick(&["/help", "/", "/a/b", "/docs/x"]))),
            2 => Some(Path::Prefix(random.pick(&["/help", "/", "/a/b", "/docs"]))),
            _ => Some(random.pick(&[("^/docs/([a-z]+)", r"/\1"), ("/+", "/"), ("x", "")]))
                .map(|(regex, with)| Path::Regex(regex, with)),
        };
        let one = Self {
            number,
            https: random.once_in(3),
            host: random.once_in(3).then_some("www.example.com"),
            port: random.once_in(3).then(|| random.pick(&[8443, 80, 443, 8080])),
            drops_query: random.once_in(3),
            status: random.pick(&[301, 302, 303, 307, 308]),
            path,
        };
        let changes = one.https || one.host.is_some() || one.port.is_some() || one.path.is_some();
        Self { https: one.https || !changes, ..one }
    }

    fn rule(&self) -> Value {
        let mut redirect = json!({ "status": self.status });
        if self.https {
            redirect["scheme"] = json!("https");
        }
        if let Some(host) = self.host {
            redirect["authority"] = json!(host);
        }
        if let Some(port) = self.port {
            redirect["port"] = json!(port);
        }
        if self.drops_query {
            redirect["query"] = json!("drop");
        }
        match self.path {
            None => {}
            Some(Path::Full(to)) => redirect["path"] = json!({ "replaceFull": to }),
            Some(Path::Prefix(to)) => redirect["path"] = json!({ "replacePrefix": { "to": to } }),
            Some(Path::Regex(regex, with)) => {
                redirect["path"] = json!({ "regex": { "match": regex, "replace": with } });
            }
        }
        json!({ "name": format!("r{}", self.number), "redirect": redirect,
            "matches": [{ "path": { "pathPrefix": FROM, "ignoreCase": true },
                          "headers": { "x-by": { "exact": format!("filter-{}", self.number) } } }] })
    }

    fn route(&self) -> Value {
        let code = match self.status {
            301 => "MOVED_PERMANENTLY",
            302 => "FOUND",
            303 => "SEE_OTHER",
            307 => "TEMPORARY_REDIRECT",
            _ => "PERMANENT_REDIRECT",
        };
        let mut redirect = json!({ "response_code": code, "strip_query": self.drops_query });
        if self.https {
            redirect["https_redirect"] = json!(true);
        }
        if let Some(host) = self.host {
            redirect["host_redirect"] = json!(host);
        }
        if let Some(port) = self.port {
            redirect["port_redirect"] = json!(port);
        }
        match self.path {
            None => {}
            Some(Path::Full(to)) => redirect["path_redirect"] = json!(to),
            Some(Path::Prefix(to)) => redirect["prefix_rewrite"] = json!(to),
            Some(Path::Regex(regex, with)) => {
                redirect["regex_rewrite"] = json!({ "pattern": { "regex": regex }, "substitution": with });
            }
        }
        json!({ "match": { "path_separated_prefix": FROM, "case_sensitive": false,
                           "headers": [{ "name": "x-by", "string_match": { "exact": format!("envoy-{}", self.number) } }] },
                "redirect": redirect })
    }

    /// Where the filter leads according to its README, if Envoy's own leads there.
    fn expected(&self, theirs: &str, authority: &str) -> String {
        let (scheme, rest) = theirs.split_once("://").unwrap();
        let (named, target) = rest.split_at(rest.find('/').unwrap());
        let (host, port) = match named.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (named, None),
        };
        // The port that a caller wrote belongs to the scheme by which it called; the port that
        // a scheme has anyway is left out.
        let is_callers = self.port.is_none() && self.host.is_none();
        let is_default =
            self.port.is_some() && matches!((scheme, port), ("http", Some("80")) | ("https", Some("443")));
        let port = port.filter(|_| !(is_default || is_callers && self.https));
        let host = if is_callers && !self.https { host.to_owned() } else { host.to_ascii_lowercase() };
        let authority = match port {
            _ if is_callers && !self.https => authority.to_owned(),
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        // Two slashes that meet are one.
        let is_root = matches!(self.path, Some(Path::Prefix("/")));
        let target = if is_root { target.replacen("//", "/", 1) } else { target.to_owned() };
        format!("{scheme}://{authority}{target}")
    }
}

#[test]
fn a_redirect_leads_where_envoys_own_does() -> anyhow::Result<()> {
    let mut random = Random::new(15);
    let redirects: Vec<Redirect> =
        (0..REDIRECTS).map(|number| Redirect::generate(&mut random, number)).collect();
    let policy = json!({ "rules": redirects.iter().map(Redirect::rule).collect::<Vec<_>>() }).to_string();
    let rest = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let routes: Vec<_> = redirects.iter().map(Redirect::route).chain([rest]).collect();
    let bench = Bench::of(&[("header-router", &policy)]).named("redirects").routes(&routes).start()?;
    let mut client = bench.client(Protocol::Http1)?;
    let hosts =
        ["shop", "shop:80", "shop:8080", "shop:443", "Shop.Example.com", "[::1]:8080", "[::1]", "shop:8443"];
    let targets = [
        "/docs",
        "/docs/",
        "/docs/x",
        "/DOCS/x?a=b",
        "/docs?",
        "/docs/a//b?c=/docs",
        "/docs/help?x",
        "/docs//x",
    ];
    let (mut same, mut passed) = (0, 0);
    for redirect in &redirects {
        for _ in 0..REQUESTS {
            let (authority, target) = (random.pick(&hosts), random.pick(&targets));
            let mut ask = |who: &str| -> anyhow::Result<Response> {
                let by = format!("{who}-{}", redirect.number);
                client.exchange(&Request::get(authority, target).header("x-by", by))
            };
            let (ours, theirs) = (ask("filter")?, ask("envoy")?);
            let shown = format!("{redirect:?} of {authority}{target}");
            let native = theirs.headers.text("location").expect(&shown);
            let expected = redirect.expected(&native, authority);
            if expected == format!("http://{authority}{target}") {
                // It would lead back to the request itself.
                assert_eq!(ours.status, 200, "{shown}: {native}");
                passed += 1;
                continue;
            }
            assert_eq!(ours.status, theirs.status, "{shown}");
            assert_eq!(ours.headers.text("location").as_deref(), Some(&*expected), "{shown}: {native}");
            same += usize::from(expected == native);
        }
    }
    println!("{} compared, {same} the same, {passed} would lead back", REDIRECTS * REQUESTS);
    assert!(same > REDIRECTS * REQUESTS / 2 && passed > 20);
    Ok(())
}
