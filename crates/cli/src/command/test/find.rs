//! Case files, and the policy of each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use narrows_cases::{Case, Refused, Written};
use narrows_core::{Invalid, PolicyValue};
use narrows_model::Pure;

use super::places;
use crate::code;
use crate::command::Output;
use crate::command::loaded::{self, refused};
use crate::documents;
use crate::error::CliError;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::{Node, SourceFile, Value};

/// What the command line says about policies.
pub(super) struct Chosen<'a> {
    pub(super) policy: Option<&'a Path>,
    pub(super) filter: Option<Filter>,
    /// Whether cases may expect nothing yet.
    pub(super) records: bool,
}

/// The cases of one document, with the policy that they are about.
pub(super) struct Suite {
    pub(super) path: PathBuf,
    /// The text up to the end of the document; what comes before it is blank lines.
    pub(super) source: SourceFile,
    pub(super) document: Node,
    pub(super) cases: Vec<Numbered<Case>>,
    pub(super) refused: Vec<Numbered<Refused>>,
    pub(super) filter: Filter,
    /// The policy as written.
    pub(super) policy: PolicyValue,
    pub(super) compiled: Result<Box<dyn Pure>, Invalid>,
    /// How far offsets in the file are from those in the text; none if the text is not in the file.
    pub(super) shift: Option<isize>,
    /// Where the policy is, for coverage: several files may be about one.
    pub(super) about: String,
}

/// A case with its place in the list and in the file.
pub(super) struct Numbered<T> {
    pub(super) it: T,
    pub(super) index: usize,
    /// The line, from 1.
    pub(super) line: usize,
}

impl Suite {
    pub(super) fn len(&self) -> usize {
        self.cases.len() + self.refused.len()
    }

    /// Keeps the cases whose file or name has one of these texts.
    pub(super) fn keep(&mut self, only: &[String]) {
        let path = self.path.display().to_string();
        let wanted =
            |name: &str| only.is_empty() || only.iter().any(|t| path.contains(t) || name.contains(t));
        self.cases.retain(|case| wanted(&case.it.name));
        self.refused.retain(|case| wanted(&case.it.name));
    }

    /// Compiles a policy of this suite's filter.
    pub(super) fn compile(&self, tree: &PolicyValue) -> Result<Box<dyn Pure>, Invalid> {
        compile(self.filter, tree)
    }
}

fn compile(filter: Filter, tree: &PolicyValue) -> Result<Box<dyn Pure>, Invalid> {
    narrows_model::Filter::named(filter.name())
        .ok_or_else(|| Invalid::new(narrows_core::Code::NotJson, "no such filter", "name one"))
        .and_then(|model| model.compile(tree))
}

/// All suites of these files and folders, in the order of their paths; and the files that were named for
/// nothing, because no case is in them or beside them.
pub(super) fn suites(paths: &[PathBuf], chosen: &Chosen<'_>) -> Result<(Vec<Suite>, Vec<PathBuf>), CliError> {
    let mut suites = Vec::new();
    let mut idle = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in places::files(path)? {
                suites.extend(in_file(&file, chosen, None)?);
            }
            continue;
        }
        let mut found = in_file(path, chosen, None)?;
        if found.is_empty() && path.as_os_str() == "-" {
            return Err(CliError::new(
                "there are no cases in the standard input",
                "give it a case file, with \"cases\"; cases beside a policy are found if its file is named",
            ));
        }
        if found.is_empty() {
            // A policy has its cases beside it.
            let same = std::fs::canonicalize(path).ok();
            for file in places::beside(path)? {
                found.extend(in_file(&file, chosen, same.as_deref())?);
            }
        }
        if found.is_empty() {
            idle.push(path.clone());
        }
        suites.extend(found);
    }
    // A case file may be named, and found beside its policy.
    let mut known = BTreeSet::new();
    suites.retain(|suite: &Suite| {
        let file = std::fs::canonicalize(&suite.path).unwrap_or_else(|_| suite.path.clone());
        known.insert((file, suite.shift, suite.document.at.start))
    });
    Ok((suites, idle))
}

