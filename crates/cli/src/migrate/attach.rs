//! Which proxies decided by an old configuration, and how its policy is attached to them.

use super::language::Language;
use crate::source::Node;

/// Some proxies, and the options of `narrows render` that attach a policy to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// Which proxies.
    pub proxies: String,
    /// The options, without those about the module.
    pub options: Vec<String>,
}

/// The namespace of the gateway that Istio's own charts install, and its label.
const INGRESS: [&str; 4] = ["--namespace", "istio-system", "--selector", "istio=ingressgateway"];

impl Attach {
    fn new(proxies: impl Into<String>, options: &[&str]) -> Self {
        Self { proxies: proxies.into(), options: options.iter().map(|text| (*text).to_owned()).collect() }
    }

    fn callers(namespace: &str) -> Self {
        let who = "the sidecars of the callers, in every namespace that has some";
        Self::new(who, &["--as", "wasm-plugin", "--mode", "CLIENT", "--namespace", namespace])
    }

    /// A target of Gateway API.
    fn target(name: &str, namespace: &str) -> Self {
        let target = format!("Gateway/{name}");
        let options = ["--as", "wasm-plugin", "--target", &target, "--namespace", namespace];
        Self::new(format!("{target} of Gateway API"), &options)
    }
}

/// The proxies that a resource is for.
pub(super) fn of(language: Language, resource: &Node) -> Vec<Attach> {
    let namespace = resource.text_at("metadata.namespace").unwrap_or("default");
    match language {
        Language::VirtualService => {
            let gateways = resource.get("spec.gateways").map(Node::elements).unwrap_or_default();
            let names: Vec<&str> = gateways.iter().filter_map(Node::text).collect();
            let is_mesh = names.is_empty() || names.contains(&"mesh");
            let callers = is_mesh.then(|| Attach::callers(namespace));
            let gateways = names.iter().filter(|name| **name != "mesh").map(|name| {
                let who = format!(
                    "the pods of the gateway {name}, whose Gateway has their labels under \"selector\""
                );
                Attach::new(who, &[&["--as", "wasm-plugin"][..], &INGRESS].concat())
            });
            callers.into_iter().chain(gateways).collect()
        }
        Language::HttpRoute => {
            let parents = resource.get("spec.parentRefs").map(Node::elements).unwrap_or_default();
            let place = |parent: &Node| match parent.text_at("kind") {
                Some("Service") => Attach::callers(namespace),
                _ => Attach::target(
                    parent.text_at("name").unwrap_or("gateway"),
                    parent.text_at("namespace").unwrap_or(namespace),
                ),
            };
            parents.iter().map(place).collect()
        }
        Language::Ingress => vec![Attach::target("gateway", namespace)],
        Language::Higress => {
            let who = "the pods of the gateway, by their labels";
            vec![Attach::new(who, &[&["--as", "wasm-plugin"][..], &INGRESS].concat())]
        }
        Language::Envoy => {
            vec![Attach::new("the listener, before the router", &["--as", "envoy-filter-block"])]
        }
    }
}
