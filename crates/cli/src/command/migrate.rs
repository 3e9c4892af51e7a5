//! `narrows migrate`

pub(super) mod report;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::Args;
use narrows_core::PolicyValue;

use super::loaded::refused;
use super::{Done, Output};
use crate::error::CliError;
use crate::escape;
use crate::files;
use crate::filter::Filter;
use crate::migrate::attach::Attach;
use crate::migrate::difference::Kind;
use crate::migrate::{self, Made, Unread};
use crate::source::SourceFile;
use crate::write::file;
use crate::write::{json, yaml};

/// Convert another router's configuration into a policy
///
/// Reads Istio's `VirtualService`, Gateway API's `HTTPRoute`, the canary annotations of ingress-nginx,
/// Higress's traffic-tag and frontend-gray, and Envoy's virtual hosts. The policy is the output. What
/// differs, and what stays where it is, is listed with its place. Whatever cannot be converted is refused,
/// and then nothing is.
///
/// The exit code is 1 if some requests are treated in another way than before, and 2 if something is refused.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The files, which are converted together; `-` is the standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the policy to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the routes that the policy needs to this file: one for each destination
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    /// Write case files that hold what the old configuration did, for `narrows test`
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// What tells users apart, so that each keeps its side: header:NAME, cookie:NAME or query:NAME
    #[arg(long, value_name = "SOURCE:NAME", value_parser = key)]
    key: Vec<PolicyValue>,
    /// Exit with 0 although some requests are treated in another way
    #[arg(long)]
    allow_differences: bool,
    /// Text for people, or JSON with all of it for programs
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        self.outputs()?;
        let sources: Vec<SourceFile> =
            self.files.iter().map(|file| SourceFile::read(file)).collect::<Result<_, _>>()?;
        let migration = migrate::migrate(&sources, &self.key).map_err(|unread| match unread {
            Unread::Broken(number, finding) => match sources.get(number) {
                Some(source) => refused(self.format, source.clone(), vec![*finding]),
                None => CliError::new(finding.message, finding.help),
            },
            Unread::Nothing => CliError::new(
                "these files have nothing that is converted",
                "name a VirtualService, an HTTPRoute, Ingresses, a plugin of Higress, or routes of Envoy",
            ),
        })?;
        let differs = migration.differences.iter().any(|one| one.kind == Kind::Differs);
        let said = report::text(&sources, &migration.differences);
        let Some(made) = &migration.made else {
            let output = match self.format {
                Output::Text => String::new(),
                Output::Json => report::json(&sources, &migration.differences, None),
            };
            return Ok(Done { output, refusal: said, findings: false, is_failure: true });
        };
        let written = self.write(made)?;
        let output = match self.format {
            Output::Json => report::json(&sources, &migration.differences, Some(made)),
            Output::Text if self.out.is_some() => String::new(),
            Output::Text => yaml::document(&made.policy),
        };
        let refusal = match self.format {
            Output::Text => said + &self.next(made) + &written,
            Output::Json => String::new(),
        };
        Ok(Done { output, refusal, findings: differs && !self.allow_differences, is_failure: false })
    }

    /// Writes the files that were asked for, all or none; says so.
    fn write(&self, made: &Made) -> Result<String, CliError> {
        let mut all: Vec<(&Path, String, &str)> = Vec::new();
        if let Some(path) = &self.out {
            all.push((path, yaml::document(&made.policy), "policy"));
        }
        if let Some(path) = &self.routes {
            if made.routes.is_empty() {
                return Err(CliError::new(
                    "a plugin has no routes",
                    "leave out --routes: the routes that look for its header stay as they are",
                ));
            }
            let documents: Vec<String> = made.routes.iter().map(yaml::document).collect();
            all.push((path, documents.join("---\n"), "routes"));
        }
        if let Some(path) = &self.cases {
            all.push((path, self.case_file(path, made)?, "cases"));
        }
        let mut said = String::new();
        all.iter().try_for_each(|(path, ..)| file::may_write(path))?;
        for (path, text, what) in all {
            let replaces = if path.is_file() { ", in place of what was there" } else { "" };
            file::write(path, &text)?;
            said.push_str(&format!("{what} written to {}{replaces}\n", path.display()));
        }
        Ok(said)
    }

    /// Refuses an output that is an input or another output: one of them would be lost.
    fn outputs(&self) -> Result<(), CliError> {
        let outputs = [("--out", &self.out), ("--routes", &self.routes), ("--cases", &self.cases)];
        let mut known: Vec<(&str, PathBuf)> = Vec::new();
        for (option, path) in outputs.iter().filter_map(|(option, path)| Some((*option, path.as_ref()?))) {
            let shown = path.display().to_string();
            let file = files::canonical(path);
            if self.files.iter().any(|input| files::canonical(input) == file) {
                return Err(CliError::new(
                    format!("{option} {shown:?} is a file that is converted"),
                    "name another file: the old configuration is needed to go back",
                ));
            }
            if let Some((other, _)) = known.iter().find(|(_, known)| *known == file) {
                return Err(CliError::new(
                    format!("{other} and {option} name the same file, {shown:?}"),
                    "name a file for each",
                ));
            }
            // A pipe or a device takes one after the other.
            if file.is_file() || !file.exists() {
                known.push((option, file));
            }
        }
        Ok(())
    }

    /// The case file, beside the policy or with it.
    fn case_file(&self, path: &Path, made: &Made) -> Result<String, CliError> {
        if made.cases.is_empty() {
            return Err(CliError::new("no case was found", "leave out --cases, and write cases by hand"));
        }
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        let policy = match &self.out {
            Some(out) if out.parent() == path.parent() => {
                let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
                ("policyFile", PolicyValue::Text(name))
            }
            Some(out) => {
                let out = std::path::absolute(out).unwrap_or_else(|_| out.clone());
                ("policyFile", PolicyValue::Text(out.display().to_string()))
            }
            None => ("policy", made.policy.clone()),
        };
        let about = PolicyValue::Text(format!("what {} did", names.join(" and ")));
        let fields = [("about", about), policy, ("cases", PolicyValue::List(made.cases.clone()))];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let missing: String = made
            .without_case
            .iter()
            .map(|name| format!("# no request was found for: {}\n", escape::line(name)))
            .collect();
        Ok(missing + &yaml::document(&PolicyValue::Table(fields)))
    }

    /// What is still to be done.
    fn next(&self, made: &Made) -> String {
        let mut next = String::new();
        if self.routes.is_none() && !made.routes.is_empty() {
            next.push_str("note: the policy needs a route for each destination; --routes FILE writes them\n");
        }
        let file = self.out.as_deref().unwrap_or(Path::new("policy.yaml")).display().to_string();
        next.push_str(&kept(made));
        for place in &made.attach {
            let command = command(&file, made.filter, place);
            next.push_str(&format!("note: attach it to {}:\n  {command}\n", escape::line(&place.proxies)));
        }
        next
    }
}

