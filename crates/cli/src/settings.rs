//! `narrows.toml`: what is true of all files of a project, so that nobody has to say it again.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::CliError;
use crate::files::Pattern;
use crate::istio::Release;
use crate::lint::{KnownGateway, PerFile};
use crate::source;

/// The name of the file.
pub const NAME: &str = "narrows.toml";

/// The settings of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The folder of the file, from which its patterns start.
    #[serde(skip)]
    folder: PathBuf,
    istio: Option<String>,
    /// Where the site of the documents is, for programs that link to the page of a code.
    pub docs: Option<String>,
    /// Istio's root namespace.
    pub root_namespace: Option<String>,
    #[serde(default)]
    gateways: Vec<Gateway>,
    /// What `narrows lint` reports.
    #[serde(default)]
    pub lint: Lint,
}

/// What `narrows lint` reports.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lint {
    /// The only codes, or beginnings of codes, that are reported.
    #[serde(default)]
    pub select: Vec<String>,
    /// Codes, or beginnings of codes, that are not reported.
    #[serde(default)]
    pub ignore: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    /// The warnings that are accepted.
    pub max_warnings: Option<usize>,
    #[serde(default)]
    per_file: Vec<OfFiles>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OfFiles {
    files: String,
    ignore: Vec<String>,
    reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Gateway {
    labels: BTreeMap<String, String>,
    namespace: Option<String>,
    #[serde(default)]
    ports: Vec<u16>,
}

impl Settings {
    /// Reads the settings: of this file or, without one, of the nearest `narrows.toml` in this folder and
    /// above, up to the root of the repository.
    pub fn read(named: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = named.map(Path::to_owned).or_else(nearest) else { return Ok(Self::default()) };
        let name = path.display().to_string();
        let refuse = |what: String| {
            CliError::new(format!("cannot read {name:?}: {what}"), "see \"narrows.toml\" in the README")
        };
        let text = String::from_utf8(source::whole(&path, source::WHOLE)?)
            .map_err(|_| refuse("it is not UTF-8".to_owned()))?;
        let settings: Result<Self, _> = toml::from_str(&text).map_err(|e| {
            let line = e
                .span()
                .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
            refuse(format!("{} at line {line}", e.message()))
        });
        let folder = std::path::absolute(&path).ok().and_then(|path| Some(path.parent()?.to_owned()));
        Ok(Self { folder: folder.unwrap_or_default(), ..settings? })
    }

    /// The Istio release that the resources are for.
    pub fn istio(&self) -> Result<Option<Release>, CliError> {
        let refuse = |what| CliError::new(format!("{NAME}: istio: {what}"), "write istio = \"1.30\"");
        self.istio.as_ref().map(|text| text.parse().map_err(refuse)).transpose()
    }

    /// The gateways that no file shows.
    pub fn gateways(&self) -> Vec<KnownGateway> {
        let known = |gateway: &Gateway| KnownGateway {
            labels: gateway.labels.clone().into_iter().collect(),
            namespace: gateway.namespace.clone(),
            ports: gateway.ports.iter().copied().map(i64::from).collect(),
        };
        self.gateways.iter().map(known).collect()
    }

    /// The files that are not looked at.
    pub fn exclude(&self) -> Result<Vec<Pattern>, CliError> {
        self.lint.exclude.iter().map(|text| Pattern::new(text, &self.folder)).collect()
    }

    /// What is not reported of some files.
    pub fn per_file(&self) -> Result<Vec<PerFile>, CliError> {
        let read = |of: &OfFiles| {
            if of.reason.trim().is_empty() {
                let message = format!("{NAME}: the files {:?} are spared without a reason", of.files);
                return Err(CliError::new(message, "say in \"reason\" why"));
            }
            Ok(PerFile { files: Pattern::new(&of.files, &self.folder)?, codes: of.ignore.clone() })
        };
        self.lint.per_file.iter().map(read).collect()
    }
}

/// The nearest file of that name, in this folder and above, up to the root of the repository.
fn nearest() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    for folder in here.ancestors() {
        let file = folder.join(NAME);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    None
}
