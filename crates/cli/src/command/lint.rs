//! `narrows lint`

mod fix;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, FilterName};
use crate::error::CliError;
use crate::explain;
use crate::files::{self, Pattern};
use crate::finding::Level;
use crate::istio::Release;
use crate::lint::{self, Checked, Options};
use crate::report::{self, Format, Screen};
use crate::screen::{self, Colour};
use crate::settings::Settings;
use crate::source::SourceFile;

/// Check policies and the resources around them
///
/// Reads bare policies, resources of Istio (`WasmPlugin`, `TrafficExtension`, `Telemetry`,
/// `EnvoyFilter`), resources that route traffic (`VirtualService`, `DestinationRule`, `Gateway`,
/// `ServiceEntry`, `Service`), and configuration of Envoy; YAML or JSON, several documents in a
/// file. Files that are named together are checked as applied together. What is none of ours is
/// passed over.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The files, folders or patterns such as 'deploy/**/*.yaml'; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The filter of bare policies that do not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// The Istio release that the resources are for, of 1.12 to 1.31 [default: the newest of them]
    #[arg(long, value_name = "RELEASE")]
    istio: Option<Release>,
    /// Istio's root namespace [default: istio-system]
    #[arg(long, value_name = "NAME")]
    root_namespace: Option<String>,
    /// Report only these codes, or those that begin so; can be repeated
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not report these codes, or those that begin so; can be repeated
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// The warnings that are accepted before the exit code is 1 [default: 0]
    #[arg(long, value_name = "NUMBER")]
    max_warnings: Option<usize>,
    /// A pattern of files that are not looked at; can be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// The settings [default: the nearest narrows.toml, from here up to the root of the repository]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set right in place what is certain, such as a misspelt field with one known name near it;
    /// comments stay. What is left is reported
    #[arg(long)]
    fix: bool,
    /// With --fix: print the lines that would change, and change nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Below the findings, print what each policy takes in every worker of a proxy, by part; with
    /// `--format text` alone
    #[arg(long)]
    cost: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: Colour,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let settings = Settings::read(self.config.as_deref())?;
        let (options, exclude) = self.options(&settings)?;
        let names = files::expand(&self.files, &exclude)?;
        let (mut checked, mut unread) = check(&names, &options);
        let mut fixed = fix::Fixed::default();
        if self.fix {
            fixed = fix::all(&checked, &options, self.dry_run)?;
            if fixed.findings > 0 && !self.dry_run {
                (checked, unread) = check(&names, &options);
            }
        }
        if checked.is_empty()
            && let [only] = &unread[..]
        {
            return Err(only.clone());
        }
        if self.dry_run {
            return Ok(Done { findings: fixed.findings > 0, ..Done::clean(fixed.patch) });
        }
        let screen = Screen { colour: self.color.of_output(), width: screen::width() };
        let mut output = match self.format {
            Format::Sarif => report::sarif(&checked, settings.docs.as_deref()),
            format => report::report(format, &checked, screen),
        };
        if self.cost && self.format == Format::Text {
            output.push_str(&report::costs(&checked));
        }
        let count = |level| checked.iter().flat_map(|c| &c.findings).filter(|f| f.level == level).count();
        let accepted = self.max_warnings.or(settings.lint.max_warnings).unwrap_or_default();
        let mut notes = unread.iter().map(|error| format!("{error}\n")).collect::<String>();
        if fixed.findings > 0 {
            let what = if fixed.findings == 1 { "finding" } else { "findings" };
            notes.push_str(&format!("set right: {} {what}\n", fixed.findings));
        }
        notes.push_str(&nothing_in(&self.files, &checked));
        Ok(Done {
            findings: count(Level::Error) > 0 || count(Level::Warning) > accepted,
            is_failure: !unread.is_empty(),
            refusal: notes,
            ..Done::clean(output)
        })
    }

    /// What the options and the settings say of the files, and which files are left out.
    fn options(&self, settings: &Settings) -> Result<(Options, Vec<Pattern>), CliError> {
        let either = |given: &[String], set: &[String]| if given.is_empty() { set } else { given }.to_vec();
        let options = Options {
            filter: self.filter.map(|name| name.0),
            istio: match self.istio {
                Some(istio) => Some(istio),
                None => settings.istio()?,
            },
            root: self.root_namespace.clone().or_else(|| settings.root_namespace.clone()),
            gateways: settings.gateways(),
            select: either(&self.select, &settings.lint.select),
            ignore: [&self.ignore[..], &settings.lint.ignore[..]].concat(),
            per_file: settings.per_file()?,
        };
        let codes = options.per_file.iter().flat_map(|of| &of.codes);
        options.select.iter().chain(&options.ignore).chain(codes).try_for_each(|code| is_code(code))?;
        let mut exclude = settings.exclude()?;
        for text in &self.exclude {
            exclude.push(Pattern::new(text, Path::new(""))?);
        }
        Ok((options, exclude))
    }
}

/// A note on the files that were named, and in which nothing was found to check.
fn nothing_in(named: &[PathBuf], checked: &[Checked]) -> String {
    let is_named = |path: &str| named.iter().any(|name| name.as_os_str() == path);
    let is_empty = |c: &&Checked| c.policies == 0 && c.manifests == 0 && c.findings.is_empty();
    let empty: Vec<_> = checked.iter().filter(|c| is_named(&c.source.path)).filter(is_empty).collect();
    let is_all = checked.iter().all(|c| is_empty(&c));
    let folder = named.iter().find(|name| is_all && name.is_dir());
    match &empty[..] {
        [] => folder.map_or_else(String::new, |folder| {
            let files = match checked.len() {
                0 => "no file there ends in .yaml, .yml or .json".to_owned(),
                1 => "its one file has none".to_owned(),
                many => format!("its {many} files have none"),
            };
            format!("note: no policy found in {:?}: {files}\n", folder.display().to_string())
        }),
        [one] => format!("note: no policy found in {:?}\n", one.source.path),
        [first, rest @ ..] => {
            format!("note: no policy found in {:?} and {} more\n", first.source.path, rest.len())
        }
    }
}

/// Refuses what is not the beginning of any code.
fn is_code(begin: &str) -> Result<(), CliError> {
    if !begin.is_empty() && explain::all().iter().any(|code| code.id.starts_with(begin)) {
        return Ok(());
    }
    Err(CliError::new(format!("no code begins with {begin:?}"), "run \"narrows explain\" for the list"))
}

/// Checks all files that can be read, and returns why the others cannot.
fn check(files: &[PathBuf], options: &Options) -> (Vec<Checked>, Vec<CliError>) {
    let mut unread = Vec::new();
    let mut sources = Vec::new();
    let mut broken = Vec::new();
    for path in files {
        match SourceFile::read_lossy(path) {
            Ok((source, None)) => sources.push(source),
            Ok((source, Some(finding))) => broken.push(Checked::with(source, vec![finding])),
            Err(error) => unread.push(error),
        }
    }
    let mut checked = lint::check_all(sources, options);
    checked.extend(broken);
    (checked, unread)
}
