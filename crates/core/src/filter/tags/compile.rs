//! From what the operator wrote to a [`Tagger`].

use super::book::Book;
use super::bound::{self, Bound};
use super::meter::{Constant, Meter};
use super::metric::Metric;
use super::source::{self, Source, Wants};
use super::{Tag, Tagger, attributes, label, property, stock};
use crate::action::strip::Strip;
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::modes::{Callers, Mode, Trust};
use crate::language::read::{self, Faults, Fields};
use crate::language::tree::Tree;
use crate::matching::budget;
use crate::matching::parse::{self, Budget};
use crate::policy::Needs;
use crate::policy::common::Common;
use crate::policy::head::Head;
use crate::policy::series::{Grammar, Kind, Label, Series, Stock};

/// The fields of a policy besides those of every policy. The last two are those of an
/// attribute-gen configuration.
const FIELDS: &[&str] = &["tags", "metrics", "limits", "exclude", "publish", "attributes", "debug"];
/// The fields of a tag besides its source.
const TAG: &[&str] = &["missing", "other", "values", "maxValues", "maxLength", "allow", "map", "stockLabel"];
/// What a value of a tag takes besides its text.
pub(super) const VALUE: usize = 160;

/// What is being built.
pub(super) struct Draft {
    pub(super) grammar: Grammar,
    pub(super) book: Book,
    pub(super) wants: Wants,
    pub(super) constants: Vec<Constant>,
    pub(super) tags: Vec<Tag>,
    stock: Vec<Option<Stock>>,
}

pub(super) fn tagger(tree: &Tree, filter: &str) -> Result<Tagger, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(tree, filter, FIELDS, &budget)?;
    let limit = fields.optional("limits", max_series)?.unwrap_or(limits::SERIES.1);
    let limit = usize::try_from(limit).unwrap_or(1);
    let count = fields
        .optional("metrics", |t| read::list(t, limits::METRICS, Ok))?
        .map_or(0, |metrics| metrics.len());
    let Some(room) = limit.checked_sub(count).filter(|room| *room > 0) else {
        let message = format!("{count} metrics have {count} overflow series, so {limit} leaves no room");
        return Err(Invalid::new(Code::OutOfRange, message, "raise it")
            .in_field("maxSeries")
            .in_field("limits"));
    };
    budget.hold(limit.saturating_mul(budget::SERIES.saturating_mul(4)))?;
    let mut draft = Draft {
        grammar: head.labels,
        book: Book::new(head.labels, room),
        wants: Wants(Vec::new(), head.callers),
        constants: Vec::new(),
        tags: Vec::new(),
        stock: Vec::new(),
    };
    fields.optional("tags", |t| draft.read_tags(t, &budget))?;
    fields.optional("attributes", |t| attributes::read(t, &mut draft, &budget))?;
    fields.optional("debug", read::flag)?;
    let metrics = fields.optional("metrics", |t| draft.read_metrics(t))?.unwrap_or_default();
    fields.optional("publish", |t| read::list(t, limits::TAGS, |t| draft.publish(read::text(t)?)))?;
    let exclude = fields.optional("exclude", |t| parse::matches(t, &budget))?.unwrap_or_default();

    let is_active = head.mode != Mode::Off && !fields.is_empty();
    let strip =
        Strip::new(if is_active { head.trust } else { Trust::Mesh }, [], Vec::new()).within(head.mode);
    let common = Common { head, strip, ..Common::default() };
    let mut tagger = Tagger { common, exclude, metrics, tags: draft.tags, ..Tagger::default() };
    tagger.common.series = tagger.define(&draft.book);
    tagger.meter = Meter {
        wants: draft.wants.0,
        constants: draft.constants,
        reserved: tagger.metrics.len(),
        limit,
        first: tagger.common.series.len(),
        book: draft.book.into(),
        ..Meter::default()
    };
    tagger.common.needles = budget.needles();
    tagger.common.weight = budget.weight();
    if tagger.measures() {
        tagger.common.labels = tagger.meter.labels();
    }
    tagger.common.needs = Needs { only_header: tagger.one_header(), ..tagger.wanted(is_active) };
    Ok(tagger)
}

impl Draft {
    /// The tags of a table have no order, so they get one.
    fn read_tags(&mut self, tree: &Tree, budget: &Budget) -> Result<(), Invalid> {
        let mut entries: Vec<(Box<str>, &Tree)> = Vec::new();
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

    fn read_tag(&mut self, name: &str, tree: &Tree, budget: &Budget) -> Result<(), Invalid> {
        let known: Vec<&str> = source::SOURCES.iter().chain(TAG).copied().collect();
        let fields = Fields::open(tree, &known)?;
        let kind = fields.exactly_one(source::SOURCES)?;
        let stock = stock::read(fields, kind, self.grammar)?;
        let facts = source::facts(kind, stock.unwrap_or(Stock::Tag));
        let declared = fields.optional("values", |t| {
            read::list(t, limits::VALUES, |t| {
                budget.hold(VALUE)?;
                bound::value(read::text(t)?)
            })
        })?;
        if declared.is_some() && facts.closed && kind != "method" {
            let message = format!("{kind:?} says itself what its values are");
            return Err(Invalid::new(Code::Conflict, message, "leave out \"values\"").in_field("values"));
        }
        let bound = Bound::read(fields, facts.closed || declared.is_some(), facts.long)?;
        let word = |name, default: &'static str| -> Result<Box<str>, Invalid> {
            Ok(fields.optional(name, |t| bound::value(read::text(t)?))?.unwrap_or_else(|| default.into()))
        };
        let other = if facts.missing.starts_with('0') { facts.missing } else { "other" };
        let (missing, other) = (word("missing", facts.missing)?, word("other", other)?);
        let place = self.book.tag(name, stock.unwrap_or(Stock::Tag), &missing, &other, bound.values);
        // What comes from requests is kept too.
        budget.hold(bound.values.saturating_mul(VALUE.saturating_add(bound.longest())))?;
        let source = source::read(kind, fields, place, &mut self.book, &mut self.wants, budget)?;
        declared.into_iter().flatten().for_each(|value| _ = self.book.declare(place, &value));
        if fields.has("map") && kind != "nodeMetadata" {
            let help = "leave it out; a host is mapped with \"hostMap\"";
            return Err(Invalid::new(Code::Conflict, "only \"nodeMetadata\" has a map", help).in_field("map"));
        }
        if matches!(source, Source::Constant) {
            let mut path = fields.required("nodeMetadata", property::path)?.into_vec();
            path.splice(0..0, ["xds", "node", "metadata"].map(Into::into));
            let map = fields.optional("map", |t| source::host_map(t, place, &mut self.book, budget))?;
            self.constants.push(Constant { path: path.into(), tag: place, bound: bound.clone(), map });
        }
        self.push(name, source, bound, stock);
        Ok(())
    }

