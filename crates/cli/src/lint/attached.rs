//! A filter as a resource attaches it: to which proxies, and at which place in their order.

use narrows_core::{PolicyValue, names};

use super::gateways::{Gateways, labels};
use super::options::Options;
use crate::code::Code;
use crate::documents::Kind;
use crate::filter::{AnyPolicy, Filter};
use crate::finding::Finding;
use crate::placement::site::{Known, Side, Site};
use crate::placement::{Deeds, Position, Slot, deed, is_phase};
use crate::source::{Node, Value};
use crate::write::json;

/// A filter, attached.
pub(super) struct Attached<'n> {
    /// The number of its file.
    pub(super) file: usize,
    pub(super) resource: &'n Node,
    pub(super) filter: Filter,
    pub(super) deeds: Deeds,
    pub(super) site: Site,
    pub(super) side: Side,
    /// The headers that it removes; none if it only reports.
    pub(super) strips: Vec<String>,
    /// The phase and priority that the resource writes.
    position: Position,
    /// The following fields are compared with those of every other filter of the run, so they are read
    /// once.
    namespace: Option<&'n str>,
    /// Whether the namespace is Istio's root.
    is_root: bool,
    kind: Kind,
    name: &'n str,
    labels: Vec<(&'n str, String)>,
    targets: Option<String>,
}

/// What chooses proxies: one label is enough to find those that choose more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Choice<'a> {
    /// All of the namespace.
    All,
    /// A label and its value.
    Label(&'a str, &'a str),
    /// Targets of Gateway API.
    Targets(&'a str),
}

impl<'n> Attached<'n> {
    /// The filter that a resource attaches, if it is one of Narrows.
    pub(super) fn new(
        file: usize,
        resource: &'n Node,
        gateways: &Gateways<'_>,
        options: &Options,
    ) -> Option<Self> {
        let kind = Kind::of(resource);
        let plugin = kind.plugin()?;
        let text = |field: &str| resource.text_at(&format!("{plugin}.{field}"));
        let filter = Filter::of_plugin(text("url"), text("pluginName"))?;
        let policy = resource.get(&format!("{plugin}.pluginConfig"));
        let compiled = policy.and_then(|policy| filter.compile(&policy.tree()).ok());
        let deeds = policy.map(|policy| Deeds::of(filter, policy)).unwrap_or_default();
        let site = Site::of(&known(resource, gateways, options));
        let names = compiled.iter().filter(|_| policy.is_some_and(deed::acts)).flat_map(AnyPolicy::strips);
        Some(Self {
            file,
            resource,
            filter,
            deeds,
            site,
            side: side(resource),
            strips: names.map(str::to_owned).collect(),
            position: position(resource).unwrap_or_else(|| deeds.slot(filter, site).position()),
            namespace: resource.text_at("metadata.namespace"),
            is_root: resource.text_at("metadata.namespace") == Some(options.root()),
            kind,
            name: resource.text_at("metadata.name").unwrap_or_default(),
            labels: resource
                .get("spec.selector.matchLabels")
                .map(Node::fields)
                .unwrap_or_default()
                .iter()
                .map(|(key, value)| (key.name.as_str(), json::line(&value.tree())))
                .collect(),
            targets: resource.get("spec.targetRefs").map(|targets| json::line(&targets.tree())),
        })
    }

