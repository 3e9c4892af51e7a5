//! Everything that can be said about a file without running it.

use narrows_core::vm;

use crate::code;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::manifest::{self, Release};
use crate::source::{Node, Source};
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
}

/// Checks a file.
pub fn check(source: Source, options: Options) -> Checked {
    let mut checked = Checked { findings: Vec::new(), policies: 0, manifests: 0, source };
    match checked.source.documents() {
        Err(finding) => checked.findings.push(finding),
        Ok(documents) => {
            let resources: Vec<&Node> = documents.iter().flat_map(wrap::resources).collect();
            for resource in &resources {
                checked.resource(resource, options);
            }
            checked.findings.extend(manifest::order(&resources));
        }
    }
    checked.findings.sort_by_key(|finding| finding.at.start);
    checked
}

impl Checked {
    fn resource(&mut self, resource: &Node, options: Options) {
        if manifest::is_known(Kind::of(resource)) {
            self.manifests += 1;
            let release = options.istio.unwrap_or(Release::NEWEST);
            self.findings.extend(manifest::lint(resource, release));
        }
        for found in wrap::policies(&self.source, resource, &mut self.findings) {
            self.policies += 1;
            self.findings.extend(policy(&found, options.filter));
        }
    }
}

/// What is wrong with a policy, and with the VM configuration beside it.
fn policy(found: &Found, named: Option<Filter>) -> Vec<Finding> {
    // What a bare policy is for is said on the command line; a module says it itself.
    let told = if found.within == Kind::Policy { named.or(found.filter) } else { found.filter };
    let Some(filter) = told else { return vec![wrap::unknown_filter(&found.policy)] };
    let mut findings = Vec::new();
    if let Some(vm) = &found.vm
        && let Err(invalid) = vm::strict(json(vm).as_bytes())
    {
        findings.extend(invalid.faults().iter().map(|fault| Finding::of_policy(fault, vm)));
    }
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => {
            let warning = policy.warning();
            findings.extend(warning.map(|warning| likely_not_meant(warning, &found.policy)));
        }
        Err(invalid) => {
            findings.extend(invalid.faults().iter().map(|fault| Finding::of_policy(fault, &found.policy)));
        }
    }
    findings
}

fn likely_not_meant(warning: &str, policy: &Node) -> Finding {
    Finding {
        code: code::EVERYTHING_PASSES,
        level: Level::Warning,
        at: policy.head(),
        place: String::new(),
        message: warning.to_owned(),
        help: "write \"default\": \"deny\" and rules; \"mode\": \"off\" if nothing is to be done".to_owned(),
    }
}

fn json(node: &Node) -> String {
    crate::render::json::line(&node.tree())
}
