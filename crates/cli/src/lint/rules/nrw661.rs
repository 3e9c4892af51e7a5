//! NRW661: the module of all filters, without the name of one.

use narrows_core::vm_config;

use crate::code::Code;
use crate::documents::{Kind, envoys};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW661",
        title: "the module of all filters, and no filter chosen",
        text: "The module narrows holds all filters, and the root id says which of them a plugin is: Istio takes it
from \"pluginName\", Envoy from \"root_id\", Envoy Gateway from \"rootID\". Without one, or with a name that is
no filter, the module refuses to load. Write header-router, traffic-lanes, canary-split, metric-tags, egress-policy,
or narrows for one policy with a part for each.",
    },
    checks: &[Check::Run(check)],
};

/// A plugin as a resource writes it: where the module is, where the root id is, and what it is called.
struct Written<'n> {
    within: &'n Node,
    module: &'static str,
    root_id: &'static str,
}

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for (file, resource) in &run.resources {
        let kind = Kind::of(resource);
        let mut add = |written: &Written<'_>| findings.extend(fault(written).map(|fault| (*file, fault)));
        if let Some(plugin) = kind.plugin().and_then(|path| resource.get(path)) {
            add(&Written { within: plugin, module: "url", root_id: "pluginName" });
        }
        if kind == Kind::ExtensionPolicy {
            for plugin in resource.get("spec.wasm").map(Node::elements).unwrap_or_default() {
                for module in ["code.image.url", "code.http.url"] {
                    add(&Written { within: plugin, module, root_id: "rootID" });
                }
            }
        }
        if kind == Kind::Envoy {
            of_envoy(resource, &mut add);
        }
    }
}

/// Envoy's Wasm filters anywhere below a node.
fn of_envoy<'n>(node: &'n Node, add: &mut impl FnMut(&Written<'n>)) {
    for module in ["vm_config.code.local.filename", "vm_config.code.remote.http_uri.uri"] {
        if envoys(node, "vm_config").is_some() {
            add(&Written { within: node, module, root_id: "root_id" });
        }
    }
    node.children().for_each(|inner| of_envoy(inner, add));
}

fn fault(written: &Written<'_>) -> Option<Finding> {
    let module = envoys(written.within, written.module)?;
    (Filter::of_module(module.text()?)? == Filter::Narrows).then_some(())?;
    let root_id = envoys(written.within, written.root_id);
    let named = root_id.and_then(Node::text).filter(|name| !name.is_empty());
    let known = Filter::ALL.map(Filter::name).join(", ");
    let (at, place, message) = match named {
        None => (
            module,
            written.module,
            format!("the module of all filters needs {:?}: it refuses to load", written.root_id),
        ),
        Some(name) if Filter::named(name.strip_suffix(vm_config::STRICT).unwrap_or(name)).is_none() => {
            (root_id?, written.root_id, format!("{name:?} is no filter: the module refuses to load"))
        }
        Some(_) => return None,
    };
    let help = format!("write {:?} with one of {known}", written.root_id);
    Some(Finding::error(&RULE.code, &at.at, place, &message, &help))
}
