//! From what the operator wrote to a [`Tagger`].

use super::book::Book;
use super::bound::{self, Bound};
use super::meter::{Constant, Meter};
use super::metric::{METRIC, Metric};
use super::source::{self, SOURCES, Source, Values, Wants};
use super::stock::STOCK_LABEL;
use super::{Tag, Tagger, attributes, label, property, stock};
use crate::action::strip::Strip;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::modes::{Callers, Mode, Trust};
use crate::language::read::{self, Faults, Fields};
use crate::language::tree::Tree;
use crate::matching::budget;
use crate::matching::parse::{self, Budget};
use crate::policy::Needs;
use crate::policy::common::Common;
use crate::policy::head::{HEAD, Head};
use crate::policy::series::{Grammar, Kind, Label, Series, Stock};

/// The last two fields are those of an attribute-gen configuration.
pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of metric-tags: tags of requests, and what is counted by them.",
    [&HEAD],
    [
        field!(
            "tags",
            Map(label::PATTERN, &Table(&TAG), limits::TAGS),
            Optional,
            "Tags by name: labels of metrics."
        ),
        field!("metrics", List(&Table(&METRIC), 0, limits::METRICS), Optional, "What is counted."),
        field!("limits", Table(&LIMITS), Optional, "How much is counted at most."),
        field!(
            "exclude",
            List(&Table(&parse::MATCH), 0, limits::MATCHES),
            Optional,
            "Requests that are not measured: those for which one match holds."
        ),
        field!(
            "publish",
            List(&Text(1, limits::NAME), 0, limits::TAGS),
            Optional,
            "Tags to write as filter state too."
        ),
        field!(
            "attributes",
            List(&Table(&attributes::ATTRIBUTE), 0, limits::TAGS),
            Optional,
            "The attributes of an attribute-gen configuration."
        ),
        field!("debug", Flag, Holds(false), "Of attribute-gen: accepted, and without effect."),
    ],
);

static LIMITS: Object = object!(
    "limits",
    Any,
    "How much is counted at most.",
    [],
    [field!(
        "maxSeries",
        Integer(1, limits::SERIES.0),
        Counts(limits::SERIES.1),
        "Series of all metrics together; what is new beyond is counted as overflow."
    )],
);

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
    let (head, fields) = Head::open(tree, filter, &POLICY, &budget)?;
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
        let fields = Fields::open(tree, &TAG)?;
        let source::Kind { field, read: reader } = fields.exactly_one(&SOURCES)?;
        let kind = field.name;
        let stock = stock::read(fields, kind, self.grammar)?;
        let unknown = source::missing(reader, stock.unwrap_or(Stock::Tag));
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
        let place = self.book.tag(name, stock.unwrap_or(Stock::Tag), &missing, &other, bound.values);
        // What comes from requests is kept too.
        budget.hold(bound.values.saturating_mul(VALUE.saturating_add(bound.longest())))?;
        let source = source::read(
            fields,
            kind,
            reader,
            &mut source::Reading { tag: place, book: &mut self.book, wants: &mut self.wants, budget },
        )?;
        declared.into_iter().flatten().for_each(|value| _ = self.book.declare(place, &value));
        if fields.has("map") && !matches!(source, Source::Constant) {
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
    let fields = Fields::open(tree, &LIMITS)?;
    let (most, default) = limits::SERIES;
    Ok(fields.optional("maxSeries", |t| read::integer(t, 1..=most))?.unwrap_or(default))
}
