//! Does a path that an expression rewrites become what Envoy's own `regex_rewrite` makes of it?
//!
//! Every path is rewritten twice on the same listener: by a rule of header-router and by a route of
//! Envoy's with the same expression and substitution. Some are fixed, some are those of public
//! configurations, and most are generated.

use narrows_cases::bytes;
use narrows_harness::client::{Client, Protocol};
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::{Bench, entry};
use serde_json::{Value, json};

use super::expressions::{compiles, generated, public};

/// Expressions that are settled late, have several ways, prefer less, or find nothing.
const FIXED: [(&str, &str); 16] = [
    ("/v[0-9]+(/.*/legacy)?", "/x"),
    ("a.*z|a", "b"),
    ("^/v([0-9]+)/(.*)$", r"/\2/v\1"),
    ("/+$", "/"),
    ("/+", "/"),
    ("(a|ab)(c|bcd)?", r"<\1,\2>"),
    ("(a*?)(b*)", r"[\2\1]"),
    ("x*", "-"),
    ("(?:a|b)+?", "."),
    (r"\b(v\d)\b", r"{\1}"),
    ("a{2,3}", r"\0\0"),
    ("(a)|(b)", r"\2\1"),
    (r"/[^/]*$", ""),
    ("(/)(?:v1|a)?", r"\1"),
    ("(?i)A", r"\\"),
    ("$", "/end"),
];
const GENERATED: u32 = 240;
const EACH_FIXED: usize = 40;
const EACH: usize = 16;

const PIECES: [&str; 14] =
    ["/", "a", "b", "ab", "abcd", "/v1", "/v22", "/legacy", "z", "//", "aaaa", "%41", "v1", "c"];

/// An expression, what takes the place of its matches, and how it is known on the wire.
#[derive(Clone)]
struct Rewrite {
    number: usize,
    regex: String,
    replace: String,
}

impl Rewrite {
    fn rule(&self) -> Value {
        json!({ "name": format!("r{}", self.number),
            "matches": [{ "headers": { "x-by": { "exact": self.by("filter") } } }],
            "rewrite": { "path": { "regex": { "match": self.regex, "replace": self.replace } } } })
    }

    fn route(&self) -> Value {
        let is_ours = json!([{ "name": "x-by", "string_match": { "exact": self.by("envoy") } }]);
        json!({ "match": { "prefix": "/", "headers": is_ours }, "route": { "cluster": "echo",
            "regex_rewrite": { "pattern": { "regex": self.regex }, "substitution": self.replace } } })
    }

    fn by(&self, who: &str) -> String {
        format!("{who}-{}", self.number)
    }
}

fn policy(rewrites: &[Rewrite]) -> String {
    json!({ "rules": rewrites.iter().map(Rewrite::rule).collect::<Vec<_>>() }).to_string()
}

/// As many policies as it takes for all expressions to be cheap enough.
fn policies(rewrites: &[Rewrite], all: &mut Vec<String>) {
    let one = policy(rewrites);
    if rewrites.len() == 1 || compiles(&one).is_ok() {
        all.push(one);
        return;
    }
    let (some, rest) = rewrites.split_at(rewrites.len() / 2);
    policies(some, all);
    policies(rest, all);
}

/// What takes the place of a match: texts, groups that the expression has, and all of the match.
fn replacement(random: &mut Random, regex: &str) -> String {
    let groups = (0..=9).rev().find(|n| {
        let replace = format!(r"\{n}");
        compiles(&policy(&[Rewrite { number: 0, regex: regex.to_owned(), replace }])).is_ok()
    });
    let piece = |random: &mut Random| match random.below(5) {
        0 => random.pick(&["/", "b", "-", "é", "", "%2F"]).to_owned(),
        1 => r"\\".to_owned(),
        _ => format!(r"\{}", random.below(groups.unwrap_or_default() + 1)),
    };
    (0..random.below(4)).map(|_| piece(random)).collect()
}

/// A path that the expression finds something in, or nearly so, or nothing.
fn path(random: &mut Random, regex: &str) -> String {
    let mut text = String::from_utf8_lossy(&generated::value(random, regex)).into_owned();
    if random.once_in(3) {
        text += &String::from_utf8_lossy(&generated::value(random, regex));
    }
    text.retain(|c| !c.is_control() && !" ?#".contains(c));
    if text.starts_with('/') { text } else { format!("/{text}") }
}

