//! Higress's `frontend-gray`, as far as it is a choice of headers: its pages are no matter of a policy.

use super::destinations::plain;
use super::difference::Log;
use super::fields::Fields;
use super::old::{Action, Condition, Edits, Group, Hosts, Match, On, Route, Sense, Test};
use crate::source::Node;

/// The header with the version of the pages.
const VERSION: &str = "x-higress-tag";

/// What the plugin does to pages, and what does it here.
const PAGES: [(&str, &str); 9] = [
    ("rewrite", "write rules with \"rewrite\" for the paths of the pages"),
    ("html", "serve the page by the application"),
    ("injection", "change the page in the application"),
    ("localStorageGrayKey", "take the user from a cookie or a header: \"grayKey\""),
    ("graySubKey", "take the user from a cookie or a header that has nothing else: a policy reads no JSON"),
    ("indexPaths", "write \"path\" in the matches of the rules by hand"),
    ("skippedPaths", "write a rule without an action for these paths, before the others"),
    ("skippedPathPrefixes", "write a rule without an action for these paths, before the others"),
    ("skippedByHeaders", "write a rule without an action for these headers, before the others"),
];

/// Whether a table is a configuration of this plugin.
pub(super) fn is_one(node: &Node) -> bool {
    node.get("grayDeployments").is_some() || node.get("baseDeployment").is_some()
}

/// Reads a configuration.
pub(super) fn read(node: &Node, file: usize, log: &mut Log) -> Group {
    let mut fields = Fields::of(node, log);
    fields.refuse(&PAGES, log);
    let key = fields.text("grayKey", log).unwrap_or_default();
    let tag = fields.text("backendGrayTag", log).unwrap_or("x-mse-tag").to_ascii_lowercase();
    fields.ignore(&["userStickyMaxAge"]);
    let rules = fields.list("rules", log);
    let mut routes = Vec::new();
    for deployment in fields.list("grayDeployments", log) {
        routes.extend(gray(deployment, rules, key, &tag, log));
    }
    if let Some(base) = fields.take("baseDeployment") {
        let mut base_fields = Fields::of(base, log);
        let mut route = Route::new("base".to_owned(), base.head(), Action::Pass);
        route.request = headers(&mut base_fields, &tag, log);
        base_fields.rest("baseDeployment", log);
        routes.push(route);
    }
    fields.rest("frontend-gray", log);
    log.differs(
        &node.head(),
        "the choice is made for every request alike; the plugin keeps it in cookies, and asks them for all but pages",
        "nothing, if every request has the user's cookie or header",
    );
    Group { file, name: "frontend-gray".to_owned(), hosts: Hosts::Any, routes, remains: None }
}

/// A deployment that is switched on, for the users of the rule of its name.
fn gray(node: &Node, rules: &[Node], key: &str, tag: &str, log: &mut Log) -> Option<Route> {
    let mut fields = Fields::of(node, log);
    let name = fields.text("name", log).unwrap_or_default().to_owned();
    let is_on = fields.flag("enabled", log);
    fields.refuse(&[("weight", "write a split of canary-split, with the user's cookie as its key")], log);
    let mut route = Route::new(plain(&name), node.head(), Action::Pass);
    route.request = headers(&mut fields, tag, log);
    fields.rest("a deployment", log);
    if !is_on {
        log.stays(&node.head(), format!("{name:?} is switched off, and nothing is made of it"), "nothing");
        return None;
    }
    let Some(rule) = rules.iter().find(|rule| rule.text_at("name") == Some(&name)) else {
        log.refuse(
            &node.head(),
            format!("there is no rule {name:?}"),
            "write one, or switch the deployment off",
        );
        return None;
    };
    route.matches = users(rule, key, log);
    Some(route)
}

/// The headers of a deployment.
fn headers(fields: &mut Fields<'_>, tag: &str, log: &mut Log) -> Edits {
    fields.ignore(&["name"]);
    fields.refuse(&[("versionPredicates", "write a rule for each path")], log);
    let version = fields.text("version", log).map(|text| text.trim().replace('%', "%%"));
    let backend = fields.text("backendVersion", log).map(|text| text.replace('%', "%%"));
    let mut edits = Edits::default();
    edits.set.extend(version.filter(|text| !text.is_empty()).map(|text| (VERSION.to_owned(), text)));
    edits.set.extend(backend.filter(|text| !text.is_empty()).map(|text| (tag.to_owned(), text)));
    edits
}

/// The users of a rule: by name, from a cookie or else a header; or by the value of another cookie.
fn users(rule: &Node, key: &str, log: &mut Log) -> Vec<Match> {
    let mut fields = Fields::of(rule, log);
    fields.ignore(&["name"]);
    let names = fields.texts("grayKeyValue", log);
    let tag = fields.text("grayTagKey", log).unwrap_or_default().to_owned();
    let values = fields.texts("grayTagValue", log);
    fields.rest("a rule", log);
    let only = |conditions| Match { conditions, ..Match::default() };
    let one = |on, test, sense| Condition { on, test, ignore_case: false, sense };
    let mut all = Vec::new();
    if !names.is_empty() && !key.is_empty() {
        let cookie = || On::Cookie(key.to_owned());
        let header = On::Header(key.to_ascii_lowercase());
        all.push(only(vec![one(cookie(), Test::In(names.clone()), Sense::Holds)]));
        // The header counts where the cookie is missing.
        all.push(only(vec![
            one(header, Test::In(names), Sense::Holds),
            one(cookie(), Test::Present, Sense::Fails),
        ]));
    }
    if !tag.is_empty() && !values.is_empty() {
        all.push(only(vec![one(On::Cookie(tag), Test::In(values), Sense::Holds)]));
    }
    if all.is_empty() {
        log.refuse(
            &rule.head(),
            "the rule has no users",
            "write \"grayKeyValue\", or \"grayTagKey\" and \"grayTagValue\"",
        );
    }
    all
}