/// What the routes are for, and in which order they come.
fn kept(made: &Made) -> String {
    let mut notes = String::new();
    if made.has_rest {
        notes.push_str(
            "note: what the policy does not take passes untouched, and the last of the routes serves it\n",
        );
    }
    let kind = made.routes.first().and_then(|routes| match routes {
        PolicyValue::Table(fields) => fields.iter().find(|(name, _)| name == "kind"),
        _ => None,
    });
    if let (Some((_, PolicyValue::Text(kind))), true) = (kind, made.replaces) {
        notes.push_str(&format!(
            "note: the routes replace the {kind} of the same name: apply the plugin first, then the routes;\n  \
             to go back, apply the old {kind}, then delete the plugin\n"
        ));
        if rewrites(&made.policy) {
            // The first route that matches is taken in a VirtualService, and elsewhere the longest.
            let then = match &**kind {
                "VirtualService" => {
                    "put the new routes with a match before the old ones, apply that, then the plugin, and then the \
                     routes alone"
                }
                _ => "some requests may go elsewhere until then",
            };
            notes.push_str(&format!(
                "note: the policy changes paths or headers, and until the routes are there the old {kind} looks at \
                 what has been changed:\n  {then}\n"
            ));
        }
    }
    notes
}

/// Whether a policy changes what routes look at, besides the route header.
fn rewrites(policy: &PolicyValue) -> bool {
    match policy {
        PolicyValue::Table(fields) => fields
            .iter()
            .any(|(name, value)| ["rewrite", "requestHeaders"].contains(&name.as_str()) || rewrites(value)),
        PolicyValue::List(elements) => elements.iter().any(rewrites),
        _ => false,
    }
}

/// The command that writes a policy as what attaches it.
pub(super) fn command(file: &str, filter: Filter, place: &Attach) -> String {
    let (name, version) = (filter.name(), env!("CARGO_PKG_VERSION"));
    let url = format!("oci://registry.example/narrows/{name}:{version}");
    let words = ["narrows", "render", file].into_iter().chain(place.options.iter().map(String::as_str));
    let is_resource = !place.options.iter().any(|option| option == "envoy-filter-block");
    let module = ["--url", &url].into_iter().filter(|_| is_resource);
    let quoted = words.chain(module).map(quoted);
    escape::line(&quoted.collect::<Vec<_>>().join(" ")).into_owned()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:=".contains(&byte));
    if is_plain { Cow::Borrowed(word) } else { shlex::try_quote(word).unwrap_or_default() }
}

/// A key as the command line has it.
fn key(text: &str) -> Result<PolicyValue, String> {
    let field = |name: &str, value: &str| {
        PolicyValue::Table(vec![(name.to_owned(), PolicyValue::Text(value.to_owned()))])
    };
    match text.split_once(':') {
        Some(("header", name)) if !name.is_empty() => Ok(field("header", &name.to_ascii_lowercase())),
        Some(("cookie", name)) if !name.is_empty() => Ok(field("cookie", name)),
        Some(("query", name)) if !name.is_empty() => Ok(field("queryParam", name)),
        _ => Err("write header:NAME, cookie:NAME or query:NAME".to_owned()),
    }
}

/// A policy and what belongs to it, as JSON.
pub(super) fn value(tree: &PolicyValue) -> serde_json::Value {
    serde_json::from_str(&json::lines(tree)).unwrap_or_default()
}
