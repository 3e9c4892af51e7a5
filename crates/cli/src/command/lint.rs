//! `narrows lint`

use std::path::PathBuf;

use clap::Args;

use super::{Done, FilterName};
use crate::error::CliError;
use crate::istio::Release;
use crate::lint::{self, Checked, Options};
use crate::report::{self, Format, Screen};
use crate::screen::{self, Colour};
use crate::source::SourceFile;

/// Check policies and the resources around them
///
/// Reads bare policies, resources of Istio (`WasmPlugin`, `TrafficExtension`, `Telemetry`,
/// `EnvoyFilter`), resources that route traffic (`VirtualService`, `DestinationRule`, `Gateway`,
/// `ServiceEntry`, `Service`), and configuration of Envoy; YAML or JSON, several documents in a
/// file. Files that are named together are checked as applied together.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The files; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The filter of bare policies that do not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// The Istio release that the resources are for, such as 1.30 [default: the newest known]
    #[arg(long, value_name = "RELEASE")]
    istio: Option<Release>,
    /// Istio's root namespace [default: istio-system]
    #[arg(long, value_name = "NAME")]
    root_namespace: Option<String>,
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
        let options = Options {
            filter: self.filter.map(|name| name.0),
            istio: self.istio,
            root: self.root_namespace,
            ..Options::default()
        };
        let (checked, unread) = check(&self.files, &options);
        if checked.is_empty()
            && let [only] = &unread[..]
        {
            return Err(only.clone());
        }
        let screen = Screen { colour: self.color.of_output(), width: screen::width() };
        let mut output = report::report(self.format, &checked, screen);
        if self.cost && self.format == Format::Text {
            output.push_str(&report::costs(&checked));
        }
        Ok(Done {
            findings: checked.iter().any(|c| !c.findings.is_empty()),
            is_failure: !unread.is_empty(),
            refusal: unread.iter().map(|error| format!("{error}\n")).collect(),
            ..Done::clean(output)
        })
    }
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
