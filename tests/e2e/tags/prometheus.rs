//! A real Prometheus scrapes a real Envoy and answers the README's questions; its own parser
//! reads what hostile values have become.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use narrows_harness::envoy::Envoy;
use narrows_harness::http1::Connection;
use narrows_harness::prometheus::Server;
use serde_json::{Value, json};

use super::{send, settle, start, stats_tags};
use narrows_tests::tags::{policies, readme};

#[test]
fn it_answers_the_questions_of_the_readme() -> anyhow::Result<()> {
    let (policies, questions) = (policies(), readme("promql"));
    assert_eq!((policies.len(), questions.len()), (3, 2), "the third policy has no questions");
    let answers: [fn(&Envoy, &Prometheus, &[&str]) -> anyhow::Result<()>; 2] = [rates, tenants];
    let totals = [&["requests_total", "request_duration_milliseconds_count"][..], &["tenant_requests_total"]];
    for (((policy, questions), check), totals) in policies.iter().zip(questions).zip(answers).zip(totals) {
        let (envoy, mut client) = start(policy, &stats_tags(policy))?;
        // It sees all of the first round at once, and then all of the second: a rate is
        // exactly what lies between.
        drive(&mut client)?;
        settle(&envoy, totals[0], 220.0)?;
        let prometheus = Prometheus::start(envoy.admin())?;
        for round in ["220", "440"] {
            for total in totals {
                prometheus.ask(&format!("sum({total}) == {round}"))?;
            }
            if round == "220" {
                drive(&mut client)?;
            }
        }
        check(&envoy, &prometheus, &questions.lines().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// By operation 215 and 5 in each round; the latter failed.
fn rates(envoy: &Envoy, prometheus: &Prometheus, questions: &[&str]) -> anyhow::Result<()> {
    let [by_operation, failed, slow] = questions else { anyhow::bail!("{questions:?}") };
    let rate = prometheus.ask(by_operation)?;
    let operations: Vec<&str> = rate.iter().map(|(metric, _)| text(metric, "operation")).collect();
    assert_eq!(operations, ["/books/{id}", "unmatched", ""], "the last is the overflow's");
    assert_eq!(rate[2].1, 0.0);
    assert!((rate[0].1 / rate[1].1 - 43.0).abs() < 1e-6, "{rate:?}");
    let failed = prometheus.ask(failed)?;
    assert!((failed[0].1 - 5.0 / 220.0).abs() < 1e-9, "{failed:?}");
    // At most the first bound below which all of an operation's requests are.
    let samples = envoy.prometheus()?;
    for (metric, quantile) in
        prometheus.ask(slow)?.iter().filter(|(metric, _)| !metric["operation"].is_null())
    {
        let own = [("operation", text(metric, "operation"))];
        let count = samples.iter().find(|s| s.is("request_duration_milliseconds_count", &own));
        let count = count.map(|s| s.value);
        let full = samples
            .iter()
            .filter(|s| s.is("request_duration_milliseconds_bucket", &own) && Some(s.value) == count)
            .filter_map(|s| s.labels["le"].parse::<f64>().ok())
            .fold(f64::INFINITY, f64::min);
        assert!(*quantile > 0.0 && *quantile <= full, "{metric}: {quantile}, all below {full}");
    }
    Ok(())
}

/// A tenant by name, those without one, and more than have a name: 11 in each round.
fn tenants(_: &Envoy, prometheus: &Prometheus, questions: &[&str]) -> anyhow::Result<()> {
    let [top, share, series] = questions else { anyhow::bail!("{questions:?}") };
    let top = prometheus.ask(top)?;
    let named = |tenant: &str| top.iter().find(|(m, _)| text(m, "tenant") == tenant).map(|(_, value)| *value);
    assert_eq!([named("other"), named("acme"), named("none")], [Some(22.0), Some(10.0), Some(10.0)]);
    assert_eq!(top.len(), 10);
    assert_eq!(top.iter().filter(|(_, value)| *value == 2.0).count(), 7, "{top:?}");
    let share = prometheus.ask(share)?;
    assert!((share[0].1 - 22.0 / 440.0).abs() < 1e-9, "{share:?}");
    // 200 tenants, none and other: in the counter and the gauge, for no answer had a body.
    assert_eq!(prometheus.ask(series)?[0].1, 2.0 * 202.0 + 3.0);
    Ok(())
}

const HOSTILE: &str = r#"{ "trust": "mesh",
    "tags": { "tenant": { "header": "x-tenant" }, "lang": { "queryParam": "lang" } },
    "metrics": [ { "name": "hostile_total", "tags": [ "tenant", "lang" ] } ] }"#;

#[test]
fn its_parser_takes_hostile_values() -> anyhow::Result<()> {
    let (envoy, mut client) = start(HOSTILE, &stats_tags(HOSTILE))?;
    // As sent, and as shown. A header cannot hold a line end; a parameter can.
    let headers: [(&[u8], &str); 9] = [
        (b"\"", "_"),
        (b"\\n", "_n"),
        (b"\\\"} 1", "__} 1"),
        (b"a;.;b=.=c;.;", "a_._b_._c_._"),
        (b"\xff\xfe\x80", "___"),
        (b"{a=\"b\"} 2", "{a__b_} 2"),
        (b"# HELP x", "# HELP x"),
        (b"%0a", "%0a"),
        (b"a\tb", "a_b"),
    ];
    let parameters = [
        ("a%0Ab", "a_b"),
        ("%0D%0Ahostile_total%201", "__hostile_total 1"),
        ("%22%5C%0A", "___"),
        ("%5C%5C%22%7D%201%0A%23%20EOF", "___} 1_# EOF"),
        ("%00%7F%C3%A4", "____"),
    ];
    let mut expected = BTreeSet::new();
    for (value, shown) in headers {
        send(&mut client, "/", &[("x-tenant", value)])?;
        expected.insert((shown.to_owned(), "unknown".to_owned()));
    }
    for (value, shown) in parameters {
        send(&mut client, &format!("/?lang={value}"), &[])?;
        expected.insert(("unknown".to_owned(), shown.to_owned()));
    }
    settle(&envoy, "hostile_total", 14.0)?;
    // What concerns this filter: Envoy's own series have names that the linter dislikes.
    let page = envoy.admin_get("/stats/prometheus")?;
    let ours = |line: &&str| line.contains("hostile_") || line.contains("narrows_");
    let ours: String = page.lines().filter(ours).map(|line| format!("{line}\n")).collect();
    check(&ours)?;
    // Nothing of a value has become a line, or a name, of its own.
    let lines = ours.lines().filter(|line| line.starts_with("hostile_total{"));
    assert_eq!(lines.count(), expected.len() + 1, "{ours}");
    let prometheus = Prometheus::start(envoy.admin())?;
    let answer = prometheus.ask("hostile_total > 0")?;
    let shown: BTreeSet<_> = answer
        .iter()
        .map(|(metric, _)| (text(metric, "tenant").to_owned(), text(metric, "lang").to_owned()))
        .collect();
    assert_eq!(shown, expected);
    Ok(())
}

fn text<'m>(metric: &'m Value, label: &str) -> &'m str {
    metric[label].as_str().unwrap_or_default()
}

