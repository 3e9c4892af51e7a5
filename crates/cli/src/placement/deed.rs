//! The rewrites of a policy, with their places in its text.

use narrows_core::PolicyValue;

use crate::source::{Node, Value};

/// One rewrite of a path or a host.
#[derive(Clone, Debug)]
pub struct Deed<'n> {
    /// The place in the policy, such as `rules[0].rewrite.path`.
    pub place: String,
    /// The value that is written there.
    pub node: &'n Node,
    /// Whether it takes effect: it is in neither report mode nor off.
    pub acts: bool,
    /// The host, if it writes one.
    pub host: Option<Host<'n>>,
}

/// A host that replaces the client's.
#[derive(Clone, Debug)]
pub struct Host<'n> {
    /// The host, perhaps with a port.
    pub authority: &'n str,
    /// Whether it is there to move the request, and not only to change the host that others read.
    pub moves: bool,
    /// The rule or split that writes it. Its conditions select the hosts.
    pub within: &'n Node,
}

/// Reads the rewrites of one element of a list of the policy.
pub type Reader = for<'n> fn(&'n Node, &str, bool) -> Vec<Deed<'n>>;

/// The lists of a policy whose elements may rewrite, whatever its filter.
pub const LISTS: [(&str, Reader); 2] = [("rules", rule), ("splits", split)];

/// All rewrites of a path or a host in a policy, in the order of the text.
pub fn rewriting(policy: &Node) -> Vec<Deed<'_>> {
    let mut deeds = of_lists(policy);
    for part in PARTS {
        for deed in policy.get(part).map(of_lists).unwrap_or_default() {
            deeds.push(Deed {
                place: format!("{part}.{}", deed.place),
                acts: deed.acts && acts(policy),
                ..deed
            });
        }
    }
    deeds
}

/// The parts of a merged policy that may rewrite.
const PARTS: [&str; 2] = ["router", "split"];

fn of_lists(policy: &Node) -> Vec<Deed<'_>> {
    let mut deeds = Vec::new();
    for (list, read) in LISTS {
        for (i, element) in policy.get(list).map(Node::elements).unwrap_or_default().iter().enumerate() {
            deeds.extend(read(element, &format!("{list}[{i}]"), acts(policy) && acts(element)));
        }
    }
    deeds
}

/// Whether a policy, rule or split acts: it is in neither report mode nor off.
pub fn acts(node: &Node) -> bool {
    node.text_at("mode").is_none_or(|mode| mode == "enforce")
}

/// Whether a field is `true`.
pub fn is_on(node: &Node, field: &str) -> bool {
    matches!(node.get(field).map(|node| &node.value), Some(Value::Scalar(PolicyValue::Flag(true))))
}

fn rule<'n>(rule: &'n Node, place: &str, acts: bool) -> Vec<Deed<'n>> {
    let fields = ["route.authority", "rewrite.path", "rewrite.authority"];
    let written = fields.into_iter().filter_map(|field| Some((field, rule.get(field)?)));
    written
        .map(|(field, node)| {
            let moves = field == "route.authority";
            let host = node.text().filter(|_| field != "rewrite.path");
            let host = host.map(|authority| Host { authority, moves, within: rule });
            Deed { place: format!("{place}.{field}"), node, acts, host }
        })
        .collect()
}

fn split<'n>(split: &'n Node, place: &str, acts: bool) -> Vec<Deed<'n>> {
    let backends = split.get("backends").map(Node::elements).unwrap_or_default().iter().enumerate();
    backends
        .filter_map(|(i, backend)| {
            let node = backend.get("authority")?;
            let host = node.text().map(|authority| Host { authority, moves: true, within: split });
            Some(Deed { place: format!("{place}.backends[{i}].authority"), node, acts, host })
        })
        .collect()
}
