//! The one policy that a command works on.

use std::path::{Path, PathBuf};

use super::Output;
use crate::documents::{self, Found, Kind};
use crate::error::CliError;
use crate::filter::{AnyPolicy, Filter};
use crate::finding::Finding;
use crate::lint::Checked;
use crate::placement::Deeds;
use crate::report::{self, Format};
use crate::source::{Node, SourceFile};

/// A policy with the filter that it is for.
pub(super) struct Loaded {
    pub(super) filter: Filter,
    pub(super) node: Node,
    pub(super) policy: AnyPolicy,
    /// The resource that it was in, or the document.
    pub(super) resource: Node,
}

/// A policy of a file, with the resource that it was in.
struct Candidate {
    found: Found,
    resource: Node,
}

/// Reads the one policy of a file, wherever it is in the file; `FILE#NAME` names the resource, or the
/// number of the policy.
pub(super) fn policy(path: &Path, named: Option<Filter>, format: Output) -> Result<Loaded, CliError> {
    let (path, chosen) = chosen(path);
    policy_in(&SourceFile::read(&path)?, chosen.as_deref(), named, format)
}

/// The same of a text that is read already.
pub(super) fn policy_in(
    source: &SourceFile,
    chosen: Option<&str>,
    named: Option<Filter>,
    format: Output,
) -> Result<Loaded, CliError> {
    let Written { filter, node, resource } = written_in(source, chosen, named, format)?;
    match filter.compile(&node.tree()) {
        Ok(policy) => Ok(Loaded { filter, node, policy, resource }),
        Err(invalid) => {
            let findings = invalid.faults().iter().map(|fault| node.finding(fault)).collect();
            Err(refused(format, source.clone(), findings))
        }
    }
}

/// The file and what stands after `#`, unless a file has the whole name.
pub(super) fn chosen(path: &Path) -> (PathBuf, Option<String>) {
    let split = path.to_str().filter(|_| !path.exists()).and_then(|name| name.rsplit_once('#'));
    match split {
        Some((file, chosen)) if !file.is_empty() => (file.into(), Some(chosen.to_owned())),
        _ => (path.to_owned(), None),
    }
}

/// A policy that is not compiled yet.
pub(super) struct Written {
    pub(super) filter: Filter,
    pub(super) node: Node,
    resource: Node,
}

/// The one policy of a file, not compiled.
pub(super) fn written(path: &Path, named: Option<Filter>) -> Result<Written, CliError> {
    let (path, chosen) = chosen(path);
    written_in(&SourceFile::read(&path)?, chosen.as_deref(), named, Output::Text)
}

/// The one policy that stands beside the cases of a text, not compiled.
pub(super) fn written_beside(source: &SourceFile, named: Option<Filter>) -> Result<Written, CliError> {
    written_in(source, None, named, Output::Text)
}

fn written_in(
    source: &SourceFile,
    chosen: Option<&str>,
    named: Option<Filter>,
    format: Output,
) -> Result<Written, CliError> {
    let Candidate { found, resource } = match find(source) {
        Ok(found)
            if found.is_empty()
                && let Some(kind) = routes(source) =>
        {
            return Err(CliError::new(
                format!("there is no policy in {:?}: it has routes, of the kind {kind}", source.path),
                format!("narrows migrate {} makes a policy of them", source.path),
            ));
        }
        Ok(found) => only(found, named, chosen, &source.path)?,
        Err(findings) => return Err(refused(format, source.clone(), findings)),
    };
    if let Some(filter) = found.filter.or(named) {
        return Ok(Written { filter, node: found.policy, resource });
    }
    Err(refused(format, source.clone(), vec![documents::unknown_filter(&found.policy)]))
}

/// The kind of the first routes in a file, if a policy can be made of them.
fn routes(source: &SourceFile) -> Option<String> {
    let documents = documents::read(source).ok()?;
    let kinds = documents.iter().flat_map(documents::resources).filter_map(|one| one.text_at("kind"));
    kinds
        .into_iter()
        .find(|kind| ["VirtualService", "HTTPRoute", "Ingress"].contains(kind))
        .map(str::to_owned)
}