/// Lets `promtool check metrics` read a page; fails where it cannot.
fn check(page: &str) -> anyhow::Result<String> {
    let mut tool = Command::new(installed("promtool")?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    tool.stdin.take().expect("a pipe").write_all(page.as_bytes())?;
    let output = tool.wait_with_output()?;
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    // 3 means advice on names and HELP lines; 1 that it could not read the page.
    let read = output.status.success() || output.status.code() == Some(3);
    anyhow::ensure!(read && !said.contains("error while linting"), "{}: {said}\n{page}", output.status);
    Ok(said)
}

fn drive(client: &mut Connection) -> anyhow::Result<()> {
    for _ in 0..5 {
        send(client, "/books/1", &[("x-tenant", b"acme")])?;
        send(client, "/fail", &[])?;
    }
    // More tenants than have a name.
    for number in 0..210 {
        send(client, "/books/1", &[("x-tenant", format!("t{number}").as_bytes())])?;
    }
    Ok(())
}

/// A Prometheus that scrapes one Envoy.
struct Prometheus(Server);

impl Prometheus {
    fn start(target: SocketAddr) -> anyhow::Result<Self> {
        Server::start([("envoy", target)]).map(Self)
    }

    /// Asks until there is an answer that is not empty: labels and value of each series, by the
    /// labels.
    fn ask(&self, question: &str) -> anyhow::Result<Vec<(Value, f64)>> {
        let answer = self.0.wait_for(question, |samples| !samples.is_empty())?;
        let mut series: Vec<_> = answer.iter().map(|one| (json!(one.labels), one.value)).collect();
        series.sort_by_key(|(metric, _)| metric.to_string());
        Ok(series)
    }
}

/// A tool of Debian's package. Without it there is nothing to prove, and that is a failure.
fn installed(tool: &str) -> anyhow::Result<String> {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    anyhow::ensure!(
        found.is_ok_and(|status| status.success()),
        "there is no {tool}: install Debian's package with `apt-get install --no-install-recommends prometheus`"
    );
    Ok(tool.to_owned())
}
