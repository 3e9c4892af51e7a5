//! What an old configuration makes of a request, as a case expects it.

use narrows_core::PolicyValue;

use crate::migrate::old::meaning::{Meaning, Request};
use crate::migrate::old::{Action, Edits, Group, Match, NewPath, Old, PathKind, PathTest, Redirect, Route};
use crate::migrate::policy::{self, ROUTE_HEADER};
use crate::migrate::value::{Table, number, one, text};

/// What is expected; nothing if the old configuration says nothing that can be told in advance.
pub(super) fn of(old: &Old, meaning: &Meaning, request: &Request) -> Option<PolicyValue> {
    let header = old.route_header.as_deref().unwrap_or(ROUTE_HEADER);
    let Some((group, Some((route, one)))) = meaning.route(old, request) else {
        let absent = vec![header.to_owned()];
        return Some(one_field("upstream", upstream(header, None, Table::default(), absent, old).into()));
    };
    if let Some(state) = folded(old, group, route) {
        return Some(one_field("state", state));
    }
    let (mut to, mut state) = (None, None);
    let (mut edits, mut response) = (route.request.clone(), route.response.clone());
    match &route.action {
        Action::Redirect(redirect) => return self::redirect(redirect, one, request),
        Action::Respond { status, body } => {
            let reply =
                Table::default().with("status", number(*status)).maybe("body", body.as_ref().map(text));
            return Some(one_field("reply", reply.into()));
        }
        Action::Pass => {}
        Action::Forward(backends) if backends.len() > 1 => {
            let split = Table::default().with("narrows_split", text(&route.name));
            let Some(chosen) = meaning.chosen(route, request) else {
                return Some(one_field("state", split.into()));
            };
            state = Some(split.with("narrows_backend", text(policy::name(backends, chosen))).into());
            let backend = backends.get(chosen)?;
            // Where the baseline rests depends on the form of the policy.
            if chosen == route.baseline() && route.rests {
                return state.map(|state| one_field("state", state));
            }
            to = (!backend.to.is_empty()).then(|| backend.to.clone());
            edits = crate::migrate::edits::joined(edits, backend.request.clone());
            response = crate::migrate::edits::joined(response, backend.response.clone());
        }
        Action::Forward(backends) => {
            let rests = route.rests && route.only().is_some() && route.takes_all();
            to = backends.first().filter(|_| !rests).map(|backend| backend.to.clone());
        }
    }
    let target = route.path.as_ref().and_then(|path| target(path, one, request));
    let (set, absent) = told(&edits, request);
    let mut all = upstream(header, to.as_deref(), set, absent, old);
    if let Some(target) = target {
        all = all.with("target", text(target));
    }
    let expect = Table::default().with("upstream", all.into()).maybe("state", state);
    let (headers, _) = told(&response, &Request::default());
    let expect = if headers.is_empty() {
        expect
    } else {
        expect.with("response", one_field("headers", headers.into()))
    };
    Some(expect.into())
}

/// What is expected of a route that is part of the split at the end of its group.
fn folded(old: &Old, group: &Group, route: &Route) -> Option<PolicyValue> {
    let to = &route.only()?.to;
    let last = group.routes.last()?;
    let backends = last.split()?;
    let index = backends.iter().position(|backend| backend.to == *to)?;
    let split = Table::default().with("narrows_split", text(&last.name));
    policy::is_folded(old, group)
        .then(|| split.with("narrows_backend", text(policy::name(backends, index))).into())
}

fn one_field(name: &str, value: PolicyValue) -> PolicyValue {
    one(name, value)
}

fn upstream(header: &str, to: Option<&str>, mut set: Table, mut absent: Vec<String>, old: &Old) -> Table {
    match to {
        Some(to) => set = set.with(header, text(to)),
        // What has a tag already keeps it.
        None if old.route_header.is_none() && !old.is_mesh && !absent.iter().any(|name| name == header) => {
            absent.push(header.to_owned());
        }
        None => {}
    }
    Table::default().filled("headers", set).some("absent", absent.into_iter().map(text).collect())
}

/// The headers that edits surely leave, and those that they surely remove.
fn told(edits: &Edits, request: &Request) -> (Table, Vec<String>) {
    let is_plain = |value: &str| !value.replace("%%", "").contains('%');
    let mut headers = Table::default();
    for (name, value) in edits.set.iter().filter(|(_, value)| is_plain(value)) {
        if !edits.add.iter().any(|(added, _)| added == name) {
            headers = headers.with(name, text(value.replace("%%", "%")));
        }
    }
    for (name, value) in edits.add.iter().filter(|(_, value)| is_plain(value)) {
        let others = edits.add.iter().filter(|(added, _)| added == name).count() > 1
            || edits.set.iter().any(|(set, _)| set == name)
            || request.headers.iter().any(|(there, _)| there == name);
        if !others {
            headers = headers.with(name, text(value.replace("%%", "%")));
        }
    }
    let written = |name: &&String| !edits.set.iter().chain(&edits.add).any(|(known, _)| known == *name);
    (headers, edits.remove.iter().filter(written).cloned().collect())
}

/// The new target, where it can be told.
fn target(path: &NewPath, one: Option<&Match>, request: &Request) -> Option<String> {
    let root = PathTest { how: PathKind::Prefix, text: "/".to_owned(), ignore_case: false };
    let matched = one.and_then(|one| one.path.as_ref()).unwrap_or(&root);
    let new = match path {
        NewPath::Full(to) => to.clone(),
        NewPath::Regex(..) => return None,
        NewPath::Prefix(to) => match matched.how {
            PathKind::Exact | PathKind::Regex => to.clone(),
            PathKind::Prefix => {
                let rest = request.path.get(matched.text.len()..)?;
                // There a second slash would be: a difference that is listed.
                if to.ends_with('/') && rest.starts_with('/') {
                    return None;
                }
                format!("{to}{rest}")
            }
            PathKind::Segments => {
                let rest = request.path.get(matched.text.trim_end_matches('/').len()..)?;
                let joined = format!("{}{rest}", to.trim_end_matches('/'));
                if joined.is_empty() { "/".to_owned() } else { joined }
            }
        },
    };
    let query = request.query.iter().map(|(name, value)| format!("{name}={value}"));
    let query = query.collect::<Vec<_>>().join("&");
    if query.bytes().any(|b| !b.is_ascii_alphanumeric() && !b"-._~=&".contains(&b)) {
        return None;
    }
    Some(if query.is_empty() { new } else { format!("{new}?{query}") })
}

/// The status and the location of a redirect.
fn redirect(redirect: &Redirect, one: Option<&Match>, request: &Request) -> Option<PolicyValue> {
    let scheme = if request.is_https { "https" } else { "http" };
    let to = redirect.scheme.as_deref().unwrap_or(scheme);
    let host = redirect.host.as_deref().unwrap_or(&request.host);
    let usual = if to == "https" { 443 } else { 80 };
    let port = redirect.port.filter(|port| *port != usual).map(|port| format!(":{port}"));
    let same = NewPath::Full(request.path.clone());
    let target = target(redirect.path.as_ref().unwrap_or(&same), one, request)?;
    let target = match redirect.query.as_deref() {
        None => target,
        Some(query) => {
            let path = target.split('?').next().unwrap_or_default();
            if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
        }
    };
    let location = format!("{to}://{host}{}{target}", port.unwrap_or_default());
    let own = format!("{scheme}://{}{}", request.host, self::target(&same, one, request)?);
    if location == own {
        return None;
    }
    let reply = Table::default()
        .with("status", number(redirect.status))
        .with("headers", one_field("location", text(location)));
    Some(one_field("reply", reply.into()))
}
