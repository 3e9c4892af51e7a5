//! `narrows render`

mod kept;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::loaded::{chosen, policy_in};
use super::{Done, FilterName, Output};
use crate::error::CliError;
use crate::finding::Level;
use crate::istio::{Mode, Release};
use crate::kubernetes;
use crate::lint::{self, Options};
use crate::render::{self, Kept, RenderRequest, Shape};
use crate::report::{self, Format};
use crate::settings::Settings;
use crate::source::SourceFile;

/// Write a policy as configuration for Istio or Envoy
///
/// Fields that the Istio release does not have are left out, and a comment says what that means.
/// Where Istio authorizes requests (inbound, at gateways and waypoints), a policy that rewrites path
/// or host is attached after authorization, and a plugin that only strips is written before it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy, bare or in a resource; what the resource says besides is kept. FILE#NAME is one of
    /// several
    policy: PathBuf,
    /// The output
    #[arg(long = "as", value_enum, value_name = "SHAPE")]
    shape: Shape,
    /// The Istio release that will read it, of 1.12 to 1.31 [default: that of narrows.toml, or the newest]
    #[arg(long, value_name = "RELEASE")]
    istio: Option<Release>,
    /// The name of the resource [default: the name that it has, or that of the filter]
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// The namespace of the resource
    #[arg(long, value_parser = namespace)]
    namespace: Option<String>,
    /// A label of the workloads to attach to; can be repeated
    #[arg(long, value_name = "LABEL=VALUE", value_parser = pair('='))]
    selector: Vec<(String, String)>,
    /// A target of Gateway API to attach to, such as Gateway/shop or Service/shop; can be repeated
    #[arg(long, value_name = "KIND/NAME", value_parser = pair('/'), conflicts_with = "selector")]
    target: Vec<(String, String)>,
    /// The address of the module: oci://…, https://…, file:///…
    #[arg(long)]
    url: Option<String>,
    /// The SHA-256 digest of the module
    #[arg(long, value_name = "HEX", value_parser = hex)]
    sha256: Option<String>,
    /// The digest of the image, as `narrows pack` prints it: it stands in the url in place of a tag
    #[arg(long, value_name = "SHA256:HEX", value_parser = image_digest, conflicts_with = "sha256")]
    digest: Option<String>,
    /// The direction to run in [default: both]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// A port to run on; can be repeated [default: all]
    #[arg(long = "port", value_name = "NUMBER", value_parser = port)]
    ports: Vec<u16>,
    /// The workloads are gateways, although no label of Istio shows it
    #[arg(long)]
    gateway: bool,
    /// The phase [default: that of the filter, on the right side of authorization]
    #[arg(long, value_enum)]
    phase: Option<Phase>,
    /// The priority within the phase, higher first [default: that of the filter]
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Refuse every bad policy, even the first one: then traffic is refused instead of passing unfiltered
    #[arg(long)]
    strict: bool,
    /// The metric of Istio that gets the labels [default: all of them]
    #[arg(long, value_name = "METRIC", value_parser = HTTP_METRICS)]
    metric: Option<String>,
    /// The filter, if the policy does not name it
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
}

/// The metrics of Istio about requests.
const HTTP_METRICS: [&str; 5] =
    ["ALL_METRICS", "REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE"];

/// A phase, in Istio's words.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum Phase {
    /// Before Istio's authentication
    Authn,
    /// Between authentication and authorization
    Authz,
    /// After authorization
    Stats,
}

