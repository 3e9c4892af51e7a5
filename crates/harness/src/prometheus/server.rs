//! A real Prometheus that scrapes real Envoys.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Sample;
use crate::http1;
use crate::message::Request;
use crate::process::Process;
use crate::temp::TempDir;
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running Prometheus; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    targets: usize,
    _process: Process,
    _directory: TempDir,
}

impl Server {
    /// Whether a Prometheus is installed. The `prometheus` on the path: Debian's package.
    pub fn is_installed() -> bool {
        let found =
            Command::new("prometheus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    }

    /// Starts one that scrapes `/stats/prometheus` of these admin interfaces, each under
    /// the label `pod_name`, every second, and waits until it is ready.
    pub fn start<'a>(targets: impl IntoIterator<Item = (&'a str, SocketAddr)>) -> anyhow::Result<Self> {
        let directory = TempDir::new("prometheus")?;
        let targets: Vec<String> = targets
            .into_iter()
            .map(|(name, at)| format!("    - {{ targets: ['{at}'], labels: {{ pod_name: '{name}' }} }}\n"))
            .collect();
        let config = directory.write(
            "prometheus.yaml",
            format!(
                "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n\
                 scrape_configs:\n- job_name: envoy\n  metrics_path: /stats/prometheus\n  \
                 static_configs:\n{}",
                targets.concat()
            ),
        )?;
        let log = directory.path().join("log");
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--storage.tsdb.retention.time=1h"])
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let mut process = Process::spawn("prometheus", &mut command)
            .context("install Debian's package: apt-get install --no-install-recommends prometheus")?;
        let address = wait::until("prometheus to listen", PATIENCE, || {
            let text = fs::read_to_string(&log)?;
            ensure!(process.exited()?.is_none(), "prometheus ended:\n{text}");
            Ok(listening(&text))
        })?;
        wait::until("prometheus to be ready", PATIENCE, || {
            let ready = http1::exchange(address, &Request::get("localhost", "/-/ready"));
            Ok(ready.is_ok_and(|response| response.status == 200).then_some(()))
        })?;
        Ok(Self { address, targets: targets.len(), _process: process, _directory: directory })
    }

    /// What a question is answered now, without what is not a number.
    pub fn ask(&self, question: &str) -> anyhow::Result<Vec<Sample>> {
        let encoded: String = question.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let target = format!("/api/v1/query?query={encoded}");
        let answer = http1::exchange(self.address, &Request::get("localhost", &target))?.json()?;
        ensure!(answer["status"] == "success", "{question}: {answer}");
        let result = answer["data"]["result"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(result.iter().filter_map(sample).filter(|sample| !sample.value.is_nan()).collect())
    }

    /// Asks until the answer fits.
    pub fn wait_for(&self, question: &str, fits: impl Fn(&[Sample]) -> bool) -> anyhow::Result<Vec<Sample>> {
        let mut last = Vec::new();
        let answer = wait::until(question, PATIENCE, || {
            last = self.ask(question)?;
            Ok(fits(&last).then(|| last.clone()))
        });
        answer.with_context(|| format!("the last answer was {last:?}"))
    }

    /// Waits until every target has been scraped since now.
    pub fn wait_for_scrape(&self) -> anyhow::Result<()> {
        let now = self.ask("vector(time())")?.first().map_or(0.0, |sample| sample.value);
        // Of anything but a bare series, `timestamp` is the time of the question.
        let question = format!("count(timestamp(up) > {now} and up == 1)");
        #[expect(clippy::cast_precision_loss, reason = "a handful of targets")]
        let all = self.targets as f64;
        self.wait_for(&question, |answer| answer.first().is_some_and(|sample| sample.value == all))?;
        Ok(())
    }
}

fn sample(result: &Value) -> Option<Sample> {
    let labels = result["metric"].as_object()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut labels: BTreeMap<String, String> =
        labels.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let name = labels.remove("__name__").unwrap_or_default();
    Some(Sample { name, labels, value: result["value"][1].as_str()?.parse().ok()? })
}

/// Port 0 takes a free port, and the log says which.
fn listening(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("msg=\"Listening on\""))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("address="))?.parse().ok()
}
