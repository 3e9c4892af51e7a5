//! Does a path whose start is replaced become what Envoy's own `prefix_rewrite` makes of it?

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::Bench;
use serde_json::{Value, json};

const REWRITES: usize = 40;
const REQUESTS: usize = 30;

/// A start of paths, and what takes its place.
#[derive(Debug)]
struct Rewrite {
    number: usize,
    is_whole: bool,
    ignores_case: bool,
    from: &'static str,
    to: &'static str,
}

const WHOLE: [&str; 7] = ["/api", "/API", "/a", "/a/b", "/Service.v1", "/%C3%A4", "/x-y"];
const CHARACTERS: [&str; 9] = ["/", "/api", "/api/", "/A", "/v1.", "/a/b/", "/Service", "/%c3", "/a-"];
/// What the start of a path is followed by.
const RESTS: [&str; 14] =
    ["", "/", "/x", "x", "//x", "/X/api", "?q=/api", "/?", "/a?b=c", "%2Fx", "/a%20b", "y/z", ".5", "/.;v=1"];

impl Rewrite {
    fn generate(random: &mut Random, number: usize) -> Self {
        let is_whole = number.is_multiple_of(2);
        // Whole segments need no slash at their end, here and in Envoy.
        let to = if is_whole {
            random.pick(&["/", "/v2", "/New/place", "/a%20b", "/api"])
        } else {
            random.pick(&["/", "/v2", "/v2/", "/New", "/api/"])
        };
        Self {
            number,
            is_whole,
            ignores_case: number % 4 < 2,
            from: if is_whole { random.pick(&WHOLE) } else { random.pick(&CHARACTERS) },
            to,
        }
    }

    fn rule(&self) -> Value {
        let kind = if self.is_whole { "pathPrefix" } else { "prefix" };
        json!({ "name": format!("r{}", self.number),
            "matches": [{ "path": { kind: self.from, "ignoreCase": self.ignores_case },
                          "headers": { "x-by": { "exact": format!("filter-{}", self.number) } } }],
            "rewrite": { "path": { "replacePrefix": { "to": self.to } } } })
    }

    fn route(&self) -> Value {
        let kind = if self.is_whole { "path_separated_prefix" } else { "prefix" };
        json!({ "match": { kind: self.from, "case_sensitive": !self.ignores_case,
                           "headers": [{ "name": "x-by", "string_match": { "exact": format!("envoy-{}", self.number) } }] },
                "route": { "cluster": "echo", "prefix_rewrite": self.to } })
    }

    /// A path that starts so, or nearly so, or not at all.
    fn target(&self, random: &mut Random) -> String {
        let mut start = if random.once_in(6) { random.pick(&CHARACTERS) } else { self.from }.to_owned();
        match random.below(4) {
            0 => start.make_ascii_uppercase(),
            1 => start.make_ascii_lowercase(),
            _ => {}
        }
        let target = start + random.pick(&RESTS);
        // A connection manager that joins slashes is not the point here.
        if target.starts_with("//") { target.replacen("//", "/", 1) } else { target }
    }

    /// What the filter makes of a target that Envoy rewrites: two slashes that meet are one.
    fn joined(&self, sent: &str) -> String {
        let rest = &sent[self.from.len()..];
        let to = if rest.starts_with('/') { self.to.strip_suffix('/').unwrap_or(self.to) } else { self.to };
        format!("{to}{rest}")
    }
}

#[test]
fn a_prefix_is_replaced_as_envoys_own_does() -> anyhow::Result<()> {
    let mut random = Random::new(15);
    let rewrites: Vec<Rewrite> = (0..REWRITES).map(|number| Rewrite::generate(&mut random, number)).collect();
    let policy = json!({ "rules": rewrites.iter().map(Rewrite::rule).collect::<Vec<_>>() }).to_string();
    let rest = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let routes: Vec<_> = rewrites.iter().map(Rewrite::route).chain([rest]).collect();
    let bench = Bench::of(&[("header-router", &policy)]).named("prefixes").routes(&routes).start()?;
    let mut client = bench.client(Protocol::Http1)?;
    let (mut rewritten, mut joined, mut in_another_case) = (0, 0, 0);
    for rewrite in &rewrites {
        for _ in 0..REQUESTS {
            let sent = rewrite.target(&mut random);
            let mut seen = |who: &str| -> anyhow::Result<(String, Option<String>)> {
                let request = Request::get("shop", &sent).header("x-by", format!("{who}-{}", rewrite.number));
                let status = client.exchange(&request)?.status;
                anyhow::ensure!(status == 200, "{who} {rewrite:?} {sent}: {status}");
                let last = bench.echo.last().ok_or_else(|| anyhow::anyhow!("nothing arrived"))?;
                Ok((last.target, last.headers.text("x-envoy-original-path")))
            };
            let (ours, theirs) = (seen("filter")?, seen("envoy")?);
            // Envoy writes the header even if the path stays the same.
            let expected = match &theirs {
                (_, None) => (theirs.0.clone(), None),
                (_, Some(_)) if rewrite.joined(&sent) == sent => (sent.clone(), None),
                (_, original) => (rewrite.joined(&sent), original.clone()),
            };
            assert_eq!(ours, expected, "{rewrite:?} of {sent}");
            rewritten += usize::from(ours.1.is_some());
            joined += usize::from(ours.0 != theirs.0);
            in_another_case += usize::from(ours.1.is_some() && !sent.starts_with(rewrite.from));
        }
    }
    let compared = REWRITES * REQUESTS;
    println!(
        "{compared} compared, {rewritten} rewritten, {joined} with slashes that met, {in_another_case} in another case"
    );
    assert!(rewritten > compared / 3 && rewritten < compared * 9 / 10 && joined > 10 && in_another_case > 20);
    Ok(())
}

/// Where nothing is rewritten, Envoy decides whether a client's `x-envoy-original-path` arrives: it takes it
/// from requests that come from outside. The filter changes nothing about that.
#[test]
fn the_original_path_of_a_client_is_envoys_affair() -> anyhow::Result<()> {
    let policy = r#"{ "rules": [{ "name": "r", "matches": [{ "path": { "exact": "/r" } }],
        "rewrite": { "path": { "replaceFull": "/s" } } }] }"#;
    for filters in [vec![], vec![("header-router", policy)]] {
        let edge = Bench::of(&filters).named("original").hcm("use_remote_address", json!(true)).start()?;
        let inside = Bench::of(&filters).named("original").start()?;
        let arrives = |bench: &Bench, target: &str| -> anyhow::Result<Option<String>> {
            let request = Request::get("shop", target)
                .header("x-forwarded-for", "8.8.8.8")
                .header("x-envoy-original-path", "/forged");
            bench.client(Protocol::Http1)?.exchange(&request)?;
            Ok(bench.echo.last().and_then(|last| last.headers.text("x-envoy-original-path")))
        };
        assert_eq!(arrives(&edge, "/")?, None);
        assert_eq!(arrives(&inside, "/")?.as_deref(), Some("/forged"));
        let rewritten = if filters.is_empty() { "/forged" } else { "/r" };
        assert_eq!(arrives(&inside, "/r")?.as_deref(), Some(rewritten));
    }
    Ok(())
}
