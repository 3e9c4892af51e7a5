//! A case file as written. Unknown fields are errors: a misspelt expectation must not pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::expect::Expect;
use crate::fault::{Fault, places_of, yaml};
use crate::send::{Send, check_line};

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

/// A case file as its text has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// One sentence: what the cases have in common.
    #[serde(default)]
    pub about: String,
    /// The policy, as an operator writes it.
    #[serde(default)]
    pub policy: Option<Value>,
    /// Or the file that has it, beside this one.
    #[serde(default, rename = "policyFile")]
    pub policy_file: Option<PathBuf>,
    /// The VM's configuration.
    #[serde(default)]
    pub vm: Option<Value>,
    /// The requests.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// Policies that must be refused.
    #[serde(default)]
    pub refused: Vec<Refused>,
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
    #[serde(default)]
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

impl Written {
    /// Reads the text of a case file.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let written: Self = yaml(text)?;
        written.check().map_err(|wrong| wrong.in_text(text))?;
        Ok(written)
    }

    /// Whether a text reads like a case file: it may still be wrong.
    pub fn is_in(text: &str) -> bool {
        let lists = ["cases", "refused"];
        if text.trim_start().starts_with('{') {
            let object = serde_json::from_str::<serde_json::Map<String, Value>>(text);
            return object.is_ok_and(|object| lists.iter().any(|list| object.contains_key(*list)));
        }
        let begins = |line: &str| line.split_once(':').is_some_and(|(field, _)| lists.contains(&field));
        text.lines().any(begins)
    }

    fn check(&self) -> Result<(), Wrong> {
        if self.policy.is_some() && self.policy_file.is_some() {
            let message = "\"policy\" and \"policyFile\" exclude each other: keep one of them";
            return Err(Wrong { message: message.to_owned(), list: 0, index: None });
        }
        if self.cases.is_empty() && self.refused.is_empty() {
            let message = "there are no cases: write some under \"cases\"";
            return Err(Wrong { message: message.to_owned(), list: 0, index: None });
        }
        let cases = self.cases.iter().enumerate().map(|(index, case)| (0, index, &case.name));
        let refused = self.refused.iter().enumerate().map(|(index, refused)| (1, index, &refused.name));
        let mut known = BTreeSet::new();
        if let Some((list, index, name)) = cases.chain(refused).find(|(_, _, name)| !known.insert(*name)) {
            let message = format!("two cases are called {name:?}: give each a name of its own");
            return Err(Wrong { message, list, index: Some(index) });
        }
        for (index, case) in self.cases.iter().enumerate() {
            case.check().map_err(|fault| Wrong {
                message: format!("case {:?}: {fault}", case.name),
                list: 0,
                index: Some(index),
            })?;
        }
        Ok(())
    }
}

/// What is wrong with a file that can be read: in the whole, or in an element of `cases` (0) or `refused` (1).
struct Wrong {
    message: String,
    list: usize,
    index: Option<usize>,
}

impl Wrong {
    /// With its place.
    fn in_text(self, text: &str) -> Fault {
        let places = self.index.map(|index| (places_of(text), index));
        let place = places.and_then(|(lists, index)| lists.get(self.list)?.get(index).copied());
        let (line, column) = place.unwrap_or((1, 1));
        Fault { line, column, ..Fault::at_start(self.message) }
    }
}

impl File {
    /// Reads a case file. Its folder says which filter it is about, or else its policy does.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let written = Written::parse(&read(path)?).map_err(|fault| anyhow::anyhow!("{shown}:{fault}"))?;
        let policy = match &written.policy_file {
            // Beside the case file, so that an example's policy is tested as it is shipped.
            Some(file) => {
                let beside = path.parent().unwrap_or(path).join(file);
                let parsed = yaml::<Value>(&read(&beside)?);
                Some(parsed.map_err(|fault| anyhow::anyhow!("{}:{fault}", beside.display()))?)
            }
            None => written.policy,
        };
        let folder = path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let named = policy.as_ref().and_then(|policy| policy["filter"].as_str());
        Ok(Self {
            path: path.to_owned(),
            filter: named.unwrap_or(&folder).to_owned(),
            about: written.about,
            policy: policy.map_or_else(String::new, |policy| policy.to_string()),
            vm: written.vm.map_or_else(|| r#"{"strict":true}"#.to_owned(), |vm| vm.to_string()),
            cases: written.cases,
            refused: written.refused,
        })
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

    /// What this project asks of its own files: each runs in Envoy, or says why it does not.
    pub fn check_runners(&self) -> anyhow::Result<()> {
        ensure!(!self.about.is_empty(), "say under `about` what the cases have in common");
        let told = |case: &Case| case.because.is_some();
        ensure!(
            self.cases.is_empty() || self.cases.iter().any(|c| c.runs_in(Runner::Envoy) || told(c)),
            "no case runs in Envoy, and none says why: give them `runners` and `because`"
        );
        for case in self.cases_for(Runner::Envoy) {
            case.send
                .source
                .check(case.send.protocol)
                .with_context(|| format!("{:?} in Envoy", case.name))?;
        }
        Ok(())
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        if self.runners.is_some() != self.because.is_some() {
            return Err("\"runners\" and \"because\" belong together".to_owned());
        }
        if self.send.repeat.is_some() {
            return Err("a case is one request: leave out \"repeat\"".to_owned());
        }
        if self.because.is_none() {
            self.send.check()?;
        }
        self.answer.headers.iter().try_for_each(|line| check_line(line))
    }

    /// Whether `runner` can and may execute it.
    pub fn runs_in(&self, runner: Runner) -> bool {
        // What an earlier filter left, only an earlier filter can leave: the chains of the
        // end-to-end suites hold two. Other facts are those of a proxy that no runner is.
        let can = match runner {
            Runner::Core => true,
            Runner::Wasm => !self.send.is_pretended(),
            Runner::Envoy => !self.send.is_pretended() && self.send.stripped.is_none(),
        };
        can && self.runners.as_ref().is_none_or(|runners| runners.contains(&runner))
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new() }
    }
}
