//! The values and series that have been admitted so far.
//!
//! Every worker keeps a registry, and all registries have the same contents: they follow from the
//! entries of the series log, which the workers of a proxy share. A worker appends an entry only if it
//! has read the log to its end and its registry has room for the entry. So the bounds hold for the
//! proxy and not for each worker. A value is counted apart by all workers or by none. And a new VM
//! knows what its predecessor had counted.

mod entry;

use crate::language::names::IndexByName;
use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Series};

/// The name of the label that marks the series beyond `maxSeries`.
pub(super) const OVERFLOW: &str = "overflow";
/// The index of `missing` among the values of every tag; `other` follows it.
pub(super) const MISSING: u32 = 0;
pub(super) const OTHER: u32 = 1;

/// The tags' values and the metrics' series, each with a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    encoding: LabelEncoding,
    tags: Vec<TagValues>,
    metrics: Vec<MetricShape>,
    /// Values by tag and text, series by metric and values; see [`value_key`].
    known: IndexByName,
    series: Vec<Series>,
    /// The series of the log. Those of an older policy count too, because Envoy still has them.
    counted: usize,
    room: usize,
    /// Whether the log takes no more entries.
    closed: bool,
    /// The plugin whose values these are: another one may have a tag of the same name.
    owner: Box<str>,
}

/// The values of one tag.
#[derive(Clone, Debug)]
struct TagValues {
    name: Box<str>,
    stock: BuiltinTag,
    texts: Vec<Box<str>>,
    /// How many of them the policy has declared.
    declared: usize,
    /// How many more may be admitted.
    room: usize,
    /// The one value of a tag whose value does not change while the proxy runs.
    constant: u32,
}

/// What is counted, and by which tags.
#[derive(Clone, Debug)]
struct MetricShape {
    name: Box<str>,
    kind: Kind,
    tags: Vec<usize>,
    /// What identifies its series besides names and values: the kind and, with stock labels, which of
    /// them carries which tag.
    form: Box<str>,
}

impl Registry {
    pub(super) fn new(encoding: LabelEncoding, room: usize) -> Self {
        Self { encoding, room, ..Self::default() }
    }

    /// Sets the plugin whose values these are.
    pub(super) fn own(&mut self, owner: &str) {
        self.owner = owner.into();
    }

    /// Sets how many series are admitted.
    pub(super) fn allow(&mut self, room: usize) {
        self.room = room;
    }

    /// Adds a tag and its first two values, `missing` and `other`; returns its index.
    pub(super) fn tag(
        &mut self,
        name: &str,
        stock: BuiltinTag,
        missing: &str,
        other: &str,
        room: usize,
    ) -> usize {
        let index = self.tags.len();
        self.tags.push(TagValues {
            name: name.into(),
            stock,
            texts: Vec::new(),
            declared: 0,
            room,
            constant: MISSING,
        });
        // In this order, or else `other` would take the place of `missing`.
        for text in [missing, other] {
            let value = self.push(index, text);
            self.known.entry(value_key(index, text)).or_insert(value);
        }
        index
    }

    /// Adds a value that the policy knows; returns its number.
    pub(super) fn declare(&mut self, tag: usize, text: &str) -> u32 {
        let known = self.find(tag, text);
        let value = known.unwrap_or_else(|| self.insert(tag, text));
        if let Some(words) = self.tags.get_mut(tag) {
            words.declared = words.texts.len();
        }
        value
    }

    /// Sets the value of a tag that does not change while the proxy runs.
    pub(super) fn settle(&mut self, tag: usize, text: &str) {
        let value = self.declare(tag, text);
        if let Some(words) = self.tags.get_mut(tag) {
            words.constant = value;
        }
    }

    /// The value that was settled; if none was, `missing`.
    pub(super) fn constant(&self, tag: usize) -> u32 {
        self.tags.get(tag).map_or(MISSING, |words| words.constant)
    }

    pub(super) fn metric(&mut self, name: &str, kind: Kind, tags: Vec<usize>) {
        let mut form = entry::letter(kind).to_owned();
        if self.encoding == LabelEncoding::Stock {
            let words = tags.iter().filter_map(|tag| self.tags.get(*tag));
            words.for_each(|words| form.push_str(words.stock.as_str()));
        }
        self.metrics.push(MetricShape { name: name.into(), kind, tags, form: form.into() });
    }

    /// The number of a tag's value.
    pub(super) fn find(&self, tag: usize, text: &str) -> Option<u32> {
        self.known.get(&value_key(tag, text)).copied()
    }

