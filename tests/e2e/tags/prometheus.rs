//! A real Prometheus scrapes a real Envoy and answers the README's questions; its own parser
//! reads what hostile values have become.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use narrows_testkit::http1::{self, Connection};
use narrows_testkit::message::Request;
use narrows_testkit::process::Process;
use narrows_testkit::temp::TempDir;
use narrows_testkit::wait;
use serde_json::Value;

use super::{policies, readme, send, settle, start, stats_tags};

#[test]
fn it_answers_the_questions_of_the_readme() -> anyhow::Result<()> {
    let mut asked = 0;
    for (policy, questions) in policies().iter().zip(readme("promql")) {
        let (envoy, mut client) = start(policy, &stats_tags(policy))?;
        let prometheus = Prometheus::start(envoy.admin())?;
        // A rate needs two scrapes with something in between.
        drive(&mut client)?;
        prometheus.wait_for("count(up == 1)")?;
        std::thread::sleep(Duration::from_millis(1500));
        drive(&mut client)?;
        std::thread::sleep(Duration::from_millis(1500));
        for question in questions.lines() {
            let answer = prometheus.wait_for(question)?;
            println!("{question}\n  {answer}");
            asked += 1;
            if question.starts_with("sum by (operation)") {
                let operations = labels(&answer, "operation");
                assert!(operations.contains(&"/books/{id}".to_owned()), "{operations:?}");
            }
            if question.starts_with("topk(10") {
                let tenants = labels(&answer, "tenant");
                assert!(
                    tenants.contains(&"acme".to_owned()) && tenants.contains(&"none".to_owned()),
                    "{tenants:?}"
                );
            }
        }
    }
    assert_eq!(asked, 6);
    Ok(())
}

#[test]
fn its_parser_takes_hostile_values() -> anyhow::Result<()> {
    let policy = &policies()[1];
    let (envoy, mut client) = start(policy, &stats_tags(policy))?;
    let hostile: [&[u8]; 9] = [
        b"\"",
        b"\\",
        b"\\\"} 1",
        b"a;.;b=.=c;.;",
        b"\xff\xfe\x80",
        b"{a=\"b\"} 2",
        b"# HELP x",
        b"%0a",
        b"a\tb",
    ];
    for value in hostile {
        send(&mut client, "/", &[("x-tenant", value), ("x-plan", value)])?;
    }
    settle(&envoy, "tenant_requests_total", 9.0)?;
    // What concerns this filter: Envoy's own series have names that the linter dislikes.
    let page = envoy.admin_get("/stats/prometheus")?;
    let ours: String = page
        .lines()
        .filter(|line| line.contains("tenant_") || line.contains("narrows_tags"))
        .map(|l| format!("{l}\n"))
        .collect();
    let said = check(&ours)?;
    println!("{ours}{said}");
    Ok(())
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

/// A Prometheus that scrapes one Envoy every half second.
struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _directory: TempDir,
}

impl Prometheus {
    fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let directory = TempDir::new("prometheus")?;
        let config = directory.write(
            "prometheus.yaml",
            format!(
                "global: {{ scrape_interval: 500ms, scrape_timeout: 400ms }}\nscrape_configs:\n- job_name: envoy\n  \
                 metrics_path: /stats/prometheus\n  static_configs: [{{ targets: ['{target}'] }}]\n"
            ),
        )?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(installed("prometheus")?);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--log.level=error", "--storage.tsdb.retention.time=1h"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Process::spawn("prometheus", &mut command)?;
        wait::until("prometheus to be ready", Duration::from_secs(20), || {
            let ready = http1::exchange(address, &Request::get("localhost", "/-/ready"));
            Ok(ready.is_ok_and(|response| response.status == 200).then_some(()))
        })?;
        Ok(Self { address, _process: process, _directory: directory })
    }

    /// Asks until there is an answer that is not empty.
    fn wait_for(&self, question: &str) -> anyhow::Result<Value> {
        wait::until(question, Duration::from_secs(10), || {
            let encoded: String = question.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let target = format!("/api/v1/query?query={encoded}");
            let answer = http1::exchange(self.address, &Request::get("localhost", &target))?.json()?;
            anyhow::ensure!(answer["status"] == "success", "{question}: {answer}");
            let result = &answer["data"]["result"];
            let is_number = |v: &Value| v["value"][1].as_str().is_some_and(|n| n != "NaN");
            let given = result.as_array().is_some_and(|all| all.iter().any(is_number));
            Ok(given.then(|| result.clone()))
        })
    }
}

fn labels(answer: &Value, name: &str) -> Vec<String> {
    let all = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|one| Some(one["metric"][name].as_str()?.to_owned())).collect()
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
