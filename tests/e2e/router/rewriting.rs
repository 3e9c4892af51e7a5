//! Does a path that an expression rewrites become what Envoy's own `regex_rewrite` makes of it?

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_tests::Bench;
use serde_json::json;

/// Expressions that are settled late, have several ways, prefer less, or find nothing.
const EXPRESSIONS: [(&str, &str); 16] = [
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

const PIECES: [&str; 14] =
    ["/", "a", "b", "ab", "abcd", "/v1", "/v22", "/legacy", "z", "//", "aaaa", "%41", "v1", "c"];

#[test]
fn expressions_rewrite_as_envoys_own_do() -> anyhow::Result<()> {
    let by = |who: &str, n: usize| format!("{who}-{n}");
    let rules: Vec<_> = (0..)
        .zip(EXPRESSIONS)
        .map(|(n, (regex, replace))| {
            json!({ "name": by("r", n), "matches": [{ "headers": { "x-by": { "exact": by("filter", n) } } }],
                "rewrite": { "path": { "regex": { "match": regex, "replace": replace } } } })
        })
        .collect();
    let own = (0..).zip(EXPRESSIONS).map(|(n, (regex, substitution))| {
        json!({ "match": { "prefix": "/", "headers": [{ "name": "x-by", "string_match": { "exact": by("envoy", n) } }] },
            "route": { "cluster": "echo", "regex_rewrite": { "pattern": { "regex": regex }, "substitution": substitution } } })
    });
    let rest = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let routes: Vec<_> = own.chain([rest]).collect();
    let policy = json!({ "rules": rules }).to_string();
    let bench = Bench::of(&[("header-router", &policy)]).named("rewriting").routes(&routes).start()?;
    let mut client = bench.client(Protocol::Http1)?;
    let mut state = 7u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap_or_default()
    };
    let (mut compared, mut changed) = (0, 0);
    for (n, expression) in EXPRESSIONS.iter().enumerate() {
        for _ in 0..40 {
            let pieces: String = (0..below(9)).map(|_| PIECES[below(PIECES.len())]).collect();
            let path = format!("/{pieces}");
            let mut seen = |who: &str| -> anyhow::Result<String> {
                let request = Request::get("shop", &format!("{path}?q=a")).header("x-by", by(who, n));
                let status = client.exchange(&request)?.status;
                anyhow::ensure!(status == 200, "{who} {n} {path}: {status}");
                let last = bench.echo.last().ok_or_else(|| anyhow::anyhow!("nothing arrived"))?;
                Ok(last.target)
            };
            let (ours, theirs) = (seen("filter")?, seen("envoy")?);
            compared += 1;
            // Envoy writes what is no path too; the filter leaves the path then.
            let expected = if theirs.starts_with('/') { theirs } else { format!("{path}?q=a") };
            changed += usize::from(expected != format!("{path}?q=a"));
            assert_eq!(ours, expected, "{expression:?} in {path}");
        }
    }
    assert!(compared == 640 && changed > 200, "{changed} of {compared}");
    Ok(())
}
