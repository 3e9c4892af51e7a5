//! Everything that can be said about a file without running it.

use narrows_core::{Fault, Weight, vm_config};

use crate::chain;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::manifest::{self, Release};
use crate::source::{Node, Source};
use crate::unverified;
use crate::wrap::{self, Found, Kind};

/// What the caller knows about the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The filter that bare policies are for.
    pub filter: Option<Filter>,
    /// The Istio release that the resources are for; the newest known, if none.
    pub istio: Option<Release>,
}

/// A file and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The file.
    pub source: Source,
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
    /// How many policies were found in it.
    pub policies: usize,
    /// How many resources of Istio were judged.
    pub manifests: usize,
    /// What the heaviest and the dearest of the policies take.
    pub weight: Weight,
    /// Whether a policy in it believes certificates that need not have been verified.
    believes: bool,
    /// Where it lets in callers with such certificates.
    openings: Vec<Finding>,
}

/// Checks a file.
pub fn check(source: Source, options: Options) -> Checked {
    let documents = source.documents();
    let mut checked = Checked::of(source, &documents, options);
    let order = manifest::together(&resources(0, &documents));
    checked.add(order.into_iter().map(|(_, finding)| finding));
    let believes = checked.believes;
    checked.open(believes);
    checked
}

/// Checks files that are applied together.
pub fn check_all(sources: Vec<Source>, options: Options) -> Vec<Checked> {
    let read: Vec<_> = sources.iter().map(Source::documents).collect();
    let together: Vec<_> = read.iter().enumerate().flat_map(|(file, read)| resources(file, read)).collect();
    let order = manifest::together(&together);
    let checked = sources.into_iter().zip(&read).enumerate().map(|(file, (source, documents))| {
        let mut checked = Checked::of(source, documents, options);
        let own = order.iter().filter(|(of, _)| *of == file);
        checked.add(own.map(|(_, finding)| finding.clone()));
        checked
    });
    let mut checked: Vec<Checked> = checked.collect();
    let believes = checked.iter().any(|checked| checked.believes);
    checked.iter_mut().for_each(|checked| checked.open(believes));
    checked
}

/// The resources of a file that could be read, each with the file's number.
fn resources(file: usize, documents: &Result<Vec<Node>, Finding>) -> Vec<(usize, &Node)> {
    let documents = documents.iter().flatten();
    documents.flat_map(wrap::resources).map(|resource| (file, resource)).collect()
}

impl Checked {
    /// A file of which nothing more is known.
    pub(crate) fn with(source: Source, findings: Vec<Finding>) -> Self {
        Self {
            source,
            findings,
            policies: 0,
            manifests: 0,
            weight: Weight::default(),
            believes: false,
            openings: Vec::new(),
        }
    }

    fn of(source: Source, documents: &Result<Vec<Node>, Finding>, options: Options) -> Self {
        let mut checked = Self::with(source, Vec::new());
        match documents {
            Err(finding) => checked.findings.push(finding.clone()),
            Ok(documents) => {
                for resource in documents.iter().flat_map(wrap::resources) {
                    checked.resource(resource, options);
                }
            }
        }
        checked
    }

    /// Warns of what lets unverified callers in, if a policy of the run believes them.
    fn open(&mut self, believes: bool) {
        let openings = std::mem::take(&mut self.openings);
        self.add(openings.into_iter().filter(|_| believes));
    }

    /// Adds findings, and puts all in the order of the text.
    fn add(&mut self, findings: impl Iterator<Item = Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by_key(|finding| finding.at.start);
    }

    fn resource(&mut self, resource: &Node, options: Options) {
        if manifest::is_known(Kind::of(resource)) {
            self.manifests += 1;
            let release = options.istio.unwrap_or(Release::NEWEST);
            self.findings.extend(manifest::lint(resource, release));
        }
        if Kind::of(resource) != Kind::Policy {
            self.openings.extend(unverified::openings(resource));
        }
        if Kind::of(resource) == Kind::Envoy {
            self.findings.extend(chain::check(&self.source, resource));
        }
        for found in wrap::policies(&self.source, resource, &mut self.findings) {
            self.policies += 1;
            let (weight, findings) = policy(&found, options.filter);
            self.weight.bytes = self.weight.bytes.max(weight.bytes);
            self.weight.work = self.weight.work.max(weight.work);
            self.believes |= unverified::believes(&found.policy);
            self.findings.extend(findings);
        }
    }
}

/// What a policy weighs, and what is wrong with it and with the VM configuration beside it.
fn policy(found: &Found, named: Option<Filter>) -> (Weight, Vec<Finding>) {
    // What a bare policy is for is said on the command line; a module says it itself.
    let told = if found.within == Kind::Policy { named.or(found.filter) } else { found.filter };
    let Some(filter) = told else { return (Weight::default(), vec![wrap::unknown_filter(&found.policy)]) };
    let mut weight = Weight::default();
    let mut findings = Vec::new();
    if let Some(vm) = &found.vm
        && let Err(invalid) = vm_config::strict(json(vm).as_bytes())
    {
        findings.extend(invalid.faults().iter().map(|fault| Finding::of_policy(fault, vm)));
    }
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => {
            weight = policy.weight();
            findings.extend(policy.warnings().iter().map(|warning| likely_not_meant(warning, &found.policy)));
        }
        Err(invalid) => {
            findings.extend(invalid.faults().iter().map(|fault| Finding::of_policy(fault, &found.policy)));
        }
    }
    (weight, findings)
}

fn likely_not_meant(warning: &Fault, policy: &Node) -> Finding {
    Finding {
        code: warning.code.as_str(),
        level: Level::Warning,
        at: policy.head(),
        place: String::new(),
        message: warning.message.clone(),
        help: warning.help.clone(),
    }
}

fn json(node: &Node) -> String {
    crate::render::json::line(&node.tree())
}
