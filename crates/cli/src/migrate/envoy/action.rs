//! What a route of Envoy does.

use narrows_core::PolicyValue;

use super::matching::regex;
use crate::migrate::destinations::{Destinations, plain};
use crate::migrate::difference::Log;
use crate::migrate::edits;
use crate::migrate::fields::Fields;
use crate::migrate::old::{Action, Backend, Edits, NewPath, Redirect, Route};
use crate::migrate::value::{Table, list, one, text};
use crate::source::Node;

/// Fields of a route's action that choose a destination in a way that no policy does.
const CHOICES: [(&str, &str); 4] = [
    ("cluster_header", "keep the route: it is one that a header chooses already"),
    ("cluster_specifier_plugin", "write the rules of the plugin by hand"),
    ("inline_cluster_specifier_plugin", "write the rules of the plugin by hand"),
    ("path_rewrite_policy", "write \"template\" and \"rewrite.path\" by hand"),
];

/// `route`: to a cluster, or to several by their weights.
pub(super) fn forward(
    node: &Node,
    beside: &[(&str, &Node)],
    route: &mut Route,
    destinations: &mut Destinations,
    log: &mut Log,
) {
    let mut fields = Fields::of(node, log);
    fields.refuse(&CHOICES, log);
    let cluster = fields.text("cluster", log);
    let weighted = fields.take("weighted_clusters");
    route.path = path(&mut fields, log);
    if route.path.is_some() {
        crate::migrate::rewrites(&node.at, log);
    }
    let hash = fields.node().get("hash_policy");
    let kept: Vec<_> = fields.others();
    for (name, value) in kept.iter().chain(beside) {
        log.stays(
            &value.at,
            format!("\"{name}\" stays in the route of the cluster"),
            "keep what --routes writes",
        );
    }
    let written = |cluster: &str, own: &[(&str, &Node)]| {
        let mut action = Table::default().with("cluster", text(cluster));
        let mut all = Table::default();
        for (name, value) in &kept {
            action = action.with(name, value.tree());
        }
        for (name, value) in own.iter().filter(|(name, _)| *name == "host_rewrite_literal") {
            action = action.with(name, value.tree());
        }
        for (name, value) in beside.iter().chain(own).filter(|(name, _)| *name != "host_rewrite_literal") {
            all = all.with(name, value.tree());
        }
        PolicyValue::from(all.with("route", action.into()))
    };
    let mut backends = Vec::new();
    if let Some(cluster) = cluster {
        let to = destinations.name(&plain(cluster), &written(cluster, &[]));
        backends.push(Backend { to, weight: 1, request: Edits::default(), response: Edits::default() });
    } else if let Some(node) = weighted {
        let mut weighted = Fields::of(node, log);
        weighted.refuse(
            &[
                ("header_name", "write the header as the key of the split"),
                ("runtime_key_prefix", "write the weights in the policy"),
            ],
            log,
        );
        weighted.ignore(&["total_weight"]);
        let is_sticky = weighted.flag("use_hash_policy", log);
        for entry in weighted.list("clusters", log) {
            backends.extend(self::weighted(entry, &written, destinations, log));
        }
        weighted.rest("\"weighted_clusters\"", log);
        if is_sticky {
            route.key = hash.map(|node| keys(node, log)).unwrap_or_default();
        }
    }
    if let [only] = &mut *backends {
        route.request = edits::joined(std::mem::take(&mut route.request), std::mem::take(&mut only.request));
        route.response =
            edits::joined(std::mem::take(&mut route.response), std::mem::take(&mut only.response));
    }
    if backends.is_empty() {
        log.refuse(&node.at, "the route leads to no cluster", "write \"cluster\" or \"weighted_clusters\"");
    }
    route.action = Action::Forward(backends);
}

fn weighted(
    node: &Node,
    written: &impl Fn(&str, &[(&str, &Node)]) -> PolicyValue,
    destinations: &mut Destinations,
    log: &mut Log,
) -> Option<Backend> {
    let mut fields = Fields::of(node, log);
    fields.refuse(&[("cluster_header", "name the cluster")], log);
    let cluster = fields.text("name", log)?;
    let weight = fields.number("weight", log).unwrap_or_default();
    let request = edits::envoy(&mut fields, "request", log);
    let response = edits::envoy(&mut fields, "response", log);
    let own: Vec<_> = fields.others();
    for (name, value) in
        own.iter().filter(|(name, _)| !["host_rewrite_literal", "typed_per_filter_config"].contains(name))
    {
        log.refuse(
            &value.at,
            format!("\"{name}\" of a weight is not converted"),
            "write it in the route of the cluster",
        );
    }
    let to = destinations.name(&plain(cluster), &written(cluster, &own));
    Some(Backend { to, weight, request, response })
}