/// The shapes that an option is for.
type For = &'static [Shape];
const PLUGINS: For = &[Shape::WasmPlugin, Shape::TrafficExtension];
const ISTIOS: For = &[Shape::WasmPlugin, Shape::TrafficExtension, Shape::EnvoyFilter, Shape::Telemetry];
const PLACES: For = &[Shape::WasmPlugin, Shape::TrafficExtension, Shape::EnvoyFilter];
const DIGESTS: For = &[Shape::WasmPlugin, Shape::TrafficExtension, Shape::EnvoyExtensionPolicy];
const RESOURCES: For = &[
    Shape::WasmPlugin,
    Shape::TrafficExtension,
    Shape::EnvoyExtensionPolicy,
    Shape::EnvoyFilter,
    Shape::Telemetry,
];
const TELEMETRY: For = &[Shape::Telemetry];
const MODULES: For = &[
    Shape::WasmPlugin,
    Shape::TrafficExtension,
    Shape::EnvoyExtensionPolicy,
    Shape::EnvoyFilter,
    Shape::EnvoyFilterBlock,
];
/// Those that have the module in a file of the proxy.
const FILES: For = &[Shape::EnvoyFilter, Shape::EnvoyFilterBlock];

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        self.has_effect()?;
        let istio = match self.istio {
            Some(istio) => istio,
            None => Settings::read(None)?.istio()?.unwrap_or(Release::NEWEST),
        };
        let (path, chosen) = chosen(&self.policy);
        let source = SourceFile::read(&path)?;
        let filter = self.filter.map(|name| name.0);
        let loaded = policy_in(&source, chosen.as_deref(), filter, Output::Text)?;
        let mut kept = Kept::of(&source, &loaded.resource, loaded.filter, &loaded.node);
        self.is_kept(&source, &loaded, &kept)?;
        let own = || loaded.filter.name().to_owned();
        let is_attached = self.selector.is_empty() && self.target.is_empty();
        let (selector, targets) = if is_attached {
            (std::mem::take(&mut kept.selector), std::mem::take(&mut kept.targets))
        } else {
            (self.selector, self.target)
        };
        // Envoy's own files have the module in a file.
        let url = self.url.or(kept.url.clone().filter(|_| !FILES.contains(&self.shape)));
        let url = match self.digest {
            Some(digest) => Some(pinned(url.as_deref(), &digest)?),
            None => url,
        };
        let is_new = url != kept.url;
        let request = RenderRequest {
            filter: loaded.filter,
            tree: loaded.node.tree(),
            policy: &loaded.policy,
            istio,
            name: self.name.or_else(|| kept.name.take()).unwrap_or_else(own),
            namespace: self.namespace.or_else(|| kept.namespace.take()),
            selector,
            targets,
            // The digest of another module is wrong.
            sha256: self.sha256.or_else(|| kept.sha256.take().filter(|_| !is_new)),
            url,
            mode: self.mode,
            ports: self.ports,
            phase: self.phase.map(Phase::as_str),
            priority: self.priority.or(kept.priority),
            gateway: self.gateway,
            strict: self.strict,
            metric: self.metric,
            kept,
        };
        let rendered = render::render(self.shape, &request)?;
        Ok(accepted(rendered, istio))
    }

    /// Refuses an option that the shape does not have.
    fn has_effect(&self) -> Result<(), CliError> {
        let given: [(&str, bool, For); 14] = [
            ("--name", self.name.is_some(), RESOURCES),
            ("--namespace", self.namespace.is_some(), RESOURCES),
            ("--selector", !self.selector.is_empty(), ISTIOS),
            ("--target", !self.target.is_empty(), RESOURCES),
            ("--url", self.url.is_some(), MODULES),
            ("--sha256", self.sha256.is_some(), DIGESTS),
            ("--digest", self.digest.is_some(), PLUGINS),
            ("--mode", self.mode.is_some(), ISTIOS),
            ("--port", !self.ports.is_empty(), PLACES),
            ("--phase", self.phase.is_some(), PLUGINS),
            ("--priority", self.priority.is_some(), PLUGINS),
            ("--gateway", self.gateway, PLACES),
            ("--strict", self.strict, MODULES),
            ("--metric", self.metric.is_some(), TELEMETRY),
        ];
        let idle = given.iter().find(|(_, is_given, shapes)| *is_given && !shapes.contains(&self.shape));
        let Some((option, ..)) = idle else { return Ok(()) };
        let shape = self.shape.to_possible_value();
        let shape = shape.as_ref().map_or("", |value| value.get_name());
        Err(CliError::new(format!("{option} has no effect on {shape}"), "leave it out"))
    }
}

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Authn => "AUTHN",
            Self::Authz => "AUTHZ",
            Self::Stats => "STATS",
        }
    }
}

/// What was rendered; or the report, if `lint` would refuse it.
fn accepted(rendered: String, istio: Release) -> Done {
    let source = SourceFile { path: "what would be rendered".to_owned(), text: rendered };
    let options = Options { istio: Some(istio), ..Options::default() };
    let mut checked = lint::check(source, &options);
    checked.findings.retain(|finding| finding.level == Level::Error);
    if checked.findings.is_empty() {
        return Done::clean(checked.source.text);
    }
    Done { refusal: report::refusal(Format::Text, checked), findings: true, ..Done::clean(String::new()) }
}

/// The address of an image by its digest.
fn pinned(url: Option<&str>, digest: &str) -> Result<String, CliError> {
    let image = url.filter(|url| url.starts_with("oci://") || !url.contains("://")).ok_or_else(|| {
        CliError::new("--digest is for an image", "add --url oci://registry/repository, or write --sha256")
    })?;
    let name = image.split('@').next().unwrap_or_default();
    let repository = name.rsplit('/').next().unwrap_or_default();
    let tag = repository.split_once(':').map_or(0, |(_, tag)| tag.len() + 1);
    let untagged = name.get(..name.len() - tag).unwrap_or(name);
    Ok(format!("{untagged}@{digest}"))
}

fn image_digest(written: &str) -> Result<String, String> {
    let digest = written.strip_prefix("sha256:").filter(|digest| is_hex(digest));
    let help = "write sha256: and 64 digits of 0-9 and a-f, as `narrows pack` prints them";
    digest.map(|_| written.to_owned()).ok_or_else(|| help.to_owned())
}

fn hex(written: &str) -> Result<String, String> {
    let help = "write 64 digits of 0-9 and a-f, without \"sha256:\"";
    if is_hex(written) { Ok(written.to_owned()) } else { Err(help.to_owned()) }
}

fn is_hex(digest: &str) -> bool {
    digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A name of a resource.
fn name(written: &str) -> Result<String, String> {
    if kubernetes::is_name(written) { Ok(written.to_owned()) } else { Err(kubernetes::HELP.to_owned()) }
}

/// A name of a namespace.
fn namespace(written: &str) -> Result<String, String> {
    if kubernetes::is_label(written) { Ok(written.to_owned()) } else { Err(kubernetes::HELP.to_owned()) }
}

fn port(written: &str) -> Result<u16, String> {
    let port = written.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| "write a number from 1 to 65535".to_owned())
}

fn pair(at: char) -> impl Fn(&str) -> Result<(String, String), String> + Clone + Send + Sync {
    move |written| {
        let parts = written.split_once(at).filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let (name, value) = parts.ok_or_else(|| format!("write two parts with {at:?} between them"))?;
        Ok((name.to_owned(), value.to_owned()))
    }
}
