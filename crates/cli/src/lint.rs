//! Checks files without running them.

mod attached;
mod chain;
mod fields;
pub mod fix;
mod gateways;
mod ignores;
mod lanes;
mod manifest;
mod meetings;
mod options;
mod policy;
mod reach;
mod rule;
mod rules;
mod run;
mod splits;
mod telemetry;
pub mod wire;

use narrows_core::Weight;

use crate::code::Code;
use crate::documents::Kind;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::istio::Release;
use crate::istio::fields::Schema;
use crate::source::{Node, SourceFile};
use manifest::Manifest;
pub use options::{KnownGateway, Options, PerFile};
use rule::Check;
use run::{File, Run};

/// A file, and the faults in it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The file.
    pub source: SourceFile,
    /// The faults, in the order of the text.
    pub findings: Vec<Finding>,
    /// How many policies were found in it.
    pub policies: usize,
    /// How many resources of Istio were checked.
    pub manifests: usize,
    /// What each policy that loads takes, in the order of the text.
    pub weights: Vec<Weighed>,
    /// How many faults a comment accepts.
    pub accepted: usize,
}

/// A policy that loads, and what it takes.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// Where it begins.
    pub start: usize,
    /// Its filter.
    pub filter: Filter,
    /// What it takes.
    pub weight: Weight,
}

/// The codes of all rules, in order.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    rules::ALL.iter().map(|rule| &rule.code)
}

/// Checks a file.
pub fn check(source: SourceFile, options: &Options) -> Checked {
    let file = File::read(&source, options);
    let run = Run::new(std::slice::from_ref(&file), options);
    let of_run = across(&run).into_iter().map(|(_, finding)| finding).collect();
    Checked::new(source, &file, of_run, &run)
}

/// Checks files that are applied together.
pub fn check_all(sources: Vec<SourceFile>, options: &Options) -> Vec<Checked> {
    let files: Vec<_> = sources.iter().map(|source| File::read(source, options)).collect();
    let run = Run::new(&files, options);
    let mut of_run: Vec<Vec<Finding>> = vec![Vec::new(); files.len()];
    for (file, finding) in across(&run) {
        of_run[file].push(finding);
    }
    let read = sources.into_iter().zip(&files).zip(of_run);
    read.map(|((source, file), of_run)| Checked::new(source, file, of_run, &run)).collect()
}

/// The faults in the fields of a resource beside its policy: what the newest release would refuse, and
/// numbers that readers disagree on.
pub(crate) fn beside_policy(source: &SourceFile, resource: &Node) -> Vec<Finding> {
    let kind = Kind::of(resource);
    let mut findings = Vec::new();
    if let Some(schema) = Schema::of(kind) {
        fields::check(resource, schema, Release::NEWEST, &mut findings);
        fields::disputed(source, resource, kind, &mut findings);
    }
    findings.sort_by_key(|finding| finding.at.start);
    findings
}

/// The faults between the files of a run.
fn across(run: &Run<'_>) -> Vec<(usize, Finding)> {
    let mut findings = Vec::new();
    for check in rules::ALL.iter().flat_map(|rule| rule.checks) {
        if let Check::Run(check) = check {
            check(run, &mut findings);
        }
    }
    findings
}

impl Checked {
    /// A file that was not checked further.
    pub(crate) fn with(source: SourceFile, findings: Vec<Finding>) -> Self {
        Self { source, findings, policies: 0, manifests: 0, weights: Vec::new(), accepted: 0 }
    }

    fn new(source: SourceFile, file: &File, of_run: Vec<Finding>, run: &Run<'_>) -> Self {
        let mut checked = Self::with(source, file.findings.clone());
        checked.policies = file.policies.len();
        for resource in file.resources() {
            checked.resource(resource, run);
        }
        for found in &file.policies {
            let (weighed, findings) = policy::check(found, run.options.filter);
            checked.findings.extend(findings);
            if let Some(weighed) = weighed {
                for check in rules::ALL.iter().flat_map(|rule| rule.checks) {
                    if let Check::Policy(check) = check {
                        check(weighed.filter, &found.policy, &mut checked.findings);
                    }
                }
                checked.weights.push(weighed);
            }
        }
        checked.findings.extend(of_run);
        checked.accepted = ignores::apply(&checked.source, run.options, &mut checked.findings);
        checked.findings.sort_by_key(|finding| finding.at.start);
        checked
    }

    /// The most memory that one of its policies takes.
    pub(crate) fn heaviest(&self) -> usize {
        self.weights.iter().map(|weighed| weighed.weight.bytes).max().unwrap_or_default()
    }

    /// The most work that the expressions of one of its policies take.
    pub(crate) fn dearest(&self) -> u64 {
        self.weights.iter().map(|weighed| weighed.weight.work).max().unwrap_or_default()
    }

    fn resource(&mut self, resource: &Node, run: &Run<'_>) {
        let manifest = Manifest::new(resource, run);
        if let Some(schema) = manifest.schema() {
            self.manifests += 1;
            // A resource that the release does not have needs no other check.
            if fields::check(resource, schema, manifest.release, &mut self.findings) {
                fields::disputed(&self.source, resource, manifest.kind, &mut self.findings);
                for check in rules::ALL.iter().flat_map(|rule| rule.checks) {
                    if let Check::Resource(check) = check {
                        check(&manifest, &mut self.findings);
                    }
                }
            }
        }
        if manifest.kind == Kind::Envoy {
            let chains = chain::find(&self.source, resource);
            for check in rules::ALL.iter().flat_map(|rule| rule.checks) {
                if let Check::Chain(check) = check {
                    chains.iter().for_each(|chain| check(chain, &mut self.findings));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