/// The sources of a key. Envoy mixes all of them, unless one is `terminal`.
fn keys(node: &Node, log: &mut Log) -> Vec<PolicyValue> {
    let mut keys = Vec::new();
    let mut is_mixed = false;
    for policy in node.elements() {
        let mut fields = Fields::of(policy, log);
        is_mixed |= !fields.flag("terminal", log);
        let named = |fields: &mut Fields<'_>, what: &str, name: &str, log: &mut Log| -> Option<String> {
            let mut inner = Fields::of(fields.take(what)?, log);
            inner.refuse(
                &[("regex_rewrite", "hash the whole value"), ("ttl", "issue the cookie in the application")],
                log,
            );
            inner.ignore(&["path", "attributes"]);
            let name = inner.text(name, log).map(str::to_owned);
            inner.rest("a hash policy", log);
            name
        };
        let sources = [
            ("header", "header", named(&mut fields, "header", "header_name", log)),
            ("cookie", "cookie", named(&mut fields, "cookie", "name", log)),
            ("queryParam", "query_parameter", named(&mut fields, "query_parameter", "name", log)),
            ("filterState", "filter_state", named(&mut fields, "filter_state", "key", log)),
        ];
        keys.extend(sources.into_iter().filter_map(|(name, _, value)| Some(one(name, text(value?)))));
        if fields.take("connection_properties").is_some() {
            keys.push(one("sourceAddress", PolicyValue::Flag(true)));
        }
        fields.rest("a hash policy", log);
    }
    log.differs(
        &node.at,
        "the hash is another one, so users change their side once when the policy replaces the route",
        "change over at a small weight",
    );
    if keys.len() > 1 && is_mixed {
        return vec![one("all", list(keys))];
    }
    keys
}

/// What becomes of the path.
fn path(fields: &mut Fields<'_>, log: &mut Log) -> Option<NewPath> {
    let prefix = fields.text("prefix_rewrite", log).filter(|to| !to.is_empty());
    let regex = fields.take("regex_rewrite").and_then(|node| substitution(node, log));
    prefix.map(|to| NewPath::Prefix(to.to_owned())).or(regex)
}

fn substitution(node: &Node, log: &mut Log) -> Option<NewPath> {
    let mut fields = Fields::of(node, log);
    let pattern = fields.take("pattern").and_then(|node| regex(node, log));
    let to = fields.text("substitution", log).unwrap_or_default().to_owned();
    fields.rest("a substitution", log);
    Some(NewPath::Regex(pattern?, to))
}

pub(super) fn redirect(node: &Node, log: &mut Log) -> Redirect {
    let mut fields = Fields::of(node, log);
    let is_https = fields.flag("https_redirect", log).then(|| "https".to_owned());
    let scheme = fields.text("scheme_redirect", log).map(str::to_owned);
    let full = fields.text("path_redirect", log).filter(|path| !path.is_empty());
    let (full, query) = match full.map(|path| path.split_once('?').unwrap_or((path, ""))) {
        Some((path, query)) => (Some(path), Some(query).filter(|query| !query.is_empty())),
        None => (None, None),
    };
    let changed = path(&mut fields, log);
    let drops = fields.flag("strip_query", log).then(String::new);
    let status = match fields.text("response_code", log).unwrap_or("MOVED_PERMANENTLY") {
        "FOUND" => 302,
        "SEE_OTHER" => 303,
        "TEMPORARY_REDIRECT" => 307,
        "PERMANENT_REDIRECT" => 308,
        "MOVED_PERMANENTLY" => 301,
        other => {
            let at = node.get("response_code").map_or_else(|| node.head(), |node| node.at.clone());
            log.refuse(
                &at,
                format!("the response_code {other:?} is not one of Envoy"),
                "write \"MOVED_PERMANENTLY\", \"FOUND\", \"SEE_OTHER\", \"TEMPORARY_REDIRECT\" or \"PERMANENT_REDIRECT\"",
            );
            301
        }
    };
    let redirect = Redirect {
        scheme: is_https.or(scheme),
        host: fields.text("host_redirect", log).filter(|host| !host.is_empty()).map(str::to_owned),
        port: fields.number("port_redirect", log).filter(|port| *port != 0),
        path: full.map(|path| NewPath::Full(path.to_owned())).or(changed),
        query: query.map(str::to_owned).or(drops),
        status,
    };
    fields.rest("a redirect", log);
    crate::migrate::redirects(&redirect, &node.at, log);
    redirect
}

pub(super) fn respond(node: &Node, log: &mut Log) -> Action {
    let mut fields = Fields::of(node, log);
    let status = fields.number("status", log).unwrap_or(200);
    let body = fields.take("body").and_then(|body| {
        let mut body = Fields::of(body, log);
        let text = body.text("inline_string", log);
        body.rest("a body", log);
        text
    });
    fields.rest("a direct response", log);
    crate::migrate::answers(&node.at, log);
    Action::Respond { status, body: body.map(str::to_owned) }
}
