//! Rules of header-router.

use narrows_core::PolicyValue;

use super::{Parts, conditions, matches, splits};
use crate::migrate::difference::Log;
use crate::migrate::old::{
    Action, Edits, Group, Hosts, Match, NewPath, Old, PathKind, PathTest, Redirect, Route,
};
use crate::migrate::value::{Table, list, number, one, text};

impl Parts {
    /// The rules of a group. A split is a rule that marks the requests, and the split that looks for the
    /// mark. If another group has wider hosts, the last rule keeps the requests from it.
    pub(super) fn rule_group(&mut self, old: &Old, group: &Group, is_narrower: bool, log: &mut Log) {
        for route in &group.routes {
            // Nothing need be done for what goes where everything goes that no rule takes.
            if route.rests && route.only().is_some() && route.takes_all() {
                continue;
            }
            if old.route_header.is_some() && route.split().is_some() {
                self.untagged(old, group, route, log);
                continue;
            }
            for route in by_path(route) {
                self.route(old, group, &route, log);
            }
        }
        let takes_all = |route: &Route| route.takes_all() && !(route.rests && route.only().is_some());
        if is_narrower && !group.routes.iter().any(takes_all) {
            let name = self.name(&format!("{}-rest", super::super::destinations::plain(&group.name)));
            let at = group.routes.last().map_or(0..0, |route| route.at.clone());
            let all = conditions::table(&group.hosts, &Match::default(), &at, log);
            let rule = Table::default().with("name", text(name)).with("matches", list([all.into()]));
            self.rule(rule.into(), group.file, &at);
        }
    }

    fn route(&mut self, old: &Old, group: &Group, route: &Route, log: &mut Log) {
        let is_answer = matches!(route.action, Action::Redirect(_) | Action::Respond { .. });
        if is_answer && !(route.request.is_empty() && route.path.is_none()) {
            log.stays(
                &route.at,
                "the edits of a request that is answered are left out: nobody receives it",
                "nothing",
            );
        }
        let name = self.name(&route.name);
        let mut rule = Table::default().with("name", text(&name));
        rule = rule.some("matches", matches(&group.hosts, route, log));
        let to = |to: &str| one("to", text(to));
        match &route.action {
            Action::Forward(backends) if backends.len() > 1 => {
                let mark = format!("split/{name}");
                rule = rule.with("route", to(&mark));
                let split = splits::marked(old, route, &name, &mark, log);
                self.split(split, group.file, &route.at);
            }
            Action::Forward(backends) => {
                rule = rule.maybe("route", backends.first().map(|backend| to(&backend.to)));
            }
            _ => {}
        }
        if !is_answer {
            rule = rule.maybe("rewrite", route.path.as_ref().map(|path| one("path", new_path(path, route))));
            rule = rule.filled("requestHeaders", edits(&route.request));
        }
        rule = rule.filled("responseHeaders", edits(&route.response));
        rule = match &route.action {
            Action::Redirect(redirect) => rule.with("redirect", self::redirect(redirect, route)),
            Action::Respond { status, body } => {
                let respond = Table::default().with("status", number(*status));
                rule.with("respond", respond.maybe("body", body.as_ref().map(text)).into())
            }
            _ => rule,
        };
        self.rule(rule.into(), group.file, &route.at);
    }
}

/// The same route once for each way in which its paths are replaced: a rule replaces one prefix.
fn by_path(route: &Route) -> Vec<Route> {
    let replaces = |path: &NewPath| matches!(path, NewPath::Prefix(_));
    let redirects = match &route.action {
        Action::Redirect(redirect) => redirect.path.as_ref().is_some_and(replaces),
        _ => false,
    };
    if !redirects && !route.path.as_ref().is_some_and(replaces) {
        return vec![route.clone()];
    }
    let whole = [Match::default()];
    let all = if route.matches.is_empty() { &whole[..] } else { &route.matches };
    let mut parts: Vec<Route> = Vec::new();
    for one in all {
        // Everything is the prefix "/", and it is replaced as such.
        let root = PathTest { how: PathKind::Prefix, text: "/".to_owned(), ignore_case: false };
        let one = Match { path: Some(one.path.clone().unwrap_or(root)), ..one.clone() };
        let same = |known: &&mut Route| {
            known.matches.first().is_some_and(|first| {
                let key = |path: &Option<PathTest>| {
                    path.as_ref().map(|path| {
                        let text = if is_prefix(path) { path.text.clone() } else { String::new() };
                        (is_prefix(path).then_some(path.how), text)
                    })
                };
                key(&first.path) == key(&one.path)
            })
        };
        match parts.iter_mut().find(same) {
            Some(known) => known.matches.push(one),
            None => parts.push(Route { matches: vec![one], ..route.clone() }),
        }
    }
    parts
}

fn is_prefix(path: &PathTest) -> bool {
    matches!(path.how, PathKind::Prefix | PathKind::Segments)
}

/// What becomes of the path of a route. Where the whole path matched, all of it is replaced.
fn new_path(path: &NewPath, route: &Route) -> PolicyValue {
    let matched = route.matches.first().and_then(|one| one.path.as_ref());
    match path {
        NewPath::Prefix(to) if matched.is_some_and(|path| !is_prefix(path)) => {
            one("replaceFull", text(escaped(to)))
        }
        NewPath::Prefix(to) => one("replacePrefix", one("to", text(escaped(to)))),
        NewPath::Full(to) => one("replaceFull", text(escaped(to))),
        NewPath::Regex(from, to) => {
            one("regex", Table::default().with("match", text(from)).with("replace", text(to)).into())
        }
    }
}

/// A percent sign in a path is no quotation.
fn escaped(path: &str) -> String {
    path.replace('%', "%%")
}

/// Header edits.
pub(super) fn edits(edits: &Edits) -> Table {
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().fold(Table::default(), |table, (name, value)| table.with(name, text(value)))
    };
    Table::default()
        .filled("set", pairs(&edits.set))
        .filled("add", pairs(&edits.add))
        .some("remove", edits.remove.iter().map(text).collect())
}

fn redirect(redirect: &Redirect, route: &Route) -> PolicyValue {
    let query = redirect.query.as_ref().map(|query| match &**query {
        "" => text("drop"),
        set => one("set", text(set)),
    });
    Table::default()
        .maybe("scheme", redirect.scheme.as_ref().map(text))
        .maybe("authority", redirect.host.as_ref().map(text))
        .maybe("port", redirect.port.map(number))
        .maybe("path", redirect.path.as_ref().map(|path| new_path(path, route)))
        .maybe("query", query)
        .with("status", number(redirect.status))
        .into()
}

/// The hosts of a split, as it writes them.
pub(super) fn hosts(table: Table, hosts: &Hosts) -> Table {
    match hosts {
        Hosts::Any => table,
        Hosts::Names(names) => table.with("hosts", list(names.iter().map(text))),
        Hosts::Service(service) => table.with("service", text(service)),
    }
}
