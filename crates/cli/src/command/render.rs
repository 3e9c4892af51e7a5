//! `narrows render`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::loaded::policy;
use super::{Done, FilterName, Output};
use crate::error::CliError;
use crate::istio::{Mode, Release};
use crate::render::{self, RenderRequest, Shape};

/// Write a policy as configuration for Istio or Envoy
///
/// Fields that the Istio release does not have are left out, and a comment says what that means.
/// Where Istio authorizes requests (inbound, at gateways and waypoints), a policy that rewrites path
/// or host is attached after authorization, and a plugin that only strips is written before it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy, bare or in a resource
    policy: PathBuf,
    /// The output
    #[arg(long = "as", value_enum, value_name = "SHAPE")]
    shape: Shape,
    /// The Istio release that will read it, such as 1.30
    #[arg(long, value_name = "RELEASE", default_value_t = Release::NEWEST)]
    istio: Release,
    /// The name of the resource [default: the name of the filter]
    #[arg(long)]
    name: Option<String>,
    /// The namespace of the resource
    #[arg(long)]
    namespace: Option<String>,
    /// A label of the workloads to attach to; can be repeated
    #[arg(long, value_name = "LABEL=VALUE", value_parser = pair('='))]
    selector: Vec<(String, String)>,
    /// A target of Gateway API to attach to, such as Gateway/shop; can be repeated
    #[arg(long, value_name = "KIND/NAME", value_parser = pair('/'), conflicts_with = "selector")]
    target: Vec<(String, String)>,
    /// The address of the module: oci://…, https://…, file:///…
    #[arg(long)]
    url: Option<String>,
    /// The SHA-256 digest of the module
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// The direction to run in [default: both]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// A port to run on; can be repeated [default: all]
    #[arg(long = "port", value_name = "NUMBER")]
    ports: Vec<u16>,
    /// The workloads are gateways, although no label of Istio shows it
    #[arg(long)]
    gateway: bool,
    /// The phase [default: that of the filter, on the right side of authorization]
    #[arg(long, value_enum)]
    phase: Option<Phase>,
    /// The priority within the phase, higher first [default: that of the filter]
    #[arg(long)]
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

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let loaded = match policy(&self.policy, self.filter.map(|name| name.0), Output::Text)? {
            Ok(loaded) => loaded,
            Err(done) => return Ok(done),
        };
        let request = RenderRequest {
            filter: loaded.filter,
            tree: loaded.node.tree(),
            policy: &loaded.policy,
            istio: self.istio,
            name: self.name.unwrap_or_else(|| loaded.filter.name().to_owned()),
            namespace: self.namespace,
            selector: self.selector,
            targets: self.target,
            url: self.url,
            sha256: self.sha256,
            mode: self.mode,
            ports: self.ports,
            phase: self.phase.map(|phase| match phase {
                Phase::Authn => "AUTHN",
                Phase::Authz => "AUTHZ",
                Phase::Stats => "STATS",
            }),
            priority: self.priority,
            gateway: self.gateway,
            strict: self.strict,
            metric: self.metric,
        };
        render::render(self.shape, &request).map(Done::clean)
    }
}

fn pair(at: char) -> impl Fn(&str) -> Result<(String, String), String> + Clone + Send + Sync {
    move |written| {
        let parts = written.split_once(at).filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let (name, value) = parts.ok_or_else(|| format!("write two parts with {at:?} between them"))?;
        Ok((name.to_owned(), value.to_owned()))
    }
}
