//! The hosts of a `VirtualService`, and the proxies that it is for.

use crate::migrate::difference::Log;
use crate::migrate::fields::Fields;
use crate::migrate::old::Hosts;
use crate::source::Node;

/// Whether it is for sidecars. A policy is attached to one kind of proxy.
pub(super) fn is_mesh(spec: &mut Fields<'_>, log: &mut Log) -> bool {
    let gateways = spec.texts("gateways", log);
    let Some(node) = spec.node().get("gateways") else { return true };
    let is_mesh = gateways.iter().any(|name| name == "mesh");
    if is_mesh && gateways.len() > 1 {
        log.differs(
            &node.at,
            "it is for sidecars and for gateways, and a policy is attached to each of them by itself",
            "attach the policy twice: to the gateways, and to the callers with mode CLIENT",
        );
    }
    is_mesh || gateways.is_empty()
}

/// The hosts. On a sidecar a short name is a service of the same namespace, under all of its names.
pub(super) fn read(resource: &Node, spec: &mut Fields<'_>, is_mesh: bool, log: &mut Log) -> Hosts {
    let node = spec.node().get("hosts");
    let names = spec.texts("hosts", log);
    let namespace = resource.text_at("metadata.namespace");
    if let Some(node) = node {
        crate::migrate::general::stars(&names, &node.at, log);
    }
    if names.iter().any(|name| name == "*") {
        return Hosts::Any;
    }
    let service = |host: &String| -> Option<String> {
        if !host.contains(['.', '*']) {
            return Some(format!("{host}.{}", namespace.unwrap_or("default")));
        }
        let inner = host.strip_suffix(".svc.cluster.local")?;
        (inner.matches('.').count() == 1 && !inner.contains('*')).then(|| inner.to_owned())
    };
    let short = names.iter().find(|host| is_mesh && !host.contains(['.', '*']));
    if let (Some(host), Some(node), None) = (short, node, namespace) {
        log.differs(
            &node.at,
            format!("the namespace of {host:?} is not written; \"default\" is taken"),
            "write metadata.namespace, or correct \"service\" in the policy",
        );
    }
    let one = names.iter().find_map(service).filter(|_| is_mesh);
    if let Some(one) = one.filter(|one| names.iter().all(|host| is_name_of(host, one, &service))) {
        return Hosts::Service(one);
    }
    match (&*names, node) {
        ([], _) => {
            let help = "write them; if another VirtualService delegates to it, write its routes there, in the \
                        place of \"delegate\"";
            log.refuse(&spec.node().head(), "it has no hosts", help);
            Hosts::Any
        }
        (_, Some(node)) => {
            if let Some(short) = names.iter().find(|host| is_mesh && service(host).is_some()) {
                log.refuse(
                    &node.at,
                    format!("{short:?} is a service, and other hosts are beside it"),
                    "make it a VirtualService of its own: a service has names that a host does not have",
                );
            }
            Hosts::Names(names)
        }
        (_, None) => Hosts::Any,
    }
}

/// Whether a host is one of the names of a service, `name.namespace`: Istio knows only two of them, but whoever
/// writes others beside these means the service.
fn is_name_of(host: &str, one: &str, service: &dyn Fn(&String) -> Option<String>) -> bool {
    let plain = host.strip_suffix(".svc").unwrap_or(host);
    plain == one || service(&host.to_owned()).is_some_and(|named| named == one)
}
