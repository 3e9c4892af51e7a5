//! What the workers of a proxy share: the series log has one entry for each value and each
//! series.
//!
//! An entry names everything that makes a series of Envoy: its kind, and its labels as they are
//! written. A policy that would write the series in another way does not know it. It still counts it,
//! because Envoy keeps it.

use super::{Registry, series_key, value_of};
use crate::language::join::joined;
use crate::policy::series::{Kind, Series};

/// Separates the words of an entry; no value holds it.
const SEPARATOR: char = '\u{1f}';
/// The first words of entries.
const VALUE: &str = "v";
const SERIES: &str = "s";
const OVERFLOW: &str = "o";

/// An entry of the log, as a policy understands it.
enum Entry<'e> {
    /// A value of a tag.
    Value(usize, &'e str),
    /// A series: its key, its metric, the values of the metric's tags.
    Series(Vec<u8>, usize, Vec<u32>),
    /// The series of a metric that counts what is beyond the limit.
    Overflow(usize),
    /// A series of an older policy.
    Foreign,
}

impl Registry {
    /// The entry by which a value is admitted.
    pub(in crate::filter::tags) fn value_entry(&self, tag: usize, text: &str) -> Vec<u8> {
        let name = self.tags.get(tag).map_or("", |words| &words.name);
        entry([VALUE, name, text, &self.owner].into_iter())
    }

    /// The entry by which a series is admitted.
    pub(in crate::filter::tags) fn series_entry(&self, metric: usize, values: &[u32]) -> Vec<u8> {
        let Some(shape) = self.metrics.get(metric) else { return Vec::new() };
        let labels = shape.tags.iter().flat_map(|tag| {
            let name = self.tags.get(*tag).map_or("", |words| &*words.name);
            [name, self.text(*tag, value_of(values, *tag))]
        });
        entry([SERIES, &shape.name, &shape.form].into_iter().chain(labels))
    }

    /// Whether an entry may be appended: it is new, and there is room.
    pub(in crate::filter::tags) fn admits(&self, entry: &[u8]) -> bool {
        match self.read(entry) {
            Some(Entry::Value(tag, text)) => self.find(tag, text).is_none() && self.has_room_for_value(tag),
            Some(Entry::Series(key, ..)) => {
                !self.known.contains_key(key.as_slice()) && self.has_room_for_series()
            }
            Some(Entry::Overflow(metric)) => !self.known.contains_key(overflow_key(metric).as_slice()),
            Some(Entry::Foreign) | None => false,
        }
    }

    /// The entries by which a later policy knows this policy's overflow series.
    pub(in crate::filter::tags) fn overflow_entries(&self) -> Vec<Vec<u8>> {
        (0..self.metrics.len())
            .filter_map(|metric| self.overflow(metric))
            .map(|series| overflow_entry(&series))
            .collect()
    }

    /// Applies an entry of the log. An entry that cannot be read is ignored.
    pub(in crate::filter::tags) fn apply(&mut self, entry: &[u8]) {
        self.inherit(entry);
        match self.read(entry) {
            Some(Entry::Value(tag, text))
                if self.find(tag, text).is_none() && self.has_room_for_value(tag) =>
            {
                self.insert(tag, text);
            }
            Some(Entry::Series(key, metric, values)) if !self.known.contains_key(key.as_slice()) => {
                let number = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
                if let Some(series) = self.series_of(metric, &values) {
                    self.known.insert(key.into(), number);
                    self.series.push(series);
                }
                self.counted = self.counted.saturating_add(1);
            }
            Some(Entry::Overflow(metric)) => _ = self.known.insert(overflow_key(metric).into(), 0),
            Some(Entry::Foreign) => self.counted = self.counted.saturating_add(1),
            _ => {}
        }
    }

    /// Admits the values of a series that a plugin of another name has counted in, as far as there is
    /// room. So a plugin that only got another name goes on counting.
    fn inherit(&mut self, line: &[u8]) {
        let Some(mut words) = words(line).filter(|_| !self.owner.is_empty()) else { return };
        let (Some(SERIES), Some(name), Some(form)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let Some(shape) = self.metrics.iter().find(|shape| *shape.name == *name) else { return };
        let texts: Vec<&str> = words.collect();
        let labels = || shape.tags.iter().zip(texts.chunks(2));
        let is_own = *shape.form == *form
            && texts.len() == shape.tags.len().saturating_mul(2)
            && labels().all(|(tag, label)| {
                self.tags.get(*tag).is_some_and(|words| label.first() == Some(&&*words.name))
            });
        if !is_own {
            return;
        }
        let unknown: Vec<(usize, &str)> = labels()
            .filter_map(|(tag, label)| Some((*tag, *label.get(1)?)))
            .filter(|(tag, text)| self.find(*tag, text).is_none())
            .collect();
        // All of them or none: a value without its series would only take up room.
        let needed = |tag: usize| unknown.iter().filter(|(other, _)| *other == tag).count();
        if unknown.iter().all(|(tag, _)| needed(*tag) == 1 && self.has_room_for_value(*tag)) {
            unknown.iter().for_each(|(tag, text)| _ = self.insert(*tag, text));
        }
    }

    fn read<'e>(&self, line: &'e [u8]) -> Option<Entry<'e>> {
        let mut words = words(line)?;
        match (words.next()?, words.next()?) {
            (VALUE, name) => {
                let tag = self.tags.iter().position(|words| *words.name == *name)?;
                let text = words.next()?;
                (words.next()? == &*self.owner).then_some(Entry::Value(tag, text))
            }
            (SERIES, name) => Some(self.read_series(name, words).unwrap_or(Entry::Foreign)),
            (OVERFLOW, _) => {
                let own = self.overflow_entries().iter().position(|own| own == line);
                Some(own.map_or(Entry::Foreign, Entry::Overflow))
            }
            _ => None,
        }
    }

    fn read_series<'e>(&self, name: &str, mut words: impl Iterator<Item = &'e str>) -> Option<Entry<'e>> {
        let metric = self.metrics.iter().position(|shape| *shape.name == *name)?;
        let shape = self.metrics.get(metric)?;
        if words.next()? != &*shape.form {
            return None;
        }
        let mut values = Vec::new();
        for tag in &shape.tags {
            if words.next()? != &*self.tags.get(*tag)?.name {
                return None;
            }
            values.push(self.find(*tag, words.next()?)?);
        }
        words
            .next()
            .is_none()
            .then(|| Entry::Series(series_key(metric, values.iter().copied()), metric, values))
    }
}

/// An entry made of these words.
fn entry<'w>(mut words: impl Iterator<Item = &'w str>) -> Vec<u8> {
    joined(&mut words, SEPARATOR.encode_utf8(&mut [0; 4])).into_bytes()
}

/// The words of an entry.
fn words(entry: &[u8]) -> Option<impl Iterator<Item = &str>> {
    std::str::from_utf8(entry).ok().map(|text| text.split(SEPARATOR))
}

/// A series as one entry names it.
fn overflow_entry(series: &Series) -> Vec<u8> {
    entry([OVERFLOW, letter(series.kind), &series.name].into_iter())
}

/// A word for each kind.
pub(super) fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "c",
        Kind::Gauge => "g",
        Kind::Histogram => "h",
    }
}

fn overflow_key(metric: usize) -> Vec<u8> {
    vec![2, u8::try_from(metric).unwrap_or(u8::MAX)]
}
