//! Header edits that Envoy makes by route, and values that quote the request.

use std::ops::Range;

use super::difference::Log;
use super::fields::Fields;
use super::old::Edits;
use crate::source::Node;

/// What is said about edits that replace or remove.
const SPELLING: (&str, &str) = (
    "\"set\" and \"remove\" take a request's header under every spelling of its name, as with _ for -",
    "nothing, unless an application tells x_user from x-user",
);

/// `set`, `add` and `remove`, as Istio's `headers.request` has them.
pub(super) fn istio(node: Option<&Node>, what: &str, log: &mut Log) -> Edits {
    let Some(node) = node else { return Edits::default() };
    let mut fields = Fields::of(node, log);
    let mut edits = Edits::default();
    for (name, value, at) in fields.pairs("set", log) {
        push(&mut edits.set, name, value, &at.at, log);
    }
    for (name, value, at) in fields.pairs("add", log) {
        push(&mut edits.add, name, value, &at.at, log);
    }
    edits.remove = fields.texts("remove", log).iter().map(|name| name.to_ascii_lowercase()).collect();
    fields.rest(what, log);
    warn(&edits, what, &node.at, log);
    edits
}

/// `set`, `add` and `remove`, as Gateway API's header filters have them.
pub(super) fn gateway_api(node: Option<&Node>, what: &str, log: &mut Log) -> Edits {
    let Some(node) = node else { return Edits::default() };
    let mut fields = Fields::of(node, log);
    let mut edits = Edits::default();
    for list in ["set", "add"] {
        for element in fields.list(list, log) {
            let mut pair = Fields::of(element, log);
            let name = pair.text("name", log).unwrap_or_default();
            let value = pair.text("value", log).unwrap_or_default();
            pair.rest("a header", log);
            let to = if list == "set" { &mut edits.set } else { &mut edits.add };
            // Gateways on Envoy hand the value to it, quotations and all.
            push(to, name, value, &element.at, log);
        }
    }
    edits.remove = fields.texts("remove", log).iter().map(|name| name.to_ascii_lowercase()).collect();
    fields.rest(what, log);
    warn(&edits, what, &node.at, log);
    edits
}

/// `…_headers_to_add` and `…_headers_to_remove`, as Envoy's routes have them.
pub(super) fn envoy(fields: &mut Fields<'_>, side: &str, log: &mut Log) -> Edits {
    let mut edits = Edits::default();
    let at = fields.node().at.clone();
    for element in fields.list(&format!("{side}_headers_to_add"), log) {
        let mut option = Fields::of(element, log);
        let action = option.text("append_action", log).unwrap_or("APPEND_IF_EXISTS_OR_ADD");
        let appends = option.flag_or("append", true, log);
        option.ignore(&["keep_empty_value"]);
        let header = option.take("header");
        option.rest("a header to add", log);
        let Some(header) = header else { continue };
        let mut header = Fields::of(header, log);
        let name = header.text("key", log).unwrap_or_default();
        let value = header.text("value", log).unwrap_or_default();
        header.rest("a header", log);
        match action {
            "OVERWRITE_IF_EXISTS_OR_ADD" => push(&mut edits.set, name, value, &element.at, log),
            "APPEND_IF_EXISTS_OR_ADD" if appends => push(&mut edits.add, name, value, &element.at, log),
            "APPEND_IF_EXISTS_OR_ADD" => push(&mut edits.set, name, value, &element.at, log),
            other => log.refuse(
                &element.at,
                format!("the append_action {other} is not converted"),
                "write a rule with a condition on the header, and \"set\"",
            ),
        }
    }
    edits.remove = fields.texts(&format!("{side}_headers_to_remove"), log);
    edits.remove.iter_mut().for_each(|name| name.make_ascii_lowercase());
    warn(&edits, side, &at, log);
    edits
}

/// Those of a destination after those of its route.
pub(super) fn joined(mut first: Edits, then: Edits) -> Edits {
    for (name, value) in then.set {
        first.set.retain(|(known, _)| *known != name);
        first.add.retain(|(known, _)| *known != name);
        first.set.push((name, value));
    }
    first.add.extend(then.add);
    first.remove.extend(then.remove);
    first.remove.dedup();
    first
}

/// Refuses a header that a route and one of its destinations by weight both edit: Envoy makes the edits of the
/// destination first and those of the route last, and a policy the other way round.
pub(super) fn apart(route: &Edits, own: &Edits, at: &Range<usize>, log: &mut Log) {
    let twice = names(own).find(|name| names(route).any(|known| known == *name));
    if let Some(name) = twice {
        log.refuse(
            at,
            format!("{name:?} is edited by the route and by one of its destinations"),
            "edit it in one of them: what the route says is what counts in Envoy",
        );
    }
}

fn names(edits: &Edits) -> impl Iterator<Item = &str> {
    let pairs = edits.set.iter().chain(&edits.add).map(|(name, _)| name.as_str());
    pairs.chain(edits.remove.iter().map(String::as_str))
}

/// A value that Envoy formats. It may quote a header; nothing else is quoted alike.
pub(super) fn format(value: &str, at: &Range<usize>, log: &mut Log) -> String {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        if let Some(literal) = after.strip_prefix('%') {
            rest = literal;
            continue;
        }
        match after.split_once('%') {
            Some((command, after)) if is_known(command) => rest = after,
            _ => {
                log.refuse(
                    at,
                    format!("the value {value:?} quotes what a policy cannot quote"),
                    "quote a header, %REQ(name)%, or leave the edit in the routes",
                );
                return value.to_owned();
            }
        }
    }
    value.to_owned()
}

/// `REQ(name)`, perhaps with an alternative.
fn is_known(command: &str) -> bool {
    let inner = command.strip_prefix("REQ(").and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['(', ')']))
}

fn push(to: &mut Vec<(String, String)>, name: &str, value: &str, at: &Range<usize>, log: &mut Log) {
    let name = name.to_ascii_lowercase();
    if name.starts_with(':') || name == "host" {
        log.refuse(
            at,
            format!("{name:?} is not edited as a header"),
            "rewrite the host in the route of the destination",
        );
        return;
    }
    to.push((name, format(value, at, log)));
}

fn warn(edits: &Edits, what: &str, at: &Range<usize>, log: &mut Log) {
    let is_request = what.starts_with("request");
    if is_request && (!edits.set.is_empty() || !edits.remove.is_empty()) {
        log.differs(at, SPELLING.0, SPELLING.1);
    }
}