/// Every policy of a file.
fn find(source: &SourceFile) -> Result<Vec<Candidate>, Vec<Finding>> {
    let documents = documents::read(source).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let mut all = Vec::new();
    // Cases may stand beside their policy.
    let are_cases = |document: &Node| ["cases", "refused"].iter().any(|list| document.get(list).is_some());
    let resources = documents.iter().flat_map(documents::resources);
    for resource in resources.filter(|resource| !are_cases(resource)) {
        let found = documents::policies(source, resource, &mut findings);
        all.extend(found.into_iter().map(|found| Candidate { found, resource: resource.clone() }));
    }
    if findings.is_empty() { Ok(all) } else { Err(findings) }
}

/// The one policy that is meant.
fn only(
    mut all: Vec<Candidate>,
    named: Option<Filter>,
    chosen: Option<&str>,
    file: &str,
) -> Result<Candidate, CliError> {
    // Beside a policy, what does not look like one is none.
    if all.iter().any(|one| one.found.within != Kind::Unknown) {
        all.retain(|one| one.found.within != Kind::Unknown);
    }
    let names: Vec<String> = all.iter().enumerate().map(|(i, one)| one.name(i)).collect();
    if let Some(chosen) = chosen {
        let mut numbered = all.into_iter().zip(&names).enumerate();
        let is_it = |(i, (one, name)): &(usize, (Candidate, &String))| {
            *name == chosen
                || one.resource.text_at("metadata.name") == Some(chosen)
                || (i + 1).to_string() == chosen
        };
        return numbered.find(is_it).map(|(_, (one, _))| one).ok_or_else(|| {
            CliError::new(
                format!("there is no policy {chosen:?} in {file:?}"),
                format!("write one of {}", names.join(", ")),
            )
        });
    }
    if let (Some(named), true) = (named, all.len() > 1) {
        all.retain(|one| one.found.filter == Some(named));
    }
    // `render` writes a second policy beside the one that decides. It only strips, and strips the same
    // headers.
    let decides = |one: &Candidate| {
        let deeds = one.found.filter.map(|filter| Deeds::of(filter, &one.found.policy));
        deeds.is_none_or(|deeds| !deeds.only_strips)
    };
    let deciding: Vec<_> = all.iter().filter(|one| decides(one)).map(|one| one.found.filter).collect();
    let is_told = |one: &Candidate| {
        let is_merged =
            one.found.filter == Some(Filter::HeaderRouter) && deciding.contains(&Some(Filter::Narrows));
        is_merged || deciding.contains(&one.found.filter)
    };
    all.retain(|one| decides(one) || !is_told(one));
    let mut different: Vec<Candidate> = Vec::new();
    for one in all {
        // A dump has a policy once for each listener.
        if !different.iter().any(|other| one.is_same(other)) {
            different.push(one);
        }
    }
    let mut all = different.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            let choices: Vec<_> = names.iter().map(|name| format!("{file}#{name}")).collect();
            let message = format!("there are several policies in {file:?}");
            Err(CliError::new(message, format!("choose one: {}", choices.join(", "))))
        }
        (None, _) => {
            Err(CliError::new(format!("there is no policy in {file:?}"), "name a file that has one"))
        }
    }
}

impl Candidate {
    fn is_same(&self, other: &Self) -> bool {
        let [own, others] =
            [self, other].map(|one| (one.found.filter, one.found.within, one.found.policy.tree()));
        own == others
    }

    /// The name by which it is chosen: that of its resource, or its number.
    fn name(&self, index: usize) -> String {
        match self.resource.text_at("metadata.name") {
            Some(name) if self.found.within != Kind::Envoy => name.to_owned(),
            _ => (index + 1).to_string(),
        }
    }
}

/// A file that cannot be used: the command could not run.
pub(super) fn refused(format: Output, source: SourceFile, findings: Vec<Finding>) -> CliError {
    let format = match format {
        Output::Text => Format::Text,
        Output::Json => Format::Json,
    };
    CliError::reported(&report::refusal(format, Checked::with(source, findings)))
}