    /// The text of a tag's value.
    pub(super) fn text(&self, tag: usize, value: u32) -> &str {
        let words = self.tags.get(tag);
        words.and_then(|words| words.texts.get(usize::try_from(value).ok()?)).map_or("", |text| text)
    }

    /// The number of a metric's series for these values of all tags.
    pub(super) fn find_series(&self, metric: usize, values: &[u32]) -> Option<u32> {
        let shape = self.metrics.get(metric)?;
        self.known
            .get(series_key(metric, shape.tags.iter().map(|tag| value_of(values, *tag))).as_slice())
            .copied()
    }

    /// Whether one more value of a tag is admitted.
    pub(super) fn has_room_for_value(&self, tag: usize) -> bool {
        !self.closed && self.tags.get(tag).is_some_and(TagValues::has_room)
    }

    /// Whether one more series is admitted.
    pub(super) fn has_room_for_series(&self) -> bool {
        !self.closed && self.counted < self.room
    }

    /// Whether a series finds no room because of the bound.
    pub(super) fn is_full(&self) -> bool {
        self.counted >= self.room
    }

    /// Admits no more; returns whether it was open before.
    pub(super) fn close(&mut self) -> bool {
        !std::mem::replace(&mut self.closed, true)
    }

    /// The series admitted from the number `from` on.
    pub(super) fn series_from(&self, from: usize) -> &[Series] {
        self.series.get(from..).unwrap_or_default()
    }

    /// The names of all tags by which something is counted, perhaps more than once.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        let tags = self.metrics.iter().flat_map(|shape| &shape.tags);
        tags.filter_map(|tag| self.tags.get(*tag)).map(|words| &*words.name)
    }

    /// How many series have been admitted.
    pub(super) fn counted(&self) -> usize {
        self.counted
    }

    /// The series of a metric for the values of its tags, in the metric's order.
    fn series_of(&self, metric: usize, values: &[u32]) -> Option<Series> {
        let shape = self.metrics.get(metric)?;
        let words = shape.tags.iter().filter_map(|tag| Some((*tag, self.tags.get(*tag)?)));
        let labels: Vec<Label<'_>> = words
            .zip(values)
            .map(|((tag, words), value)| Label {
                name: &words.name,
                stock: words.stock,
                value: self.text(tag, *value),
            })
            .collect();
        Some(Series::new(shape.kind, self.encoding, &shape.name, &labels))
    }

    /// The series that counts what is beyond the limit.
    pub(super) fn overflow(&self, metric: usize) -> Option<Series> {
        let shape = self.metrics.get(metric)?;
        let label = |name, stock, value| Label { name, stock, value };
        let labels = match self.encoding {
            LabelEncoding::StatTags => vec![label(OVERFLOW, BuiltinTag::Tag, "true")],
            // These labels have no name for overflow, so their value shows it.
            LabelEncoding::Stock => {
                let words = shape.tags.iter().filter_map(|tag| self.tags.get(*tag));
                words.map(|words| label(&words.name, words.stock, overflow_value(words.stock))).collect()
            }
        };
        Some(Series::new(shape.kind, self.encoding, &shape.name, &labels))
    }

    fn insert(&mut self, tag: usize, text: &str) -> u32 {
        let value = self.push(tag, text);
        self.known.insert(value_key(tag, text), value);
        value
    }

    fn push(&mut self, tag: usize, text: &str) -> u32 {
        let Some(words) = self.tags.get_mut(tag) else { return MISSING };
        words.texts.push(text.into());
        words.declared = words.declared.max(words.texts.len().min(2));
        u32::try_from(words.texts.len().saturating_sub(1)).unwrap_or(MISSING)
    }
}

impl TagValues {
    fn has_room(&self) -> bool {
        self.texts.len().saturating_sub(self.declared) < self.room
    }
}

fn overflow_value(stock: BuiltinTag) -> &'static str {
    match stock {
        BuiltinTag::Code => "000",
        BuiltinTag::CodeClass => "0xx",
        _ => OVERFLOW,
    }
}

fn value_key(tag: usize, text: &str) -> Box<[u8]> {
    let mut key = vec![0, u8::try_from(tag).unwrap_or(u8::MAX)];
    key.extend_from_slice(text.as_bytes());
    key.into()
}

fn series_key(metric: usize, values: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut key = vec![1, u8::try_from(metric).unwrap_or(u8::MAX)];
    values.for_each(|value| key.extend_from_slice(&value.to_le_bytes()));
    key
}

fn value_of(values: &[u32], tag: usize) -> u32 {
    values.get(tag).copied().unwrap_or(MISSING)
}
