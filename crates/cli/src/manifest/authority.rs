//! Hosts that a filter writes and that the proxy's route table does not know.

use super::attached::Attached;
use super::run::Run;
use super::warning;
use crate::code;
use crate::finding::Finding;
use crate::placement::deed::{self, Host};
use crate::placement::site::Site;
use crate::source::Node;

/// What routes by host is told so.
const REMEDY: &str = "write \"to\" in its place, and a route that matches the route header";

/// Each with the number of its file. A sidecar knows every service, outbound; a gateway only
/// the hosts that are routed at it; a waypoint and an inbound side have one virtual host for
/// every name.
pub(super) fn check(attached: &[Attached<'_>], run: &Run<'_>) -> Vec<(usize, Finding)> {
    let findings = attached.iter().flat_map(|one| {
        let policy = one.policy().filter(|_| !one.deeds.restores);
        let deeds = policy.map(|policy| deed::rewriting(one.filter, policy)).unwrap_or_default();
        let acting = deeds.into_iter().filter(|deed| deed.acts);
        acting.filter_map(|deed| {
            let host = deed.host.as_ref()?;
            let (message, help) = one.unrouted(host, run)?;
            Some((one.file, warning(code::UNROUTED, &deed.node.at, &deed.place, &message, &help)))
        })
    });
    findings.collect()
}

impl Attached<'_> {
    /// Why a host moves no request here.
    fn unrouted(&self, host: &Host<'_>, run: &Run<'_>) -> Option<(String, String)> {
        match self.site {
            Site::Outbound | Site::Mixed => None,
            Site::Inbound | Site::Waypoint if !host.moves => None,
            Site::Inbound => Some((
                "an inbound side has one route for every host: \"authority\" moves nothing there".to_owned(),
                "attach it to the callers, with mode CLIENT".to_owned(),
            )),
            Site::Waypoint => Some((
                "a waypoint knows only its own service: \"authority\" moves nothing there, and the service sees \
                 the other host"
                    .to_owned(),
                format!("{REMEDY}, such as an HTTPRoute of the Service"),
            )),
            Site::Gateway => {
                let hosts = forms(host);
                let name = hosts.first()?;
                let message = match run.routes(self.resource, &hosts) {
                    Some(true) => return None,
                    Some(false) => format!("no route at this gateway has the host {name:?}: it answers 404"),
                    None => format!(
                        "nothing here routes {name:?} at the gateway, which answers 404 to hosts that no \
                         VirtualService of its own has"
                    ),
                };
                Some((message, format!("{REMEDY}; or route {name:?} at this gateway, in full")))
            }
        }
    }
}

/// What may be written for a host: a bare name takes the form of the service that the caller
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
