//! The log phase: every tag has its value, and every metric is counted.

use super::cardinality_limit::{Admission, Report};
use super::registry::{MISSING, OTHER, Registry};
use super::source::Late;
use super::{Captured, Tagger, Verdict};
use crate::language::limits;
use crate::language::modes::Mode;
use crate::policy::series::{Kind, Measurement};

/// What was read in the log phase.
type Observed = [Option<Vec<u8>>];

impl Tagger {
    pub(super) fn measure(&self, verdict: &Verdict, observed: &Observed, admission: Admission) -> Report {
        let Ok(registry) = self.cardinality.registry.try_borrow() else { return Report::default() };
        let mut entries = Vec::new();
        let mut values = Vec::with_capacity(self.tags.len());
        let mut dropped = Vec::new();
        for ((index, tag), captured) in (0usize..).zip(&self.tags).zip(&verdict.values) {
            let late = matches!(captured, Captured::Later | Captured::Rules(_)).then(|| {
                let candidates: &[u32] = if let Captured::Rules(rules) = captured { rules } else { &[] };
                let late = Late { observed, candidates, is_grpc: verdict.grpc };
                tag.captured(tag.source.of_response(&late), index, &registry)
            });
            values.push(match late.as_ref().unwrap_or(captured) {
                Captured::Known(value) => *value,
                Captured::Text(text) => registry.find(index, text).unwrap_or_else(|| {
                    if admission == Admission::Open && registry.has_room_for_value(index) {
                        entries.push(registry.value_entry(index, text));
                    } else {
                        dropped.push((index, text.clone()));
                    }
                    OTHER
                }),
                Captured::Later | Captured::Rules(_) => MISSING,
            });
        }
        // Without its values a request has no series yet.
        if !entries.is_empty() {
            return Report::NeedsAdmission(entries);
        }
        let mut measurements = Vec::with_capacity(self.metrics.len());
        let mut overflows = false;
        for (index, metric) in self.metrics.iter().enumerate() {
            let Some(value) =
                metric.number(observed).filter(|value| *value > 0 || metric.kind != Kind::Counter)
            else {
                continue;
            };
            let series = match registry.find_series(index, &values) {
                Some(number) => {
                    self.cardinality.first.saturating_add(usize::try_from(number).unwrap_or_default())
                }
                None if admission == Admission::Open && registry.has_room_for_series() => {
                    entries.push(registry.series_entry(index, &values));
                    continue;
                }
                None => {
                    overflows = true;
                    metric.overflow
                }
            };
            measurements.push(Measurement { series, value });
        }
        if !entries.is_empty() {
            return Report::NeedsAdmission(entries);
        }
        let notes = self.note(&dropped, overflows && registry.is_full());
        let indices = dropped.iter().filter_map(|(index, _)| self.tags.get(*index));
        measurements.extend(indices.map(|tag| Measurement { series: tag.dropped, value: 1 }));
        Report::Measured { measurements, state: self.publish(verdict, &values, &registry), notes }
    }

    /// The values that were not published in the request phase.
    fn publish(&self, verdict: &Verdict, values: &[u32], registry: &Registry) -> Vec<(String, String)> {
        if self.common.head.mode != Mode::Enforce {
            return Vec::new();
        }
        let tags = (0usize..).zip(&self.tags).zip(values);
        let late = tags.filter(|((index, _), _)| verdict.published & bit(*index) == 0);
        late.filter_map(|((index, tag), value)| {
            let state = tag.state.as_deref()?;
            tag.publishes(*value).then(|| (state.to_owned(), registry.text(index, *value).to_owned()))
        })
        .collect()
    }

    /// The first few dropped values of each tag are logged, each once. That the bound of series is
    /// reached is logged once too.
    fn note(&self, dropped: &[(usize, Box<str>)], is_full: bool) -> Vec<String> {
        let Ok(mut logged) = self.cardinality.logged.try_borrow_mut() else { return Vec::new() };
        logged.values.resize_with(self.tags.len(), Vec::new);
        let mut notes = Vec::new();
        for (index, text) in dropped {
            let (Some(tag), Some(known)) = (self.tags.get(*index), logged.values.get_mut(*index)) else {
                continue;
            };
            if known.len() < limits::DROPPED_LOGGED && !known.contains(text) {
                known.push(text.clone());
                notes.push(format!(
                    "tag {:?} has its {} values; {text:?} is counted as other",
                    tag.name, tag.bound.values
                ));
            }
        }
        if is_full && !std::mem::replace(&mut logged.full, true) {
            notes.push("\"maxSeries\" is reached; what is new is counted with overflow=\"true\"".to_owned());
        }
        notes
    }
}

/// The bit of a tag by its index: there are no more tags than bits.
pub(super) fn bit(index: usize) -> u32 {
    u32::try_from(index).ok().and_then(|index| 1u32.checked_shl(index)).unwrap_or_default()
}
