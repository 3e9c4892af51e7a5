//! NRW634: a canary that is the stable version.

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::splits;
use crate::source::Node;
use crate::write::json;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW634",
        title: "a canary that is the stable version",
        text: "The backend sends its requests to where they go anyway: to the Service that the split is for, or to
the destination of the baseline. The shares look right, and nobody sees the canary. Name the canary's
own Service in \"authority\", or a route of its own in \"to\".",
    },
    checks: &[Check::Policy(check)],
};

fn check(filter: Filter, policy: &Node, findings: &mut Vec<Finding>) {
    for (split_at, split) in splits::of(filter, policy) {
        let backends = split.get("backends").map(Node::elements).unwrap_or_default();
        let baseline = backends.iter().find(|backend| crate::placement::deed::is_on(backend, "baseline"));
        for (j, backend) in backends.iter().enumerate() {
            let Some(baseline) = baseline.filter(|baseline| !std::ptr::eq(*baseline, backend)) else {
                continue;
            };
            let Some((at, what)) = same(split, baseline, backend) else { continue };
            let name = backend.text_at("name").unwrap_or_default();
            let message = format!("{name:?} goes where the stable version is: {what}");
            let help = "name the canary's own Service in \"authority\", or a route of its own in \"to\"";
            let place = format!("{split_at}.backends[{j}]");
            findings.push(Finding::warning(&RULE.code, &at.at, &place, &message, help));
        }
    }
}

/// Where a backend says that it goes where the baseline goes, and how.
fn same<'n>(split: &Node, baseline: &Node, backend: &'n Node) -> Option<(&'n Node, String)> {
    // What is written into its requests may tell them apart.
    let headers = |node: &Node| node.get("requestHeaders").map(|headers| json::line(&headers.tree()));
    if headers(backend) != headers(baseline) {
        return None;
    }
    let both = ["to", "authority"].map(|field| (backend.get(field), baseline.get(field)));
    let text = |node: Option<&Node>| node.map(|node| json::line(&node.tree()));
    if both.iter().all(|(own, other)| text(*own) == text(*other))
        && let Some((Some(own), _)) = both.iter().find(|(own, _)| own.is_some())
    {
        return Some((own, format!("the baseline has {} too", json::line(&own.tree()))));
    }
    let authority = backend.get("authority").filter(|_| backend.get("to").is_none())?;
    let host = name(authority.text()?);
    let hosts = split.get("hosts").map(Node::elements).unwrap_or_default();
    let stable = match split.text_at("service") {
        Some(service) => name(service),
        None if hosts.len() == 1 => name(hosts.first()?.text()?),
        None => return None,
    };
    let of_stable = [stable.clone(), format!("{stable}.svc"), format!("{stable}.svc.cluster.local")];
    let bare = stable.split('.').next() == Some(&host) && split.get("service").is_some();
    (of_stable.contains(&host) || bare).then(|| (authority, format!("{host} is the Service of the split")))
}

/// A host without its port, in the form that is compared.
fn name(host: &str) -> String {
    let name = host.split(':').next().unwrap_or_default();
    name.trim_end_matches('.').to_ascii_lowercase()
}
