//! A resource of Istio or Kubernetes, in the form that the rules use.

use super::gateways::labels;
use super::run::Run;
use crate::documents::Kind;
use crate::filter::Filter;
use crate::istio::Release;
use crate::istio::fields::Schema;
use crate::source::{Key, Node};

/// The values of the label `istio` of Istio's own gateways.
const GATEWAYS: [&str; 2] = ["ingressgateway", "egressgateway"];

/// A resource to be checked.
pub(super) struct Manifest<'n> {
    pub(super) resource: &'n Node,
    pub(super) kind: Kind,
    pub(super) release: Release,
    pub(super) run: &'n Run<'n>,
    /// The Wasm plugin that it carries.
    pub(super) plugin: Option<Plugin<'n>>,
}

/// The Wasm plugin of a `WasmPlugin` or `TrafficExtension`.
pub(super) struct Plugin<'n> {
    /// The path of its fields.
    pub(super) path: &'static str,
    /// The field that holds it.
    pub(super) field: Option<(&'n Key, &'n Node)>,
    /// The filter that its module is, if it is a filter of Narrows.
    pub(super) filter: Option<Filter>,
}

impl<'n> Manifest<'n> {
    pub(super) fn new(resource: &'n Node, run: &'n Run<'n>) -> Self {
        let kind = Kind::of(resource);
        let plugin = kind.plugin().map(|path| Plugin {
            path,
            field: resource.field(path),
            filter: Filter::of_plugin(
                resource.text_at(&format!("{path}.url")),
                resource.text_at(&format!("{path}.pluginName")),
            ),
        });
        Self { resource, kind, release: run.options.release(), run, plugin }
    }

    /// A list of the resource; empty if it has none.
    pub(super) fn list(&self, path: &str) -> &'n [Node] {
        self.resource.get(path).map(Node::elements).unwrap_or_default()
    }

    /// The schema of its kind, if lint checks the kind.
    pub(super) fn schema(&self) -> Option<&'static Schema> {
        Schema::of(self.kind)
    }

    /// The targets that it attaches to.
    pub(super) fn targets(&self) -> &'n [Node] {
        self.list("spec.targetRefs")
    }

    /// Whether one of its targets is one that only waypoints have.
    pub(super) fn is_for_waypoint(&self) -> bool {
        self.targets().iter().any(|target| target.text_at("kind") != Some("Gateway"))
    }

    /// Its namespace, if it is written.
    pub(super) fn namespace(&self) -> Option<&'n str> {
        self.resource.text_at("metadata.namespace")
    }

    /// The labels that choose its proxies.
    pub(super) fn selector(&self) -> Vec<(&'n str, &'n str)> {
        labels(self.resource.get("spec.selector.matchLabels"))
    }

    /// Whether the run or its options show the gateway that it selects.
    pub(super) fn is_for_known_gateway(&self) -> bool {
        self.run.gateways.has_gateway_of(self.namespace(), &self.selector())
    }

    /// The stock gateway that its selector names, or misspells; with the label's value.
    pub(super) fn stock_gateway(&self) -> Option<(&'static str, &'n Node)> {
        let node = self.resource.get("spec.selector.matchLabels.istio")?;
        let written = node.text()?.to_ascii_lowercase();
        let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>();
        let written = letters(&written);
        // Istio's charts give other names, such as "ingress", to gateways in other namespaces.
        let is_meant = |known: &&&str| **known == written || format!("{known}s") == written;
        GATEWAYS.iter().find(is_meant).map(|gateway| (*gateway, node))
    }
}

impl<'n> Plugin<'n> {
    /// The field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.field?.1.get(name)
    }

    /// The field of that name, with its key.
    pub(super) fn key(&self, name: &str) -> Option<(&'n Key, &'n Node)> {
        self.field?.1.field(name)
    }

    /// The path of the field of that name, from the resource.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}
