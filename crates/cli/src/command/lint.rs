//! `narrows lint`

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::{Done, FilterName};
use crate::error::CliError;
use crate::istio::Release;
use crate::lint::{self, Options};
use crate::report::{self, Format};
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
    /// Below the findings, print what each policy takes in every worker of a proxy, by part; with
    /// `--format text` alone
    #[arg(long)]
    cost: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let options = Options { filter: self.filter.map(|name| name.0), istio: self.istio };
        let sources = self.files.iter().map(|path| SourceFile::read(path)).collect::<Result<_, _>>()?;
        let checked = lint::check_all(sources, options);
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut output = report::report(self.format, &checked, colour);
        if self.cost && self.format == Format::Text {
            output.push_str(&report::costs(&checked));
        }
        Ok(Done { output, refusal: String::new(), findings: checked.iter().any(|c| !c.findings.is_empty()) })
    }
}
