//! From what the operator wrote to a [`Tagger`].

use super::cardinality_limit::CardinalityLimit;
use super::draft::{Draft, TAG};
use super::metric::METRIC;
use super::registry::Registry;
use super::source::PropertyReads;
use super::{Tagger, attributes, label};
use crate::action::sanitize::Sanitizer;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::modes::{Callers, Mode, Trust};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::budget;
use crate::matching::parse::{self, Budget};
use crate::policy::common::Common;
use crate::policy::head::{FILTER_STATE, HEAD, Head, PART_HEAD};
use crate::policy::needs::Needs;
use crate::policy::series::{BuiltinTag, Kind, Label, Series};
use crate::policy::written::Written;

/// The last two fields are those of an attribute-gen configuration.
pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of metric-tags: tags of requests, and what is counted by them.",
    [&HEAD],
    FIELDS
);

pub(super) static PART: Object = object!(
    "metric-tags",
    Any,
    "A policy of metric-tags: tags of requests, and what is counted by them.",
    [&PART_HEAD],
    FIELDS
);

const FIELDS: [Field; 7] = [
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
];

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

pub(super) fn tagger(written: &Written<'_>) -> Result<Tagger, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(written, &budget)?;
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
        encoding: head.labels,
        registry: Registry::new(head.labels, room),
        reads: PropertyReads(Vec::new(), head.callers),
        constants: Vec::new(),
        tags: Vec::new(),
        stock: Vec::new(),
    };
    fields.optional("tags", |t| draft.read_tags(t, &budget))?;
    fields.optional("attributes", |t| attributes::read(t, &mut draft, &budget))?;
    fields.optional("debug", read::flag)?;
    let metrics = fields.optional("metrics", |t| draft.read_metrics(t))?.unwrap_or_default();
    fields.optional("publish", |t| read::list(t, limits::TAGS, |t| draft.publish(read::text(t)?)))?;
    if head.is_silent {
        draft.needs_no_state().map_err(|e| e.in_field(FILTER_STATE.name))?;
    }
    let exclude = fields.optional("exclude", |t| parse::matches(t, &budget))?.unwrap_or_default();

    let is_active = head.mode != Mode::Off && !fields.is_empty();
    let sanitizer = Sanitizer::new(if is_active { head.trust } else { Trust::Mesh }, [], Vec::new())
        .within(head.mode)
        .of_part(head.is_part);
    let common = Common { head, sanitizer, ..Common::default() };
    let mut tagger = Tagger { common, exclude, metrics, tags: draft.tags, ..Tagger::default() };
    tagger.common.series = tagger.define(&draft.registry);
    tagger.cardinality = CardinalityLimit {
        reads: draft.reads.0,
        constants: draft.constants,
        reserved: tagger.metrics.len(),
        limit,
        first: tagger.common.series.len(),
        registry: draft.registry.into(),
        ..CardinalityLimit::default()
    };
    tagger.common.needles = budget.needles();
    tagger.common.weight = budget.weight();
    let published = tagger.tags.iter().filter_map(|tag| Some((tag.name.clone(), tag.state.clone()?)));
    tagger.common.published = published.collect();
    if tagger.measures() {
        tagger.common.labels = tagger.cardinality.labels();
    }
    tagger.common.needs = Needs {
        only_header: tagger.one_header(),
        metadata: is_active && budget.reads_metadata(),
        ..tagger.wanted(is_active)
    };
    Ok(tagger)
}

impl Tagger {
    /// The series that exist from the start, and their indices.
    fn define(&mut self, registry: &Registry) -> Vec<Series> {
        let encoding = self.common.head.labels;
        let mut series = vec![Series::new(Kind::Gauge, encoding, "narrows_tags_series", &[])];
        for tag in self.tags.iter_mut().filter(|tag| tag.used && tag.bound.values > 0) {
            tag.dropped = series.len();
            let label = Label { name: "tag", stock: BuiltinTag::Tag, value: &tag.name };
            series.push(Series::new(Kind::Counter, encoding, "narrows_tags_dropped_total", &[label]));
        }
        for (index, metric) in self.metrics.iter_mut().enumerate() {
            metric.overflow = series.len();
            series.extend(registry.overflow(index));
        }
        series
    }

    fn wanted(&self, is_active: bool) -> Needs {
        let matches =
            || self.exclude.iter().chain(self.common.head.explain.iter().map(|explain| &explain.when));
        let sources = || matches().filter_map(|m| m.source.as_ref());
        let strips = is_active && self.common.sanitizer.is_needed();
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

    /// The one pseudo header that all tags read, if they need no other.
    fn one_header(&self) -> Option<&'static str> {
        let mut read = self.tags.iter().filter(|tag| tag.used && tag.source.reads_request());
        let first = read.next()?.source.pseudo_header()?;
        let alone = read.all(|tag| tag.source.pseudo_header() == Some(first));
        let explained = self.common.head.explain.is_some() || self.common.sanitizer.is_needed();
        let only = |m: &crate::matching::matches::Match| first == ":path" && m.reads_only_path();
        (alone && !explained && self.exclude.iter().all(only)).then_some(first)
    }
}

fn max_series(tree: &PolicyValue) -> Result<i64, Invalid> {
    let fields = Fields::open(tree, &LIMITS)?;
    let (most, default) = limits::SERIES;
    Ok(fields.optional("maxSeries", |t| read::integer(t, 1..=most))?.unwrap_or(default))
}
