//! A policy in the making: its tags, and what they need.

use super::bound::{self, Bound, VALUE};
use super::cardinality_limit::Constant;
use super::metric::Metric;
use super::registry::Registry;
use super::source::{self, AnySource, Kind, PropertyReads, SOURCES, Values};
use super::stock::STOCK_LABEL;
use super::{Tag, label, stock};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Faults, Fields};
use crate::matching::parse::Budget;
use crate::policy::series::{BuiltinTag, LabelEncoding};
use crate::policy::state;

/// A tag.
pub(super) static TAG: Object = object!(
    "tag",
    Any,
    "A tag: one source of its value, and the bounds of it.",
    [&source::SOURCE, &bound::BOUND],
    [
        field!(
            "missing",
            Text(1, bound::LONGEST),
            Optional,
            "What stands for no value; without it `unknown`, and `none` for a code."
        ),
        field!("other", Text(1, bound::LONGEST), Says("other"), "What stands for a value that has no name."),
        field!(
            "values",
            List(&Text(1, bound::LONGEST), 0, limits::VALUES),
            Optional,
            "The values that have a name; there are no others."
        ),
        field!(
            "map",
            Map("", &Text(1, bound::LONGEST), limits::HOST_MAP),
            Optional,
            "Of `nodeMetadata`: values by beginnings, mapped as hosts are."
        ),
        STOCK_LABEL,
    ],
);

/// What is being built.
pub(super) struct Draft {
    pub(super) encoding: LabelEncoding,
    pub(super) registry: Registry,
    pub(super) reads: PropertyReads,
    pub(super) constants: Vec<Constant>,
    pub(super) tags: Vec<Tag>,
    pub(super) stock: Vec<Option<BuiltinTag>>,
}

impl Draft {
    /// The tags of a table have no order, so they are given one.
    pub(super) fn read_tags(&mut self, tree: &PolicyValue, budget: &Budget) -> Result<(), Invalid> {
        let mut entries: Vec<(Box<str>, &PolicyValue)> = Vec::new();
        for (name, tree) in read::entries(tree, limits::TAGS, label::read, Ok)? {
            let before = entries.partition_point(|(other, _)| *other < name);
            entries.insert(before, (name, tree));
        }
        let names: Vec<Box<str>> = entries.iter().map(|(name, _)| name.clone()).collect();
        let mut faults = Faults::default();
        for (name, tree) in entries {
            let read = label::distinct(&name, &names).and_then(|()| self.read_tag(&name, tree, budget));
            faults.take(read.map_err(|e| e.in_field(&name)));
        }
        faults.or(())
    }

    fn read_tag(&mut self, name: &str, tree: &PolicyValue, budget: &Budget) -> Result<(), Invalid> {
        Fields::read(tree, &TAG, |fields| self.tag_of(name, fields, budget))
    }