/// The suites of one file; with `about`, only those that name this policy.
fn in_file(path: &Path, chosen: &Chosen<'_>, about: Option<&Path>) -> Result<Vec<Suite>, CliError> {
    let source = SourceFile::read(path)?;
    if !source.text.contains("cases") && !source.text.contains("refused") {
        return Ok(Vec::new());
    }
    let mut suites = Vec::new();
    for text in documents_of(&source.text) {
        // A document keeps its own bytes; blank lines stand for what is before it.
        let shift = shift(&source.text, &text);
        if !Written::is_in(&text) {
            suites.extend(annotated(path, &source, &text, chosen).transpose()?);
            continue;
        }
        let piece = SourceFile { path: source.path.clone(), text };
        let written = Written::parse(&piece.text).map_err(|fault| {
            let lines = piece.lines();
            let at = lines.start_of(fault.line) + fault.column.saturating_sub(1);
            let help = fault.help.as_deref().unwrap_or(DESCRIBED);
            let finding = Finding::error(code::BAD_CASES, &(at..at + 1), "", &fault.message, help);
            refused(Output::Text, piece.clone(), vec![finding])
        })?;
        let names_it = |file: &PathBuf| {
            std::fs::canonicalize(path.parent().unwrap_or(path).join(file)).ok().as_deref() == about
        };
        if about.is_none() || written.policy_file.as_ref().is_some_and(names_it) {
            suites.push(Suite { shift: Some(shift), ..suite(path, &source, piece, written, chosen)? });
        }
    }
    Ok(suites)
}

/// How far the offsets of a document are from those of its file.
fn shift(file: &str, document: &str) -> isize {
    let blank = document.len() - document.trim_start_matches('\n').len();
    let lines: usize = file.split_inclusive('\n').take(blank).map(str::len).sum();
    isize::try_from(lines).unwrap_or_default() - isize::try_from(blank).unwrap_or_default()
}

/// The documents of a file; blank lines stand for what is before each.
pub(super) fn documents_of(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let begins = line.trim_end() == "---";
        if begins {
            documents.push("\n".repeat(number + 1));
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
        }
    }
    documents
}

/// The cases that a resource carries in its annotation.
fn annotated(
    path: &Path,
    file: &SourceFile,
    text: &str,
    chosen: &Chosen<'_>,
) -> Option<Result<Suite, CliError>> {
    let source = SourceFile { path: file.path.clone(), text: text.to_owned() };
    let documents = source.documents().ok()?;
    let resource = documents.iter().flat_map(documents::resources).find(|r| r.get(ANNOTATION).is_some())?;
    let cases = resource.text_at(ANNOTATION)?.to_owned();
    let written = match Written::parse(&cases) {
        Ok(written) => written,
        Err(fault) => {
            let message = format!("in the annotation, line {}: {}", fault.line, fault.message);
            let at = resource.get(ANNOTATION).map(Node::head).unwrap_or_default();
            let help = fault.help.as_deref().unwrap_or(DESCRIBED);
            let finding = Finding::error(code::BAD_CASES, &at, "", &message, help);
            return Some(Err(refused(Output::Text, source, vec![finding])));
        }
    };
    let inner = SourceFile { path: source.path.clone(), text: cases };
    Some(suite(path, file, inner, written, chosen))
}

/// What every case file needs.
const DESCRIBED: &str = "narrows explain NRW690 shows a case file, narrows schema cases has every field";

/// Where a resource has its cases, so that it can still be applied.
const ANNOTATION: &str = "metadata.annotations.narrows-cases";

