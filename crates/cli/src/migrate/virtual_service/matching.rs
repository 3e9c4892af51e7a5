//! The matches of a `VirtualService`.

use crate::migrate::difference::Log;
use crate::migrate::fields::Fields;
use crate::migrate::old::{Condition, Hosts, Match, On, PathKind, PathTest, Sense, Test};
use crate::source::Node;

/// Istio's own names for claims of a token.
const CLAIMS: &str = "@request.auth.claims";

/// Reads one match.
pub(super) fn read(node: &Node, hosts: &Hosts, log: &mut Log) -> Match {
    let mut fields = Fields::of(node, log);
    fields.ignore(&["name", "statPrefix"]);
    fields.refuse(
        &[
            ("port", "attach the policy to that port: \"match\" of the plugin has \"ports\""),
            ("sourceLabels", "attach the policy to those workloads: \"selector\" of the plugin"),
            ("sourceNamespace", "attach the policy in that namespace"),
            ("gateways", "make it a VirtualService of its own for each gateway"),
        ],
        log,
    );
    let ignores = fields.flag("ignoreUriCase", log);
    let mut found = Match::default();
    if let Some(node) = fields.take("uri") {
        found.path = path(node, ignores, log);
    }
    if let Some(node) = fields.take("authority") {
        found.host = authority(node, hosts, log);
    }
    if let Some(node) = fields.take("scheme") {
        scheme(node, &mut found, log);
    }
    if let Some(test) = fields.take("method").and_then(|node| test(node, log)) {
        found.conditions.push(condition(On::Method, test));
    }
    for (list, sense) in [("headers", Sense::Holds), ("withoutHeaders", Sense::Fails)] {
        for (key, value) in fields.table(list, log) {
            if let Some(on) = header(&key.name, value, log)
                && let Some(test) = test(value, log)
            {
                found.conditions.push(Condition { sense, ..condition(on, test) });
            }
        }
    }
    for (key, value) in fields.table("queryParams", log) {
        crate::migrate::parameters(&value.at, log);
        if let Some(test) = test(value, log) {
            found.conditions.push(condition(On::Query(key.name.clone()), test));
        }
    }
    fields.rest("a match", log);
    found
}

fn condition(on: On, test: Test) -> Condition {
    Condition { on, test, ignore_case: false, sense: Sense::Holds }
}

/// A `StringMatch`. Without a test it is for whatever is there.
fn test(node: &Node, log: &mut Log) -> Option<Test> {
    let mut fields = Fields::of(node, log);
    let exact = fields.text("exact", log);
    let prefix = fields.text("prefix", log);
    let regex = fields.text("regex", log);
    fields.rest("a StringMatch", log);
    match (exact, prefix, regex) {
        (Some(text), None, None) => Some(Test::Exact(text.to_owned())),
        (None, Some(text), None) => Some(Test::Prefix(text.to_owned())),
        // So istiod reads this one.
        (None, None, Some("*") | None) => Some(Test::Present),
        (None, None, Some(text)) => Some(Test::Regex(text.to_owned())),
        _ => {
            log.refuse(&node.at, "a StringMatch has one test", "keep one of them");
            None
        }
    }
}

fn path(node: &Node, ignore_case: bool, log: &mut Log) -> Option<PathTest> {
    let (how, text) = match test(node, log)? {
        Test::Exact(text) => (PathKind::Exact, text),
        Test::Prefix(text) => (PathKind::Prefix, text),
        Test::Regex(text) => (PathKind::Regex, text),
        _ => return None,
    };
    // Envoy does not ask the letter case of an expression.
    Some(PathTest { how, text, ignore_case: ignore_case && how != PathKind::Regex })
}

/// An authority is one host here, whatever its port and letter case.
fn authority(node: &Node, hosts: &Hosts, log: &mut Log) -> Option<String> {
    let Some(Test::Exact(host)) = test(node, log) else {
        log.refuse(
            &node.at,
            "an authority that is not \"exact\" is not converted",
            "write \"hosts\": they take a name, \"*.\" before a domain, and a * inside each label",
        );
        return None;
    };
    if host.contains(':') {
        log.refuse(&node.at, "an authority with a port is not converted", "attach the policy to that port");
    }
    if let Hosts::Names(names) = hosts
        && !names.iter().any(|name| covers(name, &host))
    {
        log.refuse(
            &node.at,
            format!("no host of the VirtualService is {host:?}"),
            "take the match out: it never holds",
        );
    }
    log.differs(
        &node.at,
        format!("{host:?} is compared in any letter case and with any port"),
        "nothing, unless clients write the host in other letters",
    );
    Some(host)
}

fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

fn scheme(node: &Node, found: &mut Match, log: &mut Log) {
    match test(node, log) {
        Some(Test::Exact(text)) if text == "http" || text == "https" => {
            log.differs(
                &node.at,
                "the scheme is judged by x-forwarded-proto, as \"httpsRedirect\" judges it; here it was :scheme",
                "nothing, unless a proxy in front ends TLS: then see numTrustedProxies",
            );
            found.conditions.push(condition(On::Scheme, Test::Exact(text)));
        }
        _ => {
            log.refuse(
                &node.at,
                "only the schemes \"http\" and \"https\" are converted",
                "write one of them",
            );
        }
    }
}

/// A header, or a claim that Istio writes like one.
fn header(name: &str, value: &Node, log: &mut Log) -> Option<On> {
    if let Some(claim) = name.strip_prefix(CLAIMS) {
        let mut path = vec!["envoy.filters.http.jwt_authn".to_owned(), "payload".to_owned()];
        match claim.strip_prefix('.') {
            Some(names) => path.extend(names.split('.').map(str::to_owned)),
            None => path.extend(claim.split(['[', ']']).filter(|name| !name.is_empty()).map(str::to_owned)),
        }
        log.differs(
            &value.at,
            "numbers and booleans of a claim match too, and \"scope\" is not divided at blanks",
            "compare the claim with its text; for one word of \"scope\" write a regex",
        );
        return Some(On::Metadata(path));
    }
    if ["uri", "scheme", "method", "authority"].contains(&name) || name.starts_with([':', '@']) {
        log.refuse(&value.at, format!("{name:?} is not a header"), "write the field of that name");
        return None;
    }
    Some(On::Header(name.to_ascii_lowercase()))
}
