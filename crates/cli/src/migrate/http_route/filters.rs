//! The filters of an `HTTPRoute`.

use narrows_core::PolicyValue;

use crate::meant::suggestion;
use crate::migrate::difference::Log;
use crate::migrate::edits;
use crate::migrate::fields::Fields;
use crate::migrate::old::{Edits, NewPath, Redirect};
use crate::migrate::value::{Table, one, text};
use crate::source::Node;

/// The types of filters that are known.
const TYPES: [&str; 6] = [
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestRedirect",
    "URLRewrite",
    "RequestMirror",
    "CORS",
];

/// What the filters of a rule or of a backend do.
#[derive(Default)]
pub(super) struct Filters {
    pub(super) request: Edits,
    pub(super) response: Edits,
    pub(super) path: Option<NewPath>,
    pub(super) redirect: Option<Redirect>,
    /// Those that stay with the route of the destination.
    pub(super) kept: Vec<PolicyValue>,
}

impl Filters {
    pub(super) fn read(list: &[Node], log: &mut Log) -> Self {
        let mut all = Self::default();
        for node in list {
            all.one(node, log);
        }
        all
    }

    fn one(&mut self, node: &Node, log: &mut Log) {
        let mut fields = Fields::of(node, log);
        match fields.text("type", log).unwrap_or_default() {
            "RequestHeaderModifier" => {
                self.request =
                    edits::gateway_api(fields.take("requestHeaderModifier"), "request headers", log);
            }
            "ResponseHeaderModifier" => {
                self.response =
                    edits::gateway_api(fields.take("responseHeaderModifier"), "response headers", log);
            }
            "RequestRedirect" => {
                if let Some(node) = fields.take("requestRedirect") {
                    self.redirect = Some(redirect(node, log));
                }
            }
            "URLRewrite" => {
                if let Some(node) = fields.take("urlRewrite") {
                    self.rewrite(node, log);
                }
            }
            kind @ ("RequestMirror" | "CORS") => {
                log.stays(
                    &node.at,
                    format!("the filter {kind} stays in the route of the destination"),
                    "keep the resource that --routes writes",
                );
                self.kept.push(node.tree());
                return;
            }
            kind => log.refuse(
                &node.at,
                format!("the filter {kind:?} is not converted"),
                suggestion(kind, &TYPES)
                    .unwrap_or_else(|| "take it out, and convert what it does by hand".to_owned()),
            ),
        }
        fields.rest("a filter", log);
    }

    /// The path is rewritten by the policy; the host by the route, because the gateway finds it by the host.
    fn rewrite(&mut self, node: &Node, log: &mut Log) {
        let mut fields = Fields::of(node, log);
        if let Some(host) = fields.take("hostname") {
            log.stays(
                &host.at,
                "the host is rewritten in the route of the destination",
                "keep the resource that --routes writes",
            );
            let rewrite = Table::default()
                .with("type", text("URLRewrite"))
                .with("urlRewrite", one("hostname", host.tree()));
            self.kept.push(rewrite.into());
        }
        self.path = fields.take("path").and_then(|node| path(node, log));
        if self.path.is_some() {
            crate::migrate::rewrites(&node.at, log);
        }
        fields.rest("\"urlRewrite\"", log);
    }
}

fn path(node: &Node, log: &mut Log) -> Option<NewPath> {
    let mut fields = Fields::of(node, log);
    let path = match fields.text("type", log).unwrap_or_default() {
        "ReplaceFullPath" => NewPath::Full(fields.text("replaceFullPath", log).unwrap_or("/").to_owned()),
        "ReplacePrefixMatch" => {
            let to = fields.text("replacePrefixMatch", log).unwrap_or("/");
            // It stands for whole segments, with or without a slash at its end.
            let to = if to.len() > 1 { to.trim_end_matches('/') } else { to };
            NewPath::Prefix(if to.is_empty() { "/".to_owned() } else { to.to_owned() })
        }
        other => {
            log.refuse(
                &node.at,
                format!("the type {other:?} is not one of Gateway API"),
                "write \"ReplacePrefixMatch\" or \"ReplaceFullPath\"",
            );
            return None;
        }
    };
    fields.rest("a path", log);
    Some(path)
}

fn redirect(node: &Node, log: &mut Log) -> Redirect {
    let mut fields = Fields::of(node, log);
    let redirect = Redirect {
        scheme: fields.text("scheme", log).map(str::to_owned),
        host: fields.text("hostname", log).map(str::to_owned),
        port: fields.port("port", log),
        path: fields.take("path").and_then(|node| path(node, log)),
        query: None,
        status: fields.number("statusCode", log).unwrap_or(302),
    };
    fields.rest("a redirect", log);
    if redirect.scheme.is_none() && redirect.port.is_none() {
        log.differs(
            &node.at,
            "without a scheme and a port, Gateway API writes the port of the listener; here it is the \
             request's own port where the host stays, and the scheme's where it does not",
            "write \"port\" if the listener has another one",
        );
    }
    crate::migrate::redirects(&redirect, &node.at, log);
    redirect
}