/// The suite of a piece of a file.
fn suite(
    path: &Path,
    file: &SourceFile,
    source: SourceFile,
    written: Written,
    chosen: &Chosen<'_>,
) -> Result<Suite, CliError> {
    let documents = source.documents().map_err(|fault| refused(Output::Text, source.clone(), vec![fault]))?;
    let document = documents.into_iter().next().unwrap_or(Node { at: 0..0, value: Value::Table(Vec::new()) });
    let (filter, policy, about) = policy(path, file, (&source, &document), &written, chosen)?;
    if let (false, Some(case)) = (chosen.records, written.cases.iter().find(|c| c.expect.is_empty())) {
        let index = written.cases.iter().position(|other| other.name == case.name).unwrap_or_default();
        let at = document.get("cases").and_then(|list| Some(list.elements().get(index)?.head()));
        let help = "write \"expect\", or let --record write what happens";
        let message = format!("case {:?} expects nothing", case.name);
        let finding = Finding::error(code::BAD_CASES, &at.unwrap_or(0..1), "", &message, help);
        return Err(refused(Output::Text, source.clone(), vec![finding]));
    }
    let lines = source.lines();
    let line = |list: &str, index: usize| {
        let at = document.get(list).and_then(|list| list.elements().get(index)).map(|case| case.at.start);
        at.map_or(1, |at| lines.position(at).0)
    };
    let cases = written.cases.into_iter().enumerate();
    let cases = cases.map(|(index, it)| Numbered { it, index, line: line("cases", index) }).collect();
    let refusals = written.refused.into_iter().enumerate();
    let refusals = refusals.map(|(index, it)| Numbered { it, index, line: line("refused", index) }).collect();
    let compiled = compile(filter, &policy);
    drop(lines);
    Ok(Suite {
        path: path.to_owned(),
        source,
        document,
        cases,
        refused: refusals,
        filter,
        policy,
        compiled,
        shift: None,
        about,
    })
}

/// The policy that a case file is about: that of the command line, its own, the one it names, or the
/// one in the same file.
fn policy(
    path: &Path,
    file: &SourceFile,
    piece: (&SourceFile, &Node),
    written: &Written,
    chosen: &Chosen<'_>,
) -> Result<(Filter, PolicyValue, String), CliError> {
    let (piece, document) = piece;
    let folder = path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let named = chosen.filter.or_else(|| Filter::named(&folder));
    let loaded = |file: &Path| {
        let loaded = loaded::written(file, named)?;
        let about = std::fs::canonicalize(file).unwrap_or(file.to_owned());
        Ok((loaded.filter, loaded.node.tree(), about.display().to_string()))
    };
    if let Some(file) = chosen.policy {
        return loaded(file);
    }
    if let Some(file) = &written.policy_file {
        let there = path.parent().unwrap_or(path).join(file);
        if let (false, Some(named)) = (there.is_file(), document.get("policyFile")) {
            let message = format!("there is no file {:?}", there.display().to_string());
            let help = "write the path from the folder of the case file";
            let finding = Finding::error(code::BAD_CASES, &named.at, "policyFile", &message, help);
            return Err(refused(Output::Text, piece.clone(), vec![finding]));
        }
        return loaded(&there);
    }
    let about = file.path.clone();
    if let Some(own) = document.get("policy") {
        let Some(filter) = Filter::of_policy(own).or(named) else {
            return Err(CliError::new(
                format!("nothing says for which filter the policy of {about:?} is"),
                "write \"filter\" into it, or name it with --filter",
            ));
        };
        return Ok((filter, own.tree(), about));
    }
    if has_other_documents(file) {
        let loaded = loaded::written_beside(file, named)?;
        return Ok((loaded.filter, loaded.node.tree(), about));
    }
    // A plugin without a configuration has an empty policy.
    let empty = |filter| (filter, PolicyValue::Table(Vec::new()), about.clone());
    named.map(empty).ok_or_else(|| {
        CliError::new(
            format!("nothing says which policy the cases of {about:?} are about"),
            "write it under \"policy\", or name its file under \"policyFile\" or with --policy",
        )
    })
}

/// Whether something else than cases is in a file: the policy that they are about.
fn has_other_documents(file: &SourceFile) -> bool {
    let says = |text: &str| text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'));
    documents_of(&file.text).iter().any(|text| says(text) && !Written::is_in(text))
}
