//! What an old configuration does with a request: which route takes it, and what becomes of it. It shares
//! nothing with the policy but the engine for expressions.

use std::cell::RefCell;
use std::collections::HashMap;

use narrows_core::router::Router;
use narrows_core::{Policy, PolicyValue, Request as Message};

use super::{Condition, Group, Hosts, Match, Old, On, PathKind, PathTest, Route, Sense, Test};

/// A request, as far as old configurations look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::migrate) struct Request {
    pub(in crate::migrate) host: String,
    pub(in crate::migrate) method: String,
    pub(in crate::migrate) path: String,
    pub(in crate::migrate) query: Vec<(String, String)>,
    pub(in crate::migrate) headers: Vec<(String, String)>,
    pub(in crate::migrate) cookies: Vec<(String, String)>,
    pub(in crate::migrate) metadata: Vec<(Vec<String>, String)>,
    pub(in crate::migrate) is_https: bool,
}

/// Answers for requests; expressions are compiled once.
#[derive(Default)]
pub(in crate::migrate) struct Meaning {
    expressions: RefCell<HashMap<String, Option<Router>>>,
}

impl Meaning {
    /// The route that takes a request, and which of its matches; the group may have none.
    pub(in crate::migrate) fn route<'o>(
        &self,
        old: &'o Old,
        request: &Request,
    ) -> Option<(&'o Group, Option<(&'o Route, Option<&'o Match>)>)> {
        let group = old.groups.iter().find(|group| covers(&group.hosts, &request.host))?;
        let taken = group.routes.iter().find_map(|route| {
            if route.matches.is_empty() {
                return Some((route, None));
            }
            route.matches.iter().find(|one| self.holds(one, request)).map(|one| (route, Some(one)))
        });
        Some((group, taken))
    }

    /// The backend that a request always gets, if it is one that does not go by weight.
    pub(in crate::migrate) fn chosen(&self, route: &Route, request: &Request) -> Option<usize> {
        let stable = route.baseline();
        let backends = route.split()?;
        if backends.iter().enumerate().all(|(index, backend)| (index == stable) == (backend.weight > 0)) {
            let is_kept =
                route.exclude.iter().any(|one| self.holds(one, request)) || route.include.is_empty();
            return if is_kept {
                Some(stable)
            } else {
                Some(self.included(route, request).unwrap_or(stable))
            };
        }
        if route.exclude.iter().any(|one| self.holds(one, request)) {
            return Some(stable);
        }
        self.included(route, request)
    }

    fn included(&self, route: &Route, request: &Request) -> Option<usize> {
        route.include.iter().find(|(one, _)| self.holds(one, request)).map(|(_, backend)| *backend)
    }

    /// Whether a match holds.
    pub(in crate::migrate) fn holds(&self, one: &Match, request: &Request) -> bool {
        one.host.as_ref().is_none_or(|host| host.eq_ignore_ascii_case(&request.host))
            && one.path.as_ref().is_none_or(|path| self.path(path, &request.path))
            && one.conditions.iter().all(|condition| self.condition(condition, request))
    }

    fn path(&self, test: &PathTest, path: &str) -> bool {
        let fold = |text: &str| if test.ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let (path, wanted) = (fold(path), fold(&test.text));
        match test.how {
            PathKind::Exact => path == wanted,
            PathKind::Prefix => path.starts_with(&wanted),
            PathKind::Segments if wanted == "/" => true,
            PathKind::Segments => {
                path.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            PathKind::Regex => self.describes(&test.text, &path),
        }
    }

    fn condition(&self, condition: &Condition, request: &Request) -> bool {
        let named = |all: &[(String, String)], name: &str| {
            all.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let value = match &condition.on {
            On::Header(name) if name == "cookie" => {
                Some(request.cookie_line()).filter(|line| !line.is_empty())
            }
            On::Header(name) => named(&request.headers, name),
            On::Cookie(name) => named(&request.cookies, name),
            On::Query(name) => named(&request.query, name),
            On::Method => Some(request.method.clone()),
            On::Scheme => Some(if request.is_https { "https" } else { "http" }.to_owned()),
            On::Metadata(path) => {
                request.metadata.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone())
            }
        };
        let met = |value: &str| self.test(&condition.test, condition.ignore_case, value);
        match (condition.sense, value, &condition.test) {
            (Sense::Holds, Some(value), _) => met(&value),
            (Sense::Differs | Sense::Fails, Some(value), _) => !met(&value),
            (Sense::Fails, None, Test::Present) => true,
            (Sense::Fails, None, _) => !met(""),
            (_, None, _) => false,
        }
    }

    fn test(&self, test: &Test, ignore_case: bool, value: &str) -> bool {
        let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let value = fold(value);
        match test {
            Test::Exact(text) => value == fold(text),
            Test::Prefix(text) => value.starts_with(&fold(text)),
            Test::Suffix(text) => value.ends_with(&fold(text)),
            Test::Contains(text) => value.contains(&fold(text)),
            Test::In(all) => all.iter().any(|text| value == fold(text)),
            Test::Regex(text) => self.describes(text, &value),
            Test::Range(from, to) => value.parse::<i64>().is_ok_and(|number| (*from..*to).contains(&number)),
            Test::Present => true,
        }
    }

    /// Whether an expression describes all of a text. One that does not compile describes none: the policy
    /// is refused for it.
    pub(in crate::migrate) fn describes(&self, expression: &str, value: &str) -> bool {
        let mut known = self.expressions.borrow_mut();
        let router = known.entry(expression.to_owned()).or_insert_with(|| compile(expression));
        let message = Message::new([(b":path".as_slice(), b"/".as_slice()), (b"x", value.as_bytes())]);
        router.as_ref().is_some_and(|router| router.decide(message).1.rule.is_some())
    }
}

/// A policy whose only rule is the expression.
fn compile(expression: &str) -> Option<Router> {
    let text = serde_json::json!({ "rules": [
        { "name": "r", "matches": [{ "headers": { "x": { "regex": expression } } }] }] });
    Router::compile(&PolicyValue::parse(text.to_string().as_bytes()).ok()?).ok()
}

/// Whether a group is for a host. A host has no port here.
fn covers(hosts: &Hosts, host: &str) -> bool {
    match hosts {
        Hosts::Any => true,
        Hosts::Service(service) => {
            let name = service.split('.').next().unwrap_or_default();
            let forms = [
                name.to_owned(),
                service.clone(),
                format!("{service}.svc"),
                format!("{service}.svc.cluster.local"),
            ];
            forms.iter().any(|form| form == host)
        }
        Hosts::Names(names) => names.iter().any(|name| match name.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => name.eq_ignore_ascii_case(host),
        }),
    }
}

impl Request {
    /// The `cookie` header.
    pub(in crate::migrate) fn cookie_line(&self) -> String {
        let own = self.headers.iter().find(|(name, _)| name == "cookie").map(|(_, value)| value.clone());
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        own.into_iter().chain(pairs).collect::<Vec<_>>().join("; ")
    }
}
