//! The one policy that a command works on.

use std::collections::{BTreeMap, BTreeSet};
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

/// Reads the one policy of a file, wherever it is in the file; `FILE#NAME` names the resource,
/// with its namespace (`FILE#NAMESPACE/NAME`) where two have one name, or the number of the policy.
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

/// Every policy of a file, each place once.
pub(super) fn policies(source: &SourceFile) -> Vec<Node> {
    let mut known = BTreeSet::new();
    let all = find(source).unwrap_or_default().into_iter().map(|one| one.found.policy);
    all.filter(|policy| known.insert(policy.at.start)).collect()
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
    let names = names(&all);
    let choices = |of: &[String]| {
        let choices: Vec<_> = of.iter().map(|name| format!("{file}#{name}")).collect();
        format!("choose one: {}", choices.join(", "))
    };
    let Some(chosen) = chosen else {
        let mut all = narrowed(all, named).into_iter();
        return match (all.next(), all.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => {
                Err(CliError::new(format!("there are several policies in {file:?}"), choices(&names)))
            }
            (None, _) => {
                Err(CliError::new(format!("there is no policy in {file:?}"), "name a file that has one"))
            }
        };
    };
    let number = chosen.parse().ok().and_then(|number: usize| number.checked_sub(1));
    let called: Vec<usize> = match names.iter().position(|name| name == chosen) {
        Some(offered) => vec![offered],
        None => all.iter().enumerate().filter(|(_, one)| one.is_called(chosen)).map(|(i, _)| i).collect(),
    };
    let called = if called.is_empty() { number.into_iter().collect() } else { called };
    let offered: Vec<String> = called.iter().filter_map(|index| names.get(*index).cloned()).collect();
    let all: Vec<Candidate> =
        all.into_iter().enumerate().filter(|(index, _)| called.contains(index)).map(|(_, one)| one).collect();
    // In two namespaces they are two, even if they are equal.
    let are_apart =
        all.iter().any(|one| all.first().is_some_and(|first| first.namespace() != one.namespace()));
    let mut all = if are_apart { all } else { narrowed(all, named) }.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            let message = format!("several policies in {file:?} are called {chosen:?}");
            Err(CliError::new(message, choices(&offered)))
        }
        (None, _) => Err(CliError::new(
            format!("there is no policy {chosen:?} in {file:?}"),
            format!("write one of {}", names.join(", ")),
        )),
    }
}

/// Those that may be meant: of the filter that was named, if any is, deciding, and each once.
fn narrowed(mut all: Vec<Candidate>, named: Option<Filter>) -> Vec<Candidate> {
    if named.is_some() && all.iter().any(|one| one.found.filter == named) {
        all.retain(|one| one.found.filter == named);
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
    different
}

/// The names by which policies are chosen: that of its resource, with the namespace where another has the same;
/// or its number.
fn names(all: &[Candidate]) -> Vec<String> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for name in all.iter().flat_map(Candidate::names) {
        *known.entry(name).or_default() += 1;
    }
    let own = all.iter().enumerate().map(|(index, one)| {
        let own = one.names().into_iter().filter(|_| one.found.within != Kind::Envoy);
        own.into_iter().find(|name| known.get(name) == Some(&1)).unwrap_or_else(|| (index + 1).to_string())
    });
    own.collect()
}

impl Candidate {
    fn is_same(&self, other: &Self) -> bool {
        let [own, others] =
            [self, other].map(|one| (one.found.filter, one.found.within, one.found.policy.tree()));
        own == others
    }

    fn namespace(&self) -> Option<&str> {
        self.resource.text_at("metadata.namespace")
    }

    /// The names of its resource: alone, and with the namespace.
    fn names(&self) -> Vec<String> {
        let Some(name) = self.resource.text_at("metadata.name") else { return Vec::new() };
        let whole = self.namespace().map(|namespace| format!("{namespace}/{name}"));
        std::iter::once(name.to_owned()).chain(whole).collect()
    }

    fn is_called(&self, name: &str) -> bool {
        self.names().iter().any(|own| own == name)
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