    pub(super) fn push(&mut self, name: &str, source: Source, bound: Bound, stock: Option<Stock>) {
        self.tags.push(Tag { name: name.into(), source, bound, state: None, used: false, dropped: 0 });
        self.stock.push(stock);
    }

    fn find(&self, name: &str) -> Result<usize, Invalid> {
        self.tags.iter().position(|tag| *tag.name == *name).ok_or_else(|| {
            Invalid::new(Code::UnknownName, format!("there is no tag {name:?}"), "name one of \"tags\"")
        })
    }

    fn read_metrics(&mut self, tree: &Tree) -> Result<Vec<Metric>, Invalid> {
        let mut wants = std::mem::take(&mut self.wants);
        let metrics = read::list(tree, limits::METRICS, |t| {
            let metric = Metric::read(t, &mut wants, |name| self.find(name))?;
            if self.grammar == Grammar::Stock {
                stock::fits(&metric, &self.tags, &self.stock).map_err(|e| e.in_field("tags"))?;
            }
            Ok(metric)
        });
        self.wants = wants;
        let metrics = metrics?;
        crate::language::names::unique("metrics", metrics.iter().map(|metric| &*metric.name))?;
        for metric in &metrics {
            self.book.metric(&metric.name, metric.kind, metric.tags.clone());
            for place in &metric.tags {
                self.tags.get_mut(*place).into_iter().for_each(|tag| tag.used = true);
            }
        }
        Ok(metrics)
    }

    fn publish(&mut self, name: &str) -> Result<(), Invalid> {
        let place = self.find(name)?;
        let Some(tag) = self.tags.get_mut(place) else { return Ok(()) };
        // An attribute has its state already.
        if tag.state.is_none() {
            tag.state = Some(label::published(name, &tag.source, &self.wants.0)?);
        }
        tag.used = true;
        Ok(())
    }
}

impl Tagger {
    /// The series that are there from the start, and their places.
    fn define(&mut self, book: &Book) -> Vec<Series> {
        let grammar = self.common.head.labels;
        let mut series = vec![Series::new(Kind::Gauge, grammar, "narrows_tags_series", &[])];
        for tag in self.tags.iter_mut().filter(|tag| tag.used && tag.bound.values > 0) {
            tag.dropped = series.len();
            let label = Label { name: "tag", stock: Stock::Tag, value: &tag.name };
            series.push(Series::new(Kind::Counter, grammar, "narrows_tags_dropped_total", &[label]));
        }
        for (place, metric) in self.metrics.iter_mut().enumerate() {
            metric.overflow = series.len();
            series.extend(book.overflow(place));
        }
        series
    }

    fn wanted(&self, is_active: bool) -> Needs {
        let matches =
            || self.exclude.iter().chain(self.common.head.explain.iter().map(|explain| &explain.when));
        let sources = || matches().filter_map(|m| m.source.as_ref());
        let strips = is_active && self.common.strip.is_needed();
        let by_principal = is_active && sources().any(|source| !source.principals.is_empty());
        let reads =
            self.tags.iter().any(|tag| tag.used && tag.source.reads_request()) || matches().next().is_some();
        Needs {
            headers: is_active && (strips || reads),
            stripped: strips,
            address: is_active && sources().any(|source| !source.cidrs.is_empty()),
            principal: by_principal,
            verified: by_principal && self.common.head.callers == Callers::Verified,
            outcome: self.measures(),
            ..Needs::default()
        }
    }

    /// The pseudo header that all tags read, if there is no need for more.
    fn one_header(&self) -> Option<&'static str> {
        let mut read = self.tags.iter().filter(|tag| tag.used && tag.source.reads_request());
        let first = read.next()?.source.pseudo_header()?;
        let alone = read.all(|tag| tag.source.pseudo_header() == Some(first));
        let explained = self.common.head.explain.is_some() || self.common.strip.is_needed();
        let only = |m: &crate::matching::matches::Match| match first {
            ":path" => m.reads_only_path(),
            _ => false,
        };
        (alone && !explained && self.exclude.iter().all(only)).then_some(first)
    }
}

fn max_series(tree: &Tree) -> Result<i64, Invalid> {
    let fields = Fields::open(tree, &["maxSeries"])?;
    let (most, default) = limits::SERIES;
    Ok(fields.optional("maxSeries", |t| read::integer(t, 1..=most))?.unwrap_or(default))
}
