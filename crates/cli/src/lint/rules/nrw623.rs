//! NRW623: a host that the route table of the proxy does not have.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::deed::{self, Host};
use crate::placement::site::Site;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW623",
        title: "a host that the route table does not have",
        text: "\"authority\" sends a request to another service only if the route table of the proxy has that
service. The outbound table of a sidecar has every service. The table of a gateway has the hosts of
the VirtualServices and HTTPRoutes that are bound to it, a name without a dot written in full; any
other host is answered 404. A waypoint and an inbound side have one virtual host for every name.
\"to\" and one route on its header work in all of them.",
    },
    checks: &[Check::Run(check)],
};

const REMEDY: &str = "write \"to\" instead, and a route that matches the route header";

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for one in run.attached.iter().filter(|attached| !attached.deeds.restores) {
        let Some(policy) = one.policy() else { continue };
        for deed in deed::rewriting(policy).iter().filter(|deed| deed.acts) {
            let fault = deed.host.as_ref().and_then(|host| unrouted(one, host, run));
            findings.extend(fault.map(|(message, help)| {
                (one.file, Finding::warning(&RULE.code, &deed.node.at, &deed.place, &message, &help))
            }));
        }
    }
}

/// Why a host does not move requests on these proxies, and what to do.
fn unrouted(attached: &Attached<'_>, host: &Host<'_>, run: &Run<'_>) -> Option<(String, String)> {
    match attached.site {
        Site::Outbound | Site::Mixed => None,
        Site::Inbound | Site::Waypoint if !host.moves => None,
        Site::Inbound => Some((
            "an inbound side has one route for every host: \"authority\" has no effect there".to_owned(),
            "attach it to the callers, with mode CLIENT".to_owned(),
        )),
        Site::Waypoint => Some((
            "a waypoint has routes only to its own service: with \"authority\" the service sees the other host, and \
             nothing else changes"
                .to_owned(),
            format!("{REMEDY}, such as an HTTPRoute of the Service"),
        )),
        Site::Gateway => {
            let hosts = forms(host);
            let name = hosts.first()?;
            let message = match run.gateways.routes(attached.resource, &hosts) {
                Some(true) => return None,
                Some(false) => format!("no route of this gateway has the host {name:?}: it answers 404"),
                None => format!(
                    "no file here has a route for {name:?} at the gateway: a gateway answers 404 to a host that \
                     none of its VirtualServices has"
                ),
            };
            Some((message, format!("{REMEDY}; or add a route for {name:?} to this gateway, with the full name")))
        }
    }
}

/// The forms that may be written for a host. A bare name takes the form of the service that the caller
/// asked for.
fn forms(host: &Host<'_>) -> Vec<String> {
    let name = match host.authority.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host.authority,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let mut forms = vec![name.clone()];
    if name.contains('.') {
        return forms;
    }
    let matches = host.within.get("matches").map(Node::elements).unwrap_or_default();
    for conditions in std::iter::once(host.within).chain(matches) {
        if let Some((_, namespace)) = conditions.text_at("service").and_then(|name| name.split_once('.')) {
            let namespace = namespace.to_ascii_lowercase();
            let domains = ["", ".svc", ".svc.cluster.local"];
            forms.extend(domains.map(|domain| format!("{name}.{namespace}{domain}")));
        }
        for host in conditions.get("hosts").map(Node::elements).unwrap_or_default() {
            let host = host.text().unwrap_or_default().to_ascii_lowercase();
            if host.split('.').nth(2) == Some("svc")
                && let Some((_, domain)) = host.split_once('.')
            {
                forms.push(format!("{name}.{domain}"));
            }
        }
    }
    forms
}
