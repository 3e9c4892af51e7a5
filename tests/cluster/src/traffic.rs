//! Requests from a pod, through its sidecar: by `narrows-call`, which the applications' image holds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::kubectl::Kubectl;

/// One request, as `narrows simulate` reads it too.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) authority: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<String>,
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Who calls: a workload, and where its calls go.
#[derive(Clone, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) kubectl: &'a Kubectl,
    pub(crate) namespace: &'a str,
    pub(crate) workload: &'a str,
    pub(crate) connect: &'a str,
}

/// Requests sent over and over until it is ended.
#[derive(Debug)]
pub(crate) struct Load(Child);

/// Connections that stay open between rounds of requests, one on each.
#[derive(Debug)]
pub(crate) struct Held {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What a load, or a round, has seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    /// Without an answer, or answered otherwise than 200.
    pub(crate) failed: u64,
    /// By the version that answered: how many, and when the last one came, in milliseconds since 1970.
    pub(crate) versions: BTreeMap<String, (u64, u64)>,
    /// All of it, for an error.
    pub(crate) report: String,
}

impl Ask {
    pub(crate) fn get(authority: &str, target: &str) -> Self {
        Self { authority: authority.to_owned(), target: target.to_owned(), headers: Vec::new() }
    }

    pub(crate) fn header(mut self, line: impl Into<String>) -> Self {
        self.headers.push(line.into());
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "authority": self.authority, "target": self.target, "headers": self.headers })
    }
}

impl Answer {
    /// A field of the application's report.
    pub(crate) fn field(&self, name: &str) -> String {
        let report: Value = serde_json::from_str(&self.body).unwrap_or_default();
        report[name].as_str().unwrap_or_default().to_owned()
    }

    /// The application's version; empty if something else has answered.
    pub(crate) fn version(&self) -> String {
        self.field("version")
    }
}

impl Caller<'_> {
    /// Sends each request once.
    pub(crate) fn send(&self, asks: &[Ask]) -> anyhow::Result<Vec<Answer>> {
        let said = self.kubectl.feed(&self.line(), &self.plan(asks, 0))?;
        let answers: Vec<Answer> = said.lines().map(answer).collect::<anyhow::Result<_>>()?;
        ensure!(answers.len() == asks.len(), "{} answers to {} requests: {said}", answers.len(), asks.len());
        Ok(answers)
    }

    /// Sends them over and over, on so many connections.
    pub(crate) fn load(&self, asks: &[Ask], connections: usize) -> anyhow::Result<Load> {
        let mut command = self.kubectl.command(&self.line());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run kubectl")?;
        let input = child.stdin.as_mut().context("no input")?;
        input.write_all(self.plan(asks, connections).as_bytes())?;
        Ok(Load(child))
    }

    /// Opens so many connections, and sends the request once on each.
    pub(crate) fn hold(&self, ask: &Ask, connections: usize) -> anyhow::Result<(Held, Seen)> {
        let mut command = self.kubectl.command(&self.line());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot run kubectl")?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let mut held = Held { child, input, output };
        let plan = json!({ "connect": self.connect, "requests": [ask.to_json()], "held": connections });
        let seen = held.ask(&plan.to_string())?;
        Ok((held, seen))
    }

    fn line(&self) -> String {
        format!(
            "exec --stdin --namespace {} {} --container app -- /narrows-call",
            self.namespace, self.workload
        )
    }

    fn plan(&self, asks: &[Ask], connections: usize) -> String {
        let requests: Vec<Value> = asks.iter().map(Ask::to_json).collect();
        format!("{}\n", json!({ "connect": self.connect, "requests": requests, "connections": connections }))
    }
}

impl Load {
    /// Ends it; what has it seen?
    pub(crate) fn end(mut self) -> anyhow::Result<Seen> {
        // kubectl gives what it writes a minute from its last write, the end of its input too: without a word
        // before, a load of more than a minute would never end.
        if let Some(mut input) = self.0.stdin.take() {
            _ = input.write_all(b"\n");
        }
        let done = self.0.wait_with_output()?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(done.status.success(), "a load ended early: {said}{}", String::from_utf8_lossy(&done.stderr));
        Seen::read(said)
    }
}

impl Held {
    /// Sends the request again on each connection that is still open.
    pub(crate) fn round(&mut self) -> anyhow::Result<Seen> {
        self.ask("again")
    }

    fn ask(&mut self, line: &str) -> anyhow::Result<Seen> {
        writeln!(self.input, "{line}")?;
        let mut said = String::new();
        self.output.read_line(&mut said)?;
        Seen::read(said)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Seen {
    fn read(said: String) -> anyhow::Result<Self> {
        let report: Value = serde_json::from_str(&said).with_context(|| said.clone())?;
        let requests = report["requests"].as_u64().context("no count")?;
        let good = report["statuses"]["200"].as_u64().unwrap_or(0);
        let mut versions = BTreeMap::new();
        for (version, seen) in report["versions"].as_object().into_iter().flatten() {
            let number = |key: &str| seen[key].as_u64().unwrap_or(0);
            versions.insert(version.clone(), (number("answers"), number("last_ms")));
        }
        Ok(Self { requests, failed: requests - good, versions, report: said })
    }

    /// How many answers came from a version of the application.
    pub(crate) fn answers_of(&self, version: &str) -> u64 {
        self.versions.get(version).map_or(0, |(answers, _)| *answers)
    }

    /// Refuses if a request was lost, or if hardly any was sent.
    pub(crate) fn none_lost(&self) -> anyhow::Result<()> {
        ensure!(self.requests >= 100, "too few requests to say anything: {}", self.report);
        ensure!(self.failed == 0, "{} of {} requests failed: {}", self.failed, self.requests, self.report);
        Ok(())
    }
}

fn answer(line: &str) -> anyhow::Result<Answer> {
    let report: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let status = report["status"].as_u64().with_context(|| format!("no answer: {line}"))?;
    Ok(Answer {
        status: u16::try_from(status)?,
        body: report["body"].as_str().unwrap_or_default().to_owned(),
    })
}