fn start(rewrites: &[Rewrite]) -> anyhow::Result<Bench> {
    let mut all = Vec::new();
    policies(rewrites, &mut all);
    let rest = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let routes: Vec<_> = rewrites.iter().map(Rewrite::route).chain([rest]).collect();
    let filters = all.iter().map(|policy| entry("header-router", policy)).collect();
    // As Istio sets it.
    let size = json!({ "re2.max_program_size.error_level": 32768 });
    let layers = json!({ "layers": [{ "name": "flags", "static_layer": size }] });
    Bench::with(filters).named("rewriting").routes(&routes).bootstrap("layered_runtime", layers).start()
}

/// What arrives when a path is sent to one of the two; `None` where Envoy does not take the path.
fn arrives(bench: &Bench, client: &mut Client, by: String, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let status = client.exchange(&Request::get("shop", &format!("{path}?q=a")).header("x-by", by))?.status;
    anyhow::ensure!(status == 200 || status == 400, "{path}: {status}");
    if status == 400 {
        // Envoy closes the connection.
        *client = bench.client(Protocol::Http1)?;
        return Ok(None);
    }
    let last = bench.echo.last().ok_or_else(|| anyhow::anyhow!("nothing arrived"))?;
    Ok(Some(bytes::unescape(&last.target)))
}

/// Sends each path both ways: how many were compared, and how many were changed.
fn compare(
    rewrites: &[Rewrite],
    paths: &mut dyn FnMut(&Rewrite) -> Vec<String>,
) -> anyhow::Result<(usize, usize)> {
    let bench = start(rewrites)?;
    let mut client = bench.client(Protocol::Http1)?;
    let (mut compared, mut changed) = (0, 0);
    for rewrite in rewrites {
        for path in paths(rewrite) {
            let ours = arrives(&bench, &mut client, rewrite.by("filter"), &path)?;
            let theirs = arrives(&bench, &mut client, rewrite.by("envoy"), &path)?;
            // Envoy writes what is no path too; the filter leaves the path then.
            let untouched = format!("{path}?q=a").into_bytes();
            let expected =
                theirs.map(|target| if target.starts_with(b"/") { target } else { untouched.clone() });
            compared += usize::from(ours.is_some());
            changed += usize::from(ours.as_ref().is_some_and(|target| *target != untouched));
            let Rewrite { regex, replace, .. } = rewrite;
            let [ours, expected] = [ours, expected].map(|target| target.map(|bytes| bytes::escape(&bytes)));
            anyhow::ensure!(ours == expected, "{regex} -> {replace} in {path}: {ours:?}, not {expected:?}");
        }
    }
    Ok((compared, changed))
}

fn numbered(all: impl IntoIterator<Item = (String, String)>) -> Vec<Rewrite> {
    let with = |(number, (regex, replace))| Rewrite { number, regex, replace };
    all.into_iter().enumerate().map(with).collect()
}

#[test]
fn expressions_rewrite_as_envoys_own_do() -> anyhow::Result<()> {
    let mut random = Random::new(7);
    let fixed = numbered(FIXED.map(|(regex, replace)| (regex.to_owned(), replace.to_owned())));
    let mut paths = |_: &Rewrite| {
        let mut pieces = || (0..random.below(9)).map(|_| random.pick(&PIECES)).collect::<String>();
        (0..EACH_FIXED).map(|_| format!("/{}", pieces())).collect()
    };
    let (compared, changed) = compare(&fixed, &mut paths)?;
    assert!(compared == FIXED.len() * EACH_FIXED && changed > 200, "{changed} of {compared}");
    Ok(())
}

#[test]
fn generated_expressions_rewrite_as_envoys_own_do() -> anyhow::Result<()> {
    let mut random = Random::new(11);
    let mut texts = public();
    texts.extend((0..GENERATED).map(|number| generated::expression(&mut random, number % 5)));
    let pairs = texts.into_iter().map(|regex| {
        let replace = replacement(&mut random, &regex);
        (regex, replace)
    });
    let alone = |(regex, replace): &(String, String)| {
        let one = Rewrite { number: 0, regex: regex.clone(), replace: replace.clone() };
        !regex.is_empty() && compiles(&policy(&[one])).is_ok()
    };
    let rewrites = numbered(pairs.filter(alone).collect::<Vec<_>>());
    assert!(rewrites.len() > 450, "{}", rewrites.len());
    let mut random = Random::new(13);
    let mut paths = |rewrite: &Rewrite| (0..EACH).map(|_| path(&mut random, &rewrite.regex)).collect();
    let (compared, changed) = compare(&rewrites, &mut paths)?;
    println!("{} expressions, {compared} paths, {changed} changed", rewrites.len());
    assert!(compared > 5000 && changed > compared / 5, "{changed} of {compared}");
    Ok(())
}
