//! The merged plugin: the filters as the parts of one policy, in one stream.

use std::rc::Rc;
use std::time::Duration;

use narrows_core::merged::Merged;
use narrows_core::{Common, Policy, sanitize};

use crate::abi::MapType;
use crate::abi::map::Map;
use crate::callbacks::{Action, StreamContext};
use crate::course::Course;
use crate::extension::{
    Extension, guarding::Watch, measuring::Measuring, outgoing::Seen, remembering::Remembering,
};
use crate::lease::{self, Plugin};
use crate::loaded::{InForce, Load, Loaded};
use crate::node::Node;
use crate::stream::{Open, Stream};
use crate::{apply, read};

/// A merged policy in force.
pub(crate) struct Parts {
    common: Common,
    list: Vec<Rc<dyn Part>>,
    /// The part that may come first.
    early: Option<usize>,
}

/// A part in force.
trait Part: InForce {
    /// Whether a request to this authority passes it unchanged.
    fn skips(&self, authority: &dyn Fn() -> Vec<u8>) -> bool;

    /// Whether it decides on this request before all others.
    fn comes_first(&self) -> bool;

    /// Whether it counts requests that were answered before they came to this filter.
    fn counts_unseen(&self) -> bool;

    /// A request begins.
    fn open(self: Rc<Self>, open: Rc<()>) -> Box<dyn Stage>;
}

/// A part's share of one request.
trait Stage: StreamContext {
    /// Decides on what the parts before it left. Returns whether it answered the request.
    fn pass(&mut self, course: &mut Course<'_>) -> bool;

    /// The same in the log phase, for a request that was answered before.
    fn pass_late(&mut self, course: &mut Course<'_>);

    /// Whether a trailer of that name must not go on.
    fn drops_trailer(&self, name: &[u8]) -> bool;
}

impl<P: Policy + 'static, E: Extension<P>> Part for Loaded<P, E> {
    fn skips(&self, authority: &dyn Fn() -> Vec<u8>) -> bool {
        self.extension.skips(&self.policy, &self.node, authority)
    }

    fn comes_first(&self) -> bool {
        self.extension.comes_first(&self.policy, &self.node)
    }

    fn counts_unseen(&self) -> bool {
        self.extension.counts_unseen(&self.policy)
    }

    fn open(self: Rc<Self>, open: Rc<()>) -> Box<dyn Stage> {
        Box::new(Stream::new(Some(self), open))
    }
}

impl<P: Policy, E: Extension<P>> Stage for Stream<P, E> {
    fn pass(&mut self, course: &mut Course<'_>) -> bool {
        self.begin(Some(course))
    }

    fn pass_late(&mut self, course: &mut Course<'_>) {
        self.catch_up(Some(course));
    }

    fn drops_trailer(&self, name: &[u8]) -> bool {
        self.drops(name)
    }
}

macro_rules! loaded {
    ($($part:ident: $policy:ty, $beside:ident => $text:literal;)+) => {
        impl Load for Parts {
            type Policy = Merged;

            fn load(policy: Merged, plugin: &Plugin) -> Self {
                let node: Rc<Node> = Rc::default();
                let mut parts: Vec<Rc<dyn Part>> = Vec::new();
                let common = policy.shared().clone();
                let mut early = None;
                $(if let Some(part) = policy.$part {
                    let node = node.clone();
                    if <$crate::beside!($beside) as Extension<$policy>>::MAY_COME_FIRST {
                        early = Some(parts.len());
                    }
                    parts.push(Rc::new(Loaded::<$policy, $crate::beside!($beside)>::new(*part, plugin, node)));
                })+
                Self { common, list: parts, early }
            }

            fn limit(policy: &Merged) -> u32 {
                [$(policy.$part.as_ref().map_or(0, |part| <$crate::beside!($beside)>::limit(&**part))),+]
                    .into_iter()
                    .fold(0, u32::saturating_add)
            }
        }
    };
}

narrows_core::parts!(loaded);

impl InForce for Parts {
    /// As often as the part that must be woken most.
    fn period(&self) -> Duration {
        self.list.iter().map(|part| part.period()).min().unwrap_or(lease::RENEW)
    }

    fn tick(&self) {
        self.list.iter().for_each(|part| part.tick());
    }

    fn allow(&self, limit: u32) {
        self.list.iter().for_each(|part| part.allow(limit));
    }

    fn answered(&self, token: u32, has_headers: bool) {
        self.list.iter().for_each(|part| part.answered(token, has_headers));
    }

