//! The HTTP filters of an Envoy listener, where the list gives their order.

use crate::documents;
use crate::filter::{AnyPolicy, Filter};
use crate::placement::deed;
use crate::source::{Node, SourceFile};

/// The HTTP filters of a listener in their order: only those that the rules look at.
pub(super) struct Chain {
    links: Vec<Link>,
    /// Whether the listener says on which side of a workload it is; also where no listener is shown.
    pub(super) has_direction: bool,
}

/// One filter of a chain.
enum Link {
    /// Envoy's RBAC filter.
    Rbac(Judged),
    /// One of Narrows.
    Own(Own),
}

/// A filter of Narrows in a chain.
pub(super) struct Own {
    pub(super) filter: Filter,
    pub(super) policy: Node,
    /// The headers that it removes.
    pub(super) strips: Vec<String>,
}

/// The parts of a request that the rules of an RBAC filter read.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) path: bool,
    pub(super) headers: Vec<String>,
}

/// Every chain of a resource.
pub(super) fn find(source: &SourceFile, node: &Node) -> Vec<Chain> {
    let mut chains = Vec::new();
    below(source, node, true, &mut chains);
    chains
}

fn below(source: &SourceFile, node: &Node, has_direction: bool, chains: &mut Vec<Chain>) {
    let direction = documents::envoys(node, "traffic_direction").and_then(Node::text);
    let is_listener = documents::envoys(node, "filter_chains").is_some();
    let has_direction =
        if is_listener { matches!(direction, Some("INBOUND" | "OUTBOUND")) } else { has_direction };
    if let Some(filters) = documents::envoys(node, "http_filters") {
        let links = filters.elements().iter().filter_map(|filter| link(source, filter));
        chains.push(Chain { links: links.collect(), has_direction });
    }
    node.children().for_each(|inner| below(source, inner, has_direction, chains));
}

fn link(source: &SourceFile, filter: &Node) -> Option<Link> {
    let config = documents::envoys(filter, "typed_config")?;
    if config.text_at("@type").is_some_and(|name| name.ends_with(".filters.http.rbac.v3.RBAC")) {
        let mut judged = Judged::default();
        // Shadow rules only count, so they are not read.
        judged.read(config.get("rules")?);
        return Some(Link::Rbac(judged));
    }
    let found = documents::policies(source, filter, &mut Vec::new()).pop()?;
    let filter = found.filter?;
    let compiled = filter.compile(&found.policy.tree()).ok()?;
    let names = if deed::acts(&found.policy) { AnyPolicy::strips(&compiled) } else { Vec::new() };
    let strips = names.into_iter().map(str::to_owned).collect();
    Some(Link::Own(Own { filter, policy: found.policy, strips }))
}

impl Chain {
    /// Each filter of Narrows, with its place.
    pub(super) fn own(&self) -> impl Iterator<Item = (usize, &Own)> {
        self.links.iter().enumerate().filter_map(|(index, link)| match link {
            Link::Own(own) => Some((index, own)),
            Link::Rbac(_) => None,
        })
    }

    /// The RBAC filters before a place, each with its own place.
    pub(super) fn rbac_before(&self, place: usize) -> impl Iterator<Item = (usize, &Judged)> {
        self.rbac().filter(move |(index, _)| *index < place)
    }

    /// The RBAC filters after a place.
    pub(super) fn rbac_behind(&self, place: usize) -> impl Iterator<Item = &Judged> {
        self.rbac().filter(move |(index, _)| *index > place).map(|(_, judged)| judged)
    }

    fn rbac(&self) -> impl Iterator<Item = (usize, &Judged)> {
        self.links.iter().enumerate().filter_map(|(index, link)| match link {
            Link::Rbac(judged) => Some((index, judged)),
            Link::Own(_) => None,
        })
    }
}

impl Judged {
    fn read(&mut self, rules: &Node) {
        self.path |= documents::envoys(rules, "url_path").is_some();
        self.headers.extend(rules.text_at("header.name").map(str::to_ascii_lowercase));
        rules.children().for_each(|inner| self.read(inner));
    }

    /// Whether the rules read a header.
    pub(super) fn reads(&self, header: &str) -> bool {
        self.headers.iter().any(|name| name == header)
    }

    /// Whether the rules read the host.
    pub(super) fn reads_host(&self) -> bool {
        self.reads(":authority") || self.reads("host")
    }

    /// Whether the rules read the path.
    pub(super) fn reads_path(&self) -> bool {
        self.path || self.reads(":path")
    }
}