    fn tag_of(&mut self, name: &str, fields: Fields<'_>, budget: &Budget) -> Result<(), Invalid> {
        let Kind { field, read: reader } = fields.exactly_one(&SOURCES)?;
        let kind = field.name;
        let stock = stock::read(fields, kind, self.encoding)?;
        let unknown = source::missing(reader, stock.unwrap_or(BuiltinTag::Tag));
        let is_closed = reader.values != Values::OfRequests;
        let declared = fields.optional("values", |t| {
            read::list(t, limits::VALUES, |t| {
                budget.hold(VALUE)?;
                bound::value(read::text(t)?)
            })
        })?;
        if declared.is_some() && reader.values == Values::OfSource {
            let message = format!("{kind:?} defines its values itself");
            return Err(Invalid::new(Code::Conflict, message, "leave out \"values\"").in_field("values"));
        }
        let bound = Bound::read(fields, is_closed || declared.is_some(), reader.is_long)?;
        let word = |name, default: &'static str| -> Result<Box<str>, Invalid> {
            Ok(fields.optional(name, |t| bound::value(read::text(t)?))?.unwrap_or_else(|| default.into()))
        };
        let other = if unknown.starts_with('0') { unknown } else { "other" };
        let (missing, other) = (word("missing", unknown)?, word("other", other)?);
        let index = self.registry.tag(name, stock.unwrap_or(BuiltinTag::Tag), &missing, &other, bound.values);
        // Values that come from requests are kept too.
        budget.hold(bound.values.saturating_mul(VALUE.saturating_add(bound.longest())))?;
        let source = source::read(
            fields,
            kind,
            reader,
            &mut source::Reading { tag: index, registry: &mut self.registry, reads: &mut self.reads, budget },
        )?;
        declared.into_iter().flatten().for_each(|value| _ = self.registry.declare(index, &value));
        match source.metadata().cloned() {
            Some(path) => {
                let map =
                    fields.optional("map", |t| source::host_map(t, index, &mut self.registry, budget))?;
                self.constants.push(Constant { path, tag: index, bound: bound.clone(), map });
            }
            None if fields.has("map") => {
                let help = "leave it out; a host is mapped with \"hostMap\"";
                let fault = Invalid::new(Code::Conflict, "only \"nodeMetadata\" has a map", help);
                return Err(fault.in_field("map"));
            }
            None => {}
        }
        self.push(name, source, bound, stock);
        Ok(())
    }

    pub(super) fn push(&mut self, name: &str, source: AnySource, bound: Bound, stock: Option<BuiltinTag>) {
        self.tags.push(Tag { name: name.into(), source, bound, state: None, used: false, dropped: 0 });
        self.stock.push(stock);
    }

    fn find(&self, name: &str) -> Result<usize, Invalid> {
        self.tags.iter().position(|tag| *tag.name == *name).ok_or_else(|| {
            Invalid::new(Code::UnknownName, format!("there is no tag {name:?}"), "name one of \"tags\"")
        })
    }

    pub(super) fn read_metrics(&mut self, tree: &PolicyValue) -> Result<Vec<Metric>, Invalid> {
        let mut reads = std::mem::take(&mut self.reads);
        let metrics = read::list(tree, limits::METRICS, |t| {
            let metric = Metric::read(t, &mut reads, |name| self.find(name))?;
            if self.encoding == LabelEncoding::Stock {
                stock::fits(&metric, &self.tags, &self.stock).map_err(|e| e.in_field("tags"))?;
            }
            Ok(metric)
        });
        self.reads = reads;
        let metrics = metrics?;
        crate::language::names::unique("metrics", metrics.iter().map(|metric| &*metric.name))?;
        for metric in &metrics {
            self.registry.metric(&metric.name, metric.kind, metric.tags.clone());
            for index in &metric.tags {
                self.tags.get_mut(*index).into_iter().for_each(|tag| tag.used = true);
            }
        }
        Ok(metrics)
    }

    pub(super) fn publish(&mut self, name: &str) -> Result<(), Invalid> {
        let index = self.find(name)?;
        let Some(tag) = self.tags.get_mut(index) else { return Ok(()) };
        // An attribute already has its filter state.
        if tag.state.is_none() {
            tag.state = Some(label::published(name, &tag.source, &self.reads.0)?);
        }
        tag.used = true;
        Ok(())
    }

    /// Refuses what cannot work without filter state.
    pub(super) fn needs_no_state(&self) -> Result<(), Invalid> {
        let conflict = |message| Err(Invalid::new(Code::Conflict, message, "leave it out: it is true then"));
        if self.tags.iter().any(|tag| tag.state.is_some()) {
            return conflict("it is false, and \"publish\" or \"attributes\" write filter state");
        }
        let is_ours = |path: &&super::Path| path.first().is_some_and(|name| name.starts_with(state::TAG));
        if self.reads.0.iter().any(|path| is_ours(&path)) {
            return conflict("it is false, and a tag reads the filter state of an earlier filter");
        }
        Ok(())
    }
}
