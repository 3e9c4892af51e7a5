//! A case file as written. Unknown fields are errors: a misspelt expectation must not pass.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::expect::Expect;
use crate::metadata;
use crate::sender::{Protocol, Source};

/// One case file.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it was read.
    pub path: PathBuf,
    /// The filter that it is about.
    pub filter: String,
    /// One sentence: what the cases have in common.
    pub about: String,
    /// The policy, as JSON.
    pub policy: String,
    /// The VM's configuration, as JSON.
    pub vm: String,
    /// The requests.
    pub cases: Vec<Case>,
    /// Policies that must be refused.
    pub refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    about: String,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default, rename = "policyFile")]
    policy_file: Option<PathBuf>,
    #[serde(default)]
    vm: Option<Value>,
    #[serde(default)]
    cases: Vec<Case>,
    #[serde(default)]
    refused: Vec<Refused>,
}

/// One request and what becomes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, in a few words.
    pub name: String,
    /// The request.
    #[serde(default)]
    pub send: Send,
    /// What the upstream answers.
    #[serde(default)]
    pub answer: Answer,
    /// What becomes of it.
    pub expect: Expect,
    /// Whether its price is kept: see `tests/vm/budgets.txt`.
    #[serde(default)]
    pub budget: bool,
    /// Where it runs, unless everywhere.
    #[serde(default)]
    pub runners: Option<Vec<Runner>>,
    /// Why it does not run everywhere.
    #[serde(default)]
    pub because: Option<String>,
}

/// A request as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Send {
    /// The method.
    pub method: String,
    /// The target as on the wire.
    pub target: String,
    /// `Host` or `:authority`.
    pub authority: String,
    /// Header lines in order, bytes as `\xNN`.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
    /// The version of HTTP.
    pub protocol: Protocol,
    /// Who sends it.
    pub source: Source,
    /// The dynamic metadata that filters in front wrote: a table for each.
    pub metadata: Option<Value>,
    /// The filter state `narrows_stripped` that an earlier filter left.
    pub stripped: Option<String>,
}

/// What the upstream answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<String>,
}

/// A policy that must be refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// What it shows, in a few words.
    pub name: String,
    /// The policy.
    pub policy: Value,
    /// The code and the place of its first fault: `NRW107 rules[0].respond.status`.
    pub fault: String,
}

/// Where a case runs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// The policy's own code, natively.
    Core,
    /// The `.wasm`, in the stand-in for Envoy.
    Wasm,
    /// The `.wasm`, in a real Envoy.
    Envoy,
}

// === impl Send ===

impl Send {
    /// The dynamic metadata, as Envoy hands it to a filter.
    pub fn metadata(&self) -> Option<Vec<u8>> {
        self.metadata.as_ref().and_then(Value::as_object).map(metadata::message)
    }
}

// === impl File ===

impl File {
    /// Reads a case file. Its folder says which filter it is about, or else its policy does.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let written: Written = serde_saphyr::from_str(&text).map_err(|e| anyhow::anyhow!("{shown}: {e}"))?;
        let policy = match (written.policy, &written.policy_file) {
            (Some(_), Some(_)) => anyhow::bail!("{shown}: `policy` and `policyFile` exclude each other"),
            (None, Some(file)) => {
                // Beside the case file, so that an example's policy is tested as it is shipped.
                Some(read_yaml(&path.parent().unwrap_or(path).join(file))?)
            }
            (policy, None) => policy,
        };
        let folder = path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let named = policy.as_ref().and_then(|policy| policy["filter"].as_str());
        let filter = named.unwrap_or(&folder).to_owned();
        let file = Self {
            path: path.to_owned(),
            filter,
            about: written.about,
            policy: policy.map_or_else(String::new, |policy| policy.to_string()),
            vm: written.vm.map_or_else(|| r#"{"strict":true}"#.to_owned(), |vm| vm.to_string()),
            cases: written.cases,
            refused: written.refused,
        };
        file.check().with_context(|| shown.to_string())?;
        Ok(file)
    }

    /// The folder's and the file's name, for reports.
    pub fn label(&self) -> String {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let folder =
            self.path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        format!("{folder}/{name}")
    }

    /// The cases that `runner` can and may execute.
    pub fn cases_for(&self, runner: Runner) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| case.runs_in(runner))
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!(self.cases.is_empty() && self.refused.is_empty()), "there are no cases");
        let names = || self.cases.iter().map(|c| &c.name).chain(self.refused.iter().map(|r| &r.name));
        for (number, name) in names().enumerate() {
            ensure!(!names().take(number).any(|earlier| earlier == name), "two cases are called {name:?}");
        }
        let told = |case: &Case| case.because.is_some();
        ensure!(
            self.cases.is_empty() || self.cases.iter().any(|c| c.runs_in(Runner::Envoy) || told(c)),
            "no case runs in Envoy, and none says why: give them `runners` and `because`"
        );
        for case in &self.cases {
            ensure!(
                case.runners.is_some() == case.because.is_some(),
                "{:?}: `runners` and `because` belong together",
                case.name
            );
            if case.runs_in(Runner::Envoy) {
                case.send
                    .source
                    .check(case.send.protocol)
                    .with_context(|| format!("{:?} in Envoy", case.name))?;
            }
            let is_table =
                |value: &Value| value.as_object().is_some_and(|all| all.values().all(Value::is_object));
            ensure!(
                case.send.metadata.as_ref().is_none_or(is_table),
                "{:?}: `metadata` is a table of tables",
                case.name
            );
            for line in case.send.headers.iter().chain(&case.answer.headers) {
                ensure!(line.contains(':'), "{:?}: {line:?} is not a header line", case.name);
            }
        }
        Ok(())
    }
}

impl Case {
    fn runs_in(&self, runner: Runner) -> bool {
        // What an earlier filter left, only an earlier filter can leave: the chains of the
        // end-to-end suites hold two.
        let pretends = self.send.stripped.is_some();
        self.runners.as_ref().is_none_or(|runners| runners.contains(&runner))
            && !(runner == Runner::Envoy && pretends)
    }
}

/// A document of YAML, as JSON.
fn read_yaml(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

impl Default for Send {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            authority: "shop.example.com".to_owned(),
            headers: Vec::new(),
            body: String::new(),
            protocol: Protocol::Http1,
            source: Source::default(),
            metadata: None,
            stripped: None,
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new() }
    }
}
