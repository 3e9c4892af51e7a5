//! What an old configuration says, whoever wrote it: groups of hosts, and for each the routes in the order
//! in which they are tried. It has no meaning of ours: [`meaning`] says what it does with a request.

mod matching;
pub(super) mod meaning;

use std::ops::Range;

use narrows_core::PolicyValue;

use super::attach::Attach;
pub(super) use matching::{Condition, Match, On, PathKind, PathTest, Sense, Test};

/// Everything that one run converts.
#[derive(Clone, Debug, Default)]
pub(super) struct Old {
    /// The groups, the most specific hosts first.
    pub(super) groups: Vec<Group>,
    /// The header that chooses a destination, if it is not ours.
    pub(super) route_header: Option<String>,
    /// Whether the callers' headers are believed.
    pub(super) is_mesh: bool,
    /// The proxies that it is for.
    pub(super) attach: Vec<Attach>,
}

/// The routes of some hosts.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The number of the file.
    pub(super) file: usize,
    /// The name of the resource.
    pub(super) name: String,
    /// For which hosts.
    pub(super) hosts: Hosts,
    /// The routes. The first one that matches is taken.
    pub(super) routes: Vec<Route>,
    /// The resource with one route for each destination, if there is one.
    pub(super) remains: Option<Remains>,
}

/// For which hosts a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// All.
    Any,
    /// These names and patterns.
    Names(Vec<String>),
    /// A service, `name.namespace`, under all of its names.
    Service(String),
}

/// One route.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Its name in the policy.
    pub(super) name: String,
    /// Where it is in the file.
    pub(super) at: Range<usize>,
    /// One of them must hold; none is everything.
    pub(super) matches: Vec<Match>,
    /// What becomes of the path.
    pub(super) path: Option<NewPath>,
    /// Header edits of the request.
    pub(super) request: Edits,
    /// Header edits of the response.
    pub(super) response: Edits,
    /// What is done.
    pub(super) action: Action,
    /// How a user is told from another, if the old configuration or the command line says so.
    pub(super) key: Vec<PolicyValue>,
    /// Whether who has no key is drawn like everybody else; or else gets the baseline.
    pub(super) draws_keyless: bool,
    /// The backend that gets what the others leave, if it is a certain one.
    pub(super) stable: Option<usize>,
    /// Whether the baseline is where requests go that no rule takes.
    pub(super) rests: bool,
    /// Requests that always get a backend, by its number.
    pub(super) include: Vec<(Match, usize)>,
    /// Requests that always get the baseline. They come first.
    pub(super) exclude: Vec<Match>,
}

/// Header edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edits {
    /// Names and values in place of what is there.
    pub(super) set: Vec<(String, String)>,
    /// Names and values beside what is there.
    pub(super) add: Vec<(String, String)>,
    /// Names.
    pub(super) remove: Vec<String>,
}

/// What becomes of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NewPath {
    /// The prefix that matched becomes this.
    Prefix(String),
    /// All of it becomes this.
    Full(String),
    /// What the expression finds becomes the other text.
    Regex(String, String),
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It goes to one of these, by their weights.
    Forward(Vec<Backend>),
    /// The client is sent elsewhere.
    Redirect(Redirect),
    /// It is answered.
    Respond {
        /// The status.
        status: u64,
        /// The body.
        body: Option<String>,
    },
    /// It goes on as it is, but for the edits.
    Pass,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// The value of the route header.
    pub(super) to: String,
    /// Its parts of all weights.
    pub(super) weight: u64,
    /// Its own edits of the request.
    pub(super) request: Edits,
    /// Its own edits of the response.
    pub(super) response: Edits,
}

/// Where a client is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Redirect {
    /// Another scheme.
    pub(super) scheme: Option<String>,
    /// Another host.
    pub(super) host: Option<String>,
    /// Another port.
    pub(super) port: Option<u64>,
    /// Another path.
    pub(super) path: Option<NewPath>,
    /// Another query; an empty one is none.
    pub(super) query: Option<String>,
    /// The status.
    pub(super) status: u64,
}

/// A resource that is left of an old one: everything but the matches that the policy has now.
#[derive(Clone, Debug)]
pub(super) struct Remains {
    /// How its routes are written.
    pub(super) kind: RemainsKind,
    /// The resource without its routes.
    pub(super) resource: PolicyValue,
    /// The routes of the destinations: the value of the route header, and what is written for it.
    pub(super) routes: Vec<(String, PolicyValue)>,
    /// The routes of what no rule takes, as they are written.
    pub(super) rest: Vec<PolicyValue>,
}

impl Remains {
    /// Whether one route is for all that no rule takes. Of an Ingress there is one for each path.
    pub(super) fn has_rest(&self) -> bool {
        self.rest.len() == 1
    }

    /// Whether the resource has the name and the kind of the old one.
    pub(super) fn replaces(&self) -> bool {
        !self.routes.is_empty() && self.kind != RemainsKind::VirtualHost
    }
}

/// How the routes of a resource are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RemainsKind {
    /// Istio's `VirtualService`.
    VirtualService,
    /// Gateway API's `HTTPRoute`.
    HttpRoute,
    /// A virtual host of Envoy.
    VirtualHost,
}

impl Edits {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty()
    }
}

impl Route {
    /// A route that does something with every request.
    pub(super) fn new(name: String, at: Range<usize>, action: Action) -> Self {
        Self {
            name,
            at,
            matches: Vec::new(),
            path: None,
            request: Edits::default(),
            response: Edits::default(),
            action,
            key: Vec::new(),
            draws_keyless: true,
            stable: None,
            rests: false,
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }

    /// Whether it takes every request.
    pub(super) fn takes_all(&self) -> bool {
        self.matches.is_empty() || self.matches.iter().any(Match::is_everything)
    }

    /// Whether it changes nothing but the destination.
    pub(super) fn is_plain(&self) -> bool {
        self.path.is_none() && self.request.is_empty() && self.response.is_empty()
    }

    /// The backends, if there are several: a split.
    pub(super) fn split(&self) -> Option<&[Backend]> {
        match &self.action {
            Action::Forward(backends) if backends.len() > 1 => Some(backends),
            _ => None,
        }
    }

    /// The backend that gets what the others leave: if nothing says which, the first of those with the
    /// greatest weight.
    pub(super) fn baseline(&self) -> usize {
        let Action::Forward(backends) = &self.action else { return 0 };
        let greatest = backends.iter().map(|backend| backend.weight).max().unwrap_or_default();
        let first = backends.iter().position(|backend| backend.weight == greatest).unwrap_or_default();
        self.stable.unwrap_or(first)
    }

    /// The name of the destination of what the others leave.
    pub(super) fn stable(&self) -> Option<&str> {
        let Action::Forward(backends) = &self.action else { return None };
        backends.get(self.baseline()).map(|backend| backend.to.as_str())
    }

    /// The only destination, if that is all that the route is.
    pub(super) fn only(&self) -> Option<&Backend> {
        match &self.action {
            Action::Forward(backends) if backends.len() == 1 && self.is_plain() => {
                backends.first().filter(|one| one.request.is_empty() && one.response.is_empty())
            }
            _ => None,
        }
    }
}
