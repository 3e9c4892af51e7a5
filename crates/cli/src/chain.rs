//! Filters around authorization where Envoy's own files give their order.

use narrows_core::names;

use crate::code;
use crate::filter::{AnyPolicy, Filter};
use crate::finding::{Finding, Level};
use crate::placement::{Deeds, deed, strips_for_others};
use crate::source::{Node, Source};
use crate::wrap;

/// One filter of a chain.
enum Link {
    /// Envoy's RBAC filter: what its rules go by.
    Rbac(Judged),
    /// One of Narrows.
    Own(Filter, Node, Vec<String>),
}

/// What of a request an RBAC filter goes by.
#[derive(Default)]
struct Judged {
    path: bool,
    headers: Vec<String>,
}

/// In every chain of HTTP filters: what rewrites before an RBAC filter that goes by it, what
/// strips or restores behind one.
pub(crate) fn check(source: &Source, node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(filters) = node.get("http_filters") {
        let links: Vec<Link> = filters.elements().iter().filter_map(|filter| link(source, filter)).collect();
        for (place, one) in links.iter().enumerate() {
            if let Link::Own(filter, policy, strips) = one {
                let (before, behind) = links.split_at(place);
                findings.extend(rewriting(*filter, policy, behind));
                findings.extend(restoring(*filter, policy, before));
                findings.extend(stripping(*filter, policy, strips, before));
            }
        }
    }
    let inner = node.fields().iter().map(|(_, value)| value).chain(node.elements());
    findings.extend(inner.flat_map(|inner| check(source, inner)));
    findings
}

fn link(source: &Source, filter: &Node) -> Option<Link> {
    let config = filter.get("typed_config")?;
    if config.text_at("@type").is_some_and(|name| name.ends_with(".filters.http.rbac.v3.RBAC")) {
        let mut judged = Judged::default();
        // Shadow rules only count.
        judged.read(config.get("rules")?);
        return Some(Link::Rbac(judged));
    }
    let found = wrap::policies(source, filter, &mut Vec::new()).pop()?;
    let own = found.filter?;
    let compiled = own.compile(&found.policy.tree()).ok()?;
    let names = if deed::acts(&found.policy) { AnyPolicy::strips(&compiled) } else { Vec::new() };
    let names = names.into_iter().map(str::to_owned).collect();
    Some(Link::Own(own, found.policy, names))
}

impl Judged {
    fn read(&mut self, rules: &Node) {
        self.path |= rules.get("url_path").is_some();
        self.headers.extend(rules.text_at("header.name").map(str::to_ascii_lowercase));
        let inner = rules.fields().iter().map(|(_, value)| value).chain(rules.elements());
        inner.for_each(|inner| self.read(inner));
    }

    fn goes_by(&self, header: &str) -> bool {
        self.headers.iter().any(|name| name == header)
    }

    fn goes_by_host(&self) -> bool {
        self.goes_by(":authority") || self.goes_by("host")
    }
}

fn rbac(links: &[Link]) -> impl Iterator<Item = &Judged> {
    links.iter().filter_map(|link| match link {
        Link::Rbac(judged) => Some(judged),
        Link::Own(..) => None,
    })
}

fn rewriting(filter: Filter, policy: &Node, behind: &[Link]) -> Option<Finding> {
    if !Deeds::of(filter, policy).rewrites {
        return None;
    }
    let seen = |deed: &deed::Deed<'_>| {
        rbac(behind).any(|judged| match deed.host {
            Some(_) => judged.goes_by_host(),
            None => judged.path || judged.goes_by(":path"),
        })
    };
    let deeds = deed::rewriting(filter, policy);
    let deed = deeds.iter().find(|deed| deed.acts && seen(deed))?;
    let what = if deed.host.is_some() { "host" } else { "path" };
    let message = format!("the RBAC filter behind this one judges the rewritten {what}, not the client's");
    let help = "put this filter behind it, and one that only strips before it";
    Some(finding(code::BEFORE_AUTHORIZATION, deed.node, &deed.place, &message, help))
}

fn restoring(filter: Filter, policy: &Node, before: &[Link]) -> Option<Finding> {
    let restores = Deeds::of(filter, policy).restores && deed::acts(policy);
    if !restores || !rbac(before).any(Judged::goes_by_host) {
        return None;
    }
    let (node, message) = (
        policy.get("restoreHost")?,
        "the RBAC filter before this one judges the canary's host, not the one that comes back",
    );
    Some(finding(code::BEHIND_AUTHORIZATION, node, "restoreHost", message, "put this filter before it"))
}

fn stripping(filter: Filter, policy: &Node, strips: &[String], before: &[Link]) -> Option<Finding> {
    if !strips_for_others(filter) {
        return None;
    }
    let covers = |patterns: &[String], name: &str| {
        patterns.iter().any(|pattern| names::covers(pattern.as_bytes(), name.as_bytes()))
    };
    // A header that one before the RBAC filter has taken away is not the client's.
    let mut gone: Vec<String> = Vec::new();
    let judged = before.iter().find_map(|link| match link {
        Link::Own(_, _, names) => {
            gone.extend_from_slice(names);
            None
        }
        Link::Rbac(judged) => judged.headers.iter().find(|name| covers(strips, name) && !covers(&gone, name)),
    })?;
    let message = format!("the RBAC filter before this one judges {judged:?} as the client wrote it");
    let help = "strip it before that, in a filter with the same \"strip\" and no rules";
    let node = policy.get("strip").unwrap_or(policy);
    Some(finding(code::BEHIND_AUTHORIZATION, node, "strip", &message, help))
}

fn finding(code: &'static str, node: &Node, place: &str, message: &str, help: &str) -> Finding {
    Finding {
        code,
        level: Level::Warning,
        at: node.head(),
        place: place.to_owned(),
        message: message.to_owned(),
        help: help.to_owned(),
    }
}