    /// The policy, if it has one.
    pub(super) fn policy(&self) -> Option<&'n Node> {
        self.resource.get("spec.pluginConfig").or_else(|| self.resource.get("spec.wasm.pluginConfig"))
    }

    /// The phase and priority that the resource writes.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The phase and priority that it should have.
    pub(super) fn slot(&self) -> Slot {
        self.deeds.slot(self.filter, self.site)
    }

    /// The remedy for a wrong place.
    pub(super) fn place(&self) -> String {
        let slot = self.slot();
        format!("write phase {} and priority {}", slot.phase, slot.priority)
    }

    /// Whether there may be a proxy that both run on: one of them runs wherever the other does. Two
    /// resources of the same kind and name are two versions of one resource, so they do not meet.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let is_same = self.name() == other.name() && self.kind == other.kind;
        !is_same && (self.covers(other) || other.covers(self))
    }

    /// Everything that matters to those that it meets, as one text.
    pub(super) fn traits(&self) -> String {
        let policy = |field| self.policy().and_then(|policy| policy.text_at(field));
        let place = (self.namespace, &self.labels, &self.targets, self.site, self.side);
        let own = (self.filter, self.deeds, self.position, self.kind, policy("default"), policy("mode"));
        format!("{place:?} {own:?} {:?}", self.strips)
    }

    /// Its namespace, if it is written.
    pub(super) fn namespace(&self) -> Option<&'n str> {
        self.namespace
    }

    /// Whether it is in Istio's root namespace, whose resources are for all.
    pub(super) fn is_root(&self) -> bool {
        self.is_root
    }

    /// What chooses its proxies, or a part of that.
    pub(super) fn choice(&self) -> Choice<'_> {
        self.choices().next().unwrap_or(Choice::All)
    }

    /// Everything that chooses its proxies.
    pub(super) fn choices(&self) -> impl Iterator<Item = Choice<'_>> {
        let targets = self.targets.as_deref().map(Choice::Targets);
        let labels = self.labels.iter().map(|(name, value)| Choice::Label(name, value));
        targets.into_iter().chain(labels)
    }

    /// Whether it runs wherever the other does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        // A filter that chooses no proxies runs on every proxy, even on those that are targets.
        let is_for_all = self.targets.is_none() && self.labels.is_empty();
        (is_for_all || self.targets == other.targets)
            && (self.is_root || self.namespace == other.namespace)
            && self.labels.iter().all(|label| other.labels.contains(label))
    }

    /// Whether it removes a header, in every spelling.
    pub(super) fn takes_away(&self, name: &str) -> bool {
        self.strips.iter().any(|pattern| names::covers(pattern.as_bytes(), name.as_bytes()))
    }

    /// A finding about its phase and priority.
    pub(super) fn finding(&self, code: &'static Code, message: &str, help: &str) -> Finding {
        self.at(&["spec.priority", "spec.phase"], code, message, help)
    }

    /// A finding at the first of these fields that is written, or at the whole specification.
    pub(super) fn at(
        &self,
        fields: &[&'static str],
        code: &'static Code,
        message: &str,
        help: &str,
    ) -> Finding {
        let written = fields.iter().find_map(|place| {
            let (_, value) = self.resource.field(place)?;
            Some((*place, value.at.clone()))
        });
        let first = fields.first().copied().unwrap_or("spec");
        let (place, at) = written.unwrap_or_else(|| (first, self.spec()));
        Finding::warning(code, &at, place, message, help)
    }

    /// The other remedy, for a resource that does not show that it runs inbound.
    pub(super) fn or_outbound(&self) -> &'static str {
        let is_unsaid = self.site == Site::Mixed && self.side == Side::Both;
        if is_unsaid { "; or write mode CLIENT, if it is for the outbound side of sidecars" } else { "" }
    }

    /// Where its specification begins.
    pub(super) fn spec(&self) -> std::ops::Range<usize> {
        self.resource.field("spec").map_or_else(|| self.resource.head(), |(key, _)| key.at.clone())
    }

    /// Its namespace and its name.
    pub(super) fn name(&self) -> (Option<&str>, &str) {
        (self.namespace, self.name)
    }
}

/// None if the phase is no phase: that is told by itself, and the right one is meant.
fn position(resource: &Node) -> Option<Position> {
    let phase = resource.text_at("spec.phase").unwrap_or_default();
    if !["", "UNSPECIFIED_PHASE"].contains(&phase) && !is_phase(phase) {
        return None;
    }
    let priority = match resource.get("spec.priority").map(|node| &node.value) {
        Some(Value::Scalar(PolicyValue::Integer(priority))) => *priority,
        Some(_) | None => i64::MIN,
    };
    Some(Position::new(phase, priority))
}

/// What the resource and the other files show about the proxies that it attaches to.
fn known<'n>(resource: &'n Node, gateways: &Gateways<'_>, options: &Options) -> Known<'n> {
    let labels: Vec<_> = labels(resource.get("spec.selector.matchLabels"));
    let refs = resource.get("spec.targetRefs").map(Node::elements).unwrap_or_default();
    let targets: Vec<_> = refs.iter().filter_map(|target| target.text_at("kind")).collect();
    let names = refs.iter().filter_map(|target| target.text_at("name"));
    Known {
        is_root: resource.text_at("metadata.namespace") == Some(options.root()),
        gateway: gateways.has_gateway_of(resource.text_at("metadata.namespace"), &labels),
        waypoint: names.clone().any(|name| gateways.is_waypoint(name)),
        labels,
        targets,
        side: side(resource),
    }
}

/// The side that all clauses of `match` choose.
fn side(resource: &Node) -> Side {
    let clauses = resource.get("spec.match").map(Node::elements).unwrap_or_default();
    let all = |mode| !clauses.is_empty() && clauses.iter().all(|clause| clause.text_at("mode") == Some(mode));
    match (all("CLIENT"), all("SERVER")) {
        (true, _) => Side::Client,
        (false, true) => Side::Server,
        (false, false) => Side::Both,
    }
}
