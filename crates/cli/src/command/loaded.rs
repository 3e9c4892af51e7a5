//! The one policy that a command works on.

use std::path::Path;

use super::{Done, Output};
use crate::documents::{self, Found};
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
}

/// Reads the one policy of a file, wherever it is in the file. If there is a fault in it, the inner
/// error is the report.
pub(super) fn policy(
    path: &Path,
    named: Option<Filter>,
    format: Output,
) -> Result<Result<Loaded, Done>, CliError> {
    let source = SourceFile::read(path)?;
    let found = match find(&source) {
        Ok(found) => only(found, named, &source.path)?,
        Err(findings) => return Ok(Err(refused(format, source, findings))),
    };
    let Some(filter) = found.filter.or(named) else {
        let finding = documents::unknown_filter(&found.policy);
        return Ok(Err(refused(format, source, vec![finding])));
    };
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => Ok(Ok(Loaded { filter, node: found.policy, policy })),
        Err(invalid) => {
            let findings = invalid.faults().iter().map(|fault| found.policy.finding(fault)).collect();
            Ok(Err(refused(format, source, findings)))
        }
    }
}

/// Every policy of a file.
fn find(source: &SourceFile) -> Result<Vec<Found>, Vec<Finding>> {
    let documents = source.documents().map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let resources = documents.iter().flat_map(documents::resources);
    let found = resources.flat_map(|resource| documents::policies(source, resource, &mut findings)).collect();
    if findings.is_empty() { Ok(found) } else { Err(findings) }
}

/// The one policy that is meant.
fn only(mut found: Vec<Found>, named: Option<Filter>, file: &str) -> Result<Found, CliError> {
    if let (Some(named), true) = (named, found.len() > 1) {
        found.retain(|found| found.filter == Some(named));
    }
    // `render` writes a second policy beside the one that decides. It only strips, and strips the same
    // headers.
    let decides = |found: &Found| {
        let deeds = found.filter.map(|filter| Deeds::of(filter, &found.policy));
        deeds.is_none_or(|deeds| !deeds.only_strips)
    };
    let deciding: Vec<_> = found.iter().filter(|found| decides(found)).map(|found| found.filter).collect();
    found.retain(|found| decides(found) || !deciding.contains(&found.filter));
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(CliError::new(
            format!("there are several policies in {file:?}"),
            "choose one with --filter, or put it into a file of its own",
        )),
        (None, _) => {
            Err(CliError::new(format!("there is no policy in {file:?}"), "name a file that has one"))
        }
    }
}

/// The report of a file that cannot be used.
pub(super) fn refused(format: Output, source: SourceFile, findings: Vec<Finding>) -> Done {
    let format = match format {
        Output::Text => Format::Text,
        Output::Json => Format::Json,
    };
    let checked = Checked::with(source, findings);
    Done { output: String::new(), refusal: report::refusal(format, checked), findings: true }
}