    fn release(&self) {
        self.list.iter().for_each(|part| part.release());
    }
}

impl Open for Parts {
    fn open(loaded: Option<Rc<Self>>, open: Rc<()>) -> Box<dyn StreamContext> {
        let parts = loaded.iter().flat_map(|loaded| &loaded.list);
        let stages = parts.map(|part| part.clone().open(open.clone())).collect();
        Box::new(MergedStream { loaded, stages, has_decided: false })
    }
}

/// The context of one request.
struct MergedStream {
    loaded: Option<Rc<Parts>>,
    stages: Vec<Box<dyn Stage>>,
    has_decided: bool,
}

impl MergedStream {
    /// Lets the parts decide one after the other. Returns whether one has answered the request; those
    /// after it do not see it then.
    fn decide(&mut self, parts: &Parts) -> bool {
        let Common { needs, sanitizer, .. } = &parts.common;
        let headers = Map::read(MapType::RequestHeaders);
        let known = needs.stripped.then(|| read::property(&[sanitize::PROVENANCE])).flatten();
        let mut course = Course::new(&headers, known.as_deref());
        // What no part judges is not stripped either: a call that comes in, under egress rules alone.
        if !parts.list.iter().all(|part| part.skips(&|| course.authority())) {
            let stripped = course.provenance.strip(sanitizer, headers.pairs());
            apply::strip(&stripped);
            course.working.remove(stripped);
        }
        let first = parts.early.filter(|at| parts.list.get(*at).is_some_and(|part| part.comes_first()));
        let is_answered = match first {
            None => self.stages.iter_mut().any(|stage| stage.pass(&mut course)),
            Some(first) => self.pass_after(first, &mut course),
        };
        apply::publish(&course.state);
        if let Some(text) = course.provenance.new_text(&parts.common) {
            let text = if needs.stripped { text.to_vec() } else { read::after_earlier(text) };
            apply::publish(&[(sanitize::PROVENANCE, text)]);
        }
        is_answered
    }
}

impl MergedStream {
    /// Lets the parts that count a request see it, if it was answered before it came here: without what a client
    /// must not have sent, as any other.
    fn catch_up(&mut self) {
        let Some(parts) = self.loaded.clone().filter(|_| !self.has_decided) else { return };
        if !parts.list.iter().any(|part| part.counts_unseen()) {
            return;
        }
        let Common { needs, sanitizer, .. } = &parts.common;
        let headers = Map::read(MapType::RequestHeaders);
        let known = needs.stripped.then(|| read::property(&[sanitize::PROVENANCE])).flatten();
        let mut course = Course::new(&headers, known.as_deref());
        let stripped = course.provenance.strip(sanitizer, headers.pairs());
        course.working.remove(stripped);
        self.stages.iter_mut().for_each(|stage| stage.pass_late(&mut course));
        apply::publish(&course.state);
    }

    /// Lets the parts decide, one of them before all others.
    #[inline(never)]
    fn pass_after(&mut self, first: usize, course: &mut Course<'_>) -> bool {
        let mut early = self.stages.iter_mut().skip(first).take(1);
        if early.any(|stage| stage.pass(course)) {
            return true;
        }
        let mut others = self.stages.iter_mut().enumerate().filter(|(at, _)| *at != first);
        others.any(|(_, stage)| stage.pass(course))
    }
}

impl StreamContext for MergedStream {
    fn request_headers(&mut self) -> Action {
        let Some(parts) = self.loaded.clone() else { return Action::Continue };
        let needs = parts.common.needs;
        if !needs.headers && !needs.outcome {
            return Action::Continue;
        }
        self.has_decided = true;
        let is_answered = read::once(read::of_connection, || self.decide(&parts));
        if is_answered { Action::Pause } else { Action::Continue }
    }

    /// In a chain a response comes to the last filter first.
    fn response_headers(&mut self) {
        self.stages.iter_mut().rev().for_each(|stage| stage.response_headers());
    }

    fn request_trailers(&mut self) {
        if let Some(parts) = self.loaded.as_ref().filter(|_| self.has_decided) {
            let sanitizer = &parts.common.sanitizer;
            let drops = |name: &[u8]| {
                sanitizer.covers_trailer(name) || self.stages.iter().any(|stage| stage.drops_trailer(name))
            };
            apply::removal(MapType::RequestTrailers, drops);
        }
    }

    fn log(&mut self) {
        read::once(read::of_served, || {
            self.catch_up();
            self.stages.iter_mut().for_each(|stage| stage.log());
        });
    }
}
